package io.tlsrpt.ingest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// The memory that mails under way may hold together.
///
/// It is taken as bytes arrive, so that neither announcing a long mail nor sending one slowly costs a stranger much of
/// ours. The first 64 KiB of each mail come from a room of their own: reports are a few KiB, and long mails, which
/// share
/// the other room, cannot keep them out.
final class MailRoom {

    static final int FIRST_BYTES = 64 * 1024;

    private static final int UNIT = 4 * 1024;
    private static final int MAX_STEP = 64 * 1024;

    private final Semaphore first;
    private final Semaphore rest;
    private final Duration patience;

    /// @param firstBytes for the beginnings of all mails
    /// @param restBytes for all that is longer
    /// @param patience how long a mail waits for room
    MailRoom(long firstBytes, long restBytes, Duration patience) {
        this.first = new Semaphore(units(firstBytes));
        this.rest = new Semaphore(units(restBytes));
        this.patience = patience;
    }

    private static int units(long bytes) {
        return Math.toIntExact(Math.max(1, bytes / UNIT));
    }

    /// Room for one mail; not for several threads.
    Held hold() {
        return new Held();
    }

    /// The bytes of one mail, in room that [#close] gives back.
    final class Held implements AutoCloseable {
        private final List<byte[]> steps = new ArrayList<>();
        private int length;
        private int free;
        private int fromFirst;
        private int fromRest;

        /// @return false when there is no room; what was appended before is dropped then
        boolean append(byte[] from, int offset, int count) throws InterruptedException {
            int at = offset;
            int left = count;
            while (left > 0) {
                if (free == 0 && !grow()) {
                    close();
                    return false;
                }
                byte[] step = steps.getLast();
                int fits = Math.min(left, free);
                System.arraycopy(from, at, step, step.length - free, fits);
                at += fits;
                left -= fits;
                free -= fits;
                length += fits;
            }
            return true;
        }

        private boolean grow() throws InterruptedException {
            int size = Math.clamp(length, UNIT, MAX_STEP);
            boolean beginning = length + size <= FIRST_BYTES;
            int units = size / UNIT;
            if (!(beginning ? first : rest).tryAcquire(units, patience.toMillis(), TimeUnit.MILLISECONDS)) {
                return false;
            }
            if (beginning) {
                fromFirst += units;
            } else {
                fromRest += units;
            }
            free = size;
            steps.add(new byte[size]);
            return true;
        }

        /// Everything appended; nothing can be appended afterwards, and the room stays held.
        byte[] bytes() {
            byte[] bytes = new byte[length];
            int at = 0;
            for (byte[] step : steps) {
                int count = Math.min(step.length, length - at);
                System.arraycopy(step, 0, bytes, at, count);
                at += count;
            }
            steps.clear();
            return bytes;
        }

        /// Forgets all but the first bytes and gives the room of the rest back.
        void keepOnly(int head) {
            if (length <= head) {
                return;
            }
            length = head;
            byte[] kept = bytes();
            steps.add(kept);
            free = 0;
            rest.release(fromRest);
            fromRest = 0;
        }

        @Override
        public void close() {
            steps.clear();
            length = 0;
            free = 0;
            first.release(fromFirst);
            fromFirst = 0;
            rest.release(fromRest);
            fromRest = 0;
        }
    }
}
