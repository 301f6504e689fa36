package io.tlsrpt.ingest;

import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What came of reading a request's body.
sealed interface Body {

    /// All of it.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Whole(byte[] bytes) implements Body {}

    /// More than is taken; reading stopped early.
    ///
    /// @param head at most [Submission#HEAD_BYTES]; empty when the sender waits for our go-ahead
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record TooLong(byte[] head) implements Body {}

    /// The sender takes too long.
    record Slow() implements Body {}

    /// The request contradicts itself; where it ends cannot be known.
    record Malformed(String why) implements Body {}

    /// The connection broke: nobody is there to answer.
    record Gone() implements Body {}

    /// Other bodies take all the memory there is for them.
    record NoRoom() implements Body {}

    /// Reads bodies under limits that hold for all of them together.
    ///
    /// Memory is taken as bytes arrive, little at first, so that neither announcing a long body nor sending one slowly
    /// costs a stranger much of ours.
    final class Reader {

        private static final Logger LOG = LoggerFactory.getLogger(Reader.class);

        private static final int UNIT = 4 * 1024;
        private static final int MAX_STEP = 64 * 1024;
        private static final Duration WAIT_FOR_ROOM = Duration.ofSeconds(2);

        private final int maxBytes;
        private final Duration deadline;
        private final Semaphore room;

        /// @param maxBytes of one body
        /// @param deadline for one body, from its head to its last byte
        /// @param budget bytes that all bodies may hold at one time
        Reader(int maxBytes, Duration deadline, long budget) {
            this.maxBytes = maxBytes;
            this.deadline = deadline;
            this.room = new Semaphore(Math.toIntExact(Math.max(1, budget / UNIT)));
        }

        /// A body and the memory it holds, given back by [#close].
        final class Held implements AutoCloseable {
            private Body body = new Gone();
            private int held;

            Body body() {
                return body;
            }

            @Override
            public void close() {
                room.release(held);
                held = 0;
            }

            private boolean take(int units) throws InterruptedException {
                if (!room.tryAcquire(units, WAIT_FOR_ROOM.toMillis(), TimeUnit.MILLISECONDS)) {
                    return false;
                }
                held += units;
                return true;
            }
        }

        /// Never throws for what a sender does.
        Held read(ServerRequest request) {
            Held held = new Held();
            boolean tooLong = request.headers().contentLength().orElse(0) > maxBytes;
            if (tooLong && !request.continueSent()) {
                held.body = new TooLong(new byte[0]);
                return held;
            }
            try {
                held.body = read(request.content().inputStream(), tooLong, held);
            } catch (RequestException refused) {
                held.body = refused.status().equals(Status.REQUEST_TIMEOUT_408)
                        ? new Slow()
                        : new Malformed(String.valueOf(refused.getMessage()));
            } catch (IOException | RuntimeException gone) {
                // Helidon has runtime exceptions of its own for closed sockets
                LOG.atDebug().setCause(gone).log("a body never became complete");
                held.body = new Gone();
            } catch (InterruptedException stopping) {
                Thread.currentThread().interrupt();
                held.body = new Gone();
            }
            return held;
        }

        private Body read(InputStream in, boolean tooLong, Held held) throws IOException, InterruptedException {
            long end = System.nanoTime() + deadline.toNanos();
            int limit = tooLong ? Submission.HEAD_BYTES : maxBytes + 1;
            List<byte[]> steps = new ArrayList<>();
            int total = 0;
            int free = 0;
            while (total < limit) {
                if (free == 0) {
                    free = Math.clamp(total, UNIT, MAX_STEP);
                    if (!held.take(free / UNIT)) {
                        return new NoRoom();
                    }
                    steps.add(new byte[free]);
                }
                byte[] step = steps.getLast();
                int read = in.read(step, step.length - free, Math.min(free, limit - total));
                if (read < 0) {
                    return tooLong ? new TooLong(joined(steps, total)) : new Whole(joined(steps, total));
                }
                total += read;
                free -= read;
                if (System.nanoTime() > end) {
                    return new Slow();
                }
            }
            return new TooLong(joined(steps, Math.min(total, Submission.HEAD_BYTES)));
        }

        private static byte[] joined(List<byte[]> steps, int total) {
            byte[] bytes = new byte[total];
            int at = 0;
            for (byte[] step : steps) {
                int length = Math.min(step.length, total - at);
                System.arraycopy(step, 0, bytes, at, length);
                at += length;
            }
            return bytes;
        }
    }
}
