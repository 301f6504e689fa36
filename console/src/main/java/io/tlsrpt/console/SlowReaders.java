package io.tlsrpt.console;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Ends answers that their client does not take in time: nothing else would, and until then each holds its body in
/// memory, or one of few places.
final class SlowReaders {

    static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration IDLE = Duration.ofSeconds(10);

    private final Duration patience;
    private final Counter dropped;
    private final ScheduledThreadPoolExecutor alarms = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("console-slow-readers").daemon().factory());

    SlowReaders(Duration patience, MeterRegistry meters) {
        this.patience = patience;
        dropped = Counter.builder("tlsrpt.console.dropped.answers")
                .description("Answers that their client did not take within two minutes")
                .register(meters);
        alarms.setRemoveOnCancelPolicy(true);
        alarms.setKeepAliveTime(IDLE.toMillis(), TimeUnit.MILLISECONDS);
        alarms.allowCoreThreadTimeOut(true);
    }

    /// What writes an answer.
    interface Write {

        /// @throws IOException when the client is gone
        void run() throws IOException;
    }

    /// Writes, and no longer than that: the thread is then interrupted, which closes the socket under a virtual one.
    void watching(Write write) throws IOException {
        Writing writing = new Writing(Thread.currentThread());
        ScheduledFuture<?> alarm = alarms.schedule(writing::drop, patience.toMillis(), TimeUnit.MILLISECONDS);
        try {
            write.run();
        } finally {
            alarm.cancel(false);
            writing.end();
        }
    }

    /// One answer on its way; whoever comes second does nothing.
    private final class Writing {

        private final Thread writer;
        private boolean over;

        private Writing(Thread writer) {
            this.writer = writer;
        }

        private synchronized void drop() {
            if (!over) {
                dropped.increment();
                writer.interrupt();
            }
        }

        private synchronized void end() {
            over = true;
        }
    }
}
