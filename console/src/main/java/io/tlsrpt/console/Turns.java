package io.tlsrpt.console;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Questions that read much are answered a few at once; others wait two seconds for their turn, and are then asked to
/// come again.
final class Turns {

    private static final int WAIT_SECONDS = 2;

    private final Semaphore free;

    Turns(int atOnce) {
        free = new Semaphore(atOnce, true);
    }

    /// The question, when its turn has come.
    Supplier<Answer> taking(Supplier<Answer> question) {
        return () -> {
            boolean taken;
            try {
                taken = free.tryAcquire(WAIT_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException stopping) {
                Thread.currentThread().interrupt();
                return Answer.unavailable("stopping");
            }
            if (!taken) {
                return Answer.unavailable("many such questions are being answered; ask again shortly");
            }
            try {
                return question.get();
            } finally {
                free.release();
            }
        };
    }
}
