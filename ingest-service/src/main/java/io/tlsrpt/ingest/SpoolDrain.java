package io.tlsrpt.ingest;

import io.tlsrpt.topics.RawPosition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Empties the spool into the broker, in order, for as long as it runs. An entry is deleted after its acknowledgement
/// and after those of all entries before it.
final class SpoolDrain implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SpoolDrain.class);
    private static final int WINDOW_ENTRIES = 100;
    private static final long WINDOW_BYTES = 16L * 1024 * 1024;
    private static final Duration IDLE = Duration.ofSeconds(10);
    private static final Duration ROOM = Duration.ofSeconds(5);

    private final Spool spool;
    private final Delivery delivery;
    private final Duration pause;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread thread;

    /// Why the last attempt ended early, for the log.
    private @Nullable Throwable hindrance;

    /// @param pause between attempts while the broker is away
    SpoolDrain(Spool spool, Delivery delivery, Duration pause) {
        this.spool = spool;
        this.delivery = delivery;
        this.pause = pause;
        this.thread = Thread.ofPlatform().name("spool-drain").daemon().unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        boolean quiet = false;
        try {
            while (stopped.getCount() > 0) {
                if (!spool.awaitEntry(IDLE)) {
                    continue;
                }
                boolean progress;
                try {
                    progress = drainWindow();
                } catch (RuntimeException broken) {
                    LOG.atError().setCause(broken).log("the spool cannot be drained; trying again");
                    progress = false;
                }
                if (!progress) {
                    if (!quiet) {
                        LOG.atWarn()
                                .addKeyValue("entries", spool.entries())
                                .addKeyValue("bytes", spool.bytes())
                                .setCause(hindrance)
                                .log("the broker does not take them; reports wait in the spool");
                    }
                    quiet = true;
                    stopped.await(pause.toNanos(), TimeUnit.NANOSECONDS);
                } else if (spool.isEmpty()) {
                    quiet = false;
                    LOG.atInfo().log("the spool is empty again");
                }
            }
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    /// @return whether anything left the spool
    private boolean drainWindow() throws InterruptedException {
        int before = spool.entries();
        List<Spool.Kept> window = spool.oldest(WINDOW_ENTRIES, WINDOW_BYTES);
        List<CompletableFuture<RawPosition>> acknowledgements = new ArrayList<>(window.size());
        for (Spool.Kept kept : window) {
            CompletableFuture<RawPosition> acknowledgement = delivery.send(kept.record(), ROOM);
            acknowledgements.add(acknowledgement);
            if (acknowledgement.isCompletedExceptionally()) {
                break;
            }
        }
        for (int i = 0; i < acknowledgements.size(); i++) {
            long number = window.get(i).number();
            try {
                acknowledgements.get(i).get();
                spool.remove(number);
            } catch (ExecutionException failed) {
                if (!neverDeliverable(failed.getCause())) {
                    hindrance = failed.getCause();
                    break;
                }
                spool.setAside(number, String.valueOf(failed.getCause()));
            }
        }
        return spool.entries() < before || window.isEmpty();
    }

    private static boolean neverDeliverable(@Nullable Throwable failure) {
        return failure instanceof RecordTooLargeException || failure instanceof InvalidRecordException;
    }

    /// What is still there waits for the next start.
    @Override
    public void close() {
        stopped.countDown();
        thread.interrupt();
        try {
            thread.join(Duration.ofSeconds(5));
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }
}
