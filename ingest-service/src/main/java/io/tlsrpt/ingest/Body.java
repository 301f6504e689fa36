package io.tlsrpt.ingest;

import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
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

    /// The connection broke, or was cut because nothing came any more: nobody is there to answer.
    record Gone() implements Body {}

    /// Other bodies take all the memory there is for them.
    record NoRoom() implements Body {}

    /// Reads bodies under limits that hold for all of them together.
    ///
    /// Memory is taken as bytes arrive, so that announcing a long body costs a stranger nothing of ours. A connection
    /// on
    /// which nothing moves is cut by interrupting its thread, which closes its channel.
    final class Reader implements AutoCloseable {

        private static final Logger LOG = LoggerFactory.getLogger(Reader.class);

        private static final int STEP = 64 * 1024;
        private static final Duration WAIT_FOR_ROOM = Duration.ofSeconds(2);

        private final int maxBytes;
        private final Duration deadline;
        private final Semaphore room;
        private final ScheduledExecutorService watchdog;

        /// @param maxBytes of one body
        /// @param deadline for one body, from its head to its last byte
        /// @param budget bytes that all bodies may hold at one time
        Reader(int maxBytes, Duration deadline, long budget, ScheduledExecutorService watchdog) {
            this.maxBytes = maxBytes;
            this.deadline = deadline;
            this.room = new Semaphore(Math.toIntExact(Math.max(1, budget / STEP)));
            this.watchdog = watchdog;
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

            private boolean take() throws InterruptedException {
                if (!room.tryAcquire(WAIT_FOR_ROOM.toMillis(), TimeUnit.MILLISECONDS)) {
                    return false;
                }
                held++;
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
            Cut cut = new Cut(Thread.currentThread());
            ScheduledFuture<?> alarm =
                    watchdog.schedule(cut, deadline.plusSeconds(1).toMillis(), TimeUnit.MILLISECONDS);
            try {
                held.body = read(request.content().inputStream(), tooLong ? STEP : maxBytes, tooLong, held);
            } catch (IOException | InterruptedException | RuntimeException gone) {
                // Helidon has runtime exceptions of its own for closed sockets and broken chunks
                LOG.atDebug().setCause(gone).log("a body never became complete");
                held.body = new Gone();
            } finally {
                alarm.cancel(false);
                cut.over();
            }
            return held;
        }

        private Body read(InputStream in, int limit, boolean tooLong, Held held)
                throws IOException, InterruptedException {
            long end = System.nanoTime() + deadline.toNanos();
            List<byte[]> steps = new ArrayList<>();
            int total = 0;
            int free = 0;
            while (true) {
                if (free == 0) {
                    if (tooLong && total == limit) {
                        return new TooLong(joined(steps, total));
                    }
                    if (!held.take()) {
                        return new NoRoom();
                    }
                    steps.add(new byte[STEP]);
                    free = STEP;
                }
                int read = in.read(steps.getLast(), STEP - free, free);
                if (read < 0) {
                    return tooLong ? new TooLong(joined(steps, total)) : new Whole(joined(steps, total));
                }
                total += read;
                free -= read;
                if (total > limit) {
                    return new TooLong(joined(steps, Math.min(total, Submission.HEAD_BYTES)));
                }
                if (System.nanoTime() > end) {
                    return new Slow();
                }
            }
        }

        /// Reads on for a moment and throws away, so that the sender, who may still be sending, hears the answer
        /// instead of
        /// a reset connection.
        void discard(ServerRequest request, Duration atMost, long bytes) {
            Cut cut = new Cut(Thread.currentThread());
            ScheduledFuture<?> alarm = watchdog.schedule(cut, atMost.toMillis(), TimeUnit.MILLISECONDS);
            try {
                InputStream in = request.content().inputStream();
                byte[] waste = new byte[STEP];
                long left = bytes;
                for (int read = 0; read >= 0 && left > 0; left -= read) {
                    read = in.read(waste);
                }
            } catch (IOException | RuntimeException gone) {
                LOG.atTrace().setCause(gone).log("the sender took its answer, or did not want it");
            } finally {
                alarm.cancel(false);
                cut.over();
            }
        }

        private static byte[] joined(List<byte[]> steps, int total) {
            byte[] bytes = new byte[total];
            for (int i = 0, at = 0; at < total; i++) {
                int length = Math.min(STEP, total - at);
                System.arraycopy(steps.get(i), 0, bytes, at, length);
                at += length;
            }
            return bytes;
        }

        @Override
        public void close() {
            watchdog.shutdownNow();
        }
    }

    /// Interrupts a thread unless it is through by then.
    final class Cut implements Runnable {
        private static final Logger LOG = LoggerFactory.getLogger(Cut.class);
        private final Thread thread;
        private boolean fired;
        private boolean over;

        Cut(Thread thread) {
            this.thread = thread;
        }

        @Override
        public synchronized void run() {
            if (!over) {
                fired = true;
                thread.interrupt();
            }
        }

        /// Nothing is interrupted after this; an interrupt that came before is cleared.
        synchronized void over() {
            over = true;
            if (fired && Thread.interrupted()) {
                LOG.atDebug().log("a connection on which nothing moved was cut");
            }
        }
    }
}
