package io.tlsrpt.standalone;

import java.util.concurrent.CountDownLatch;

/// Waiting for SIGTERM or Ctrl-C, and closing everything before the process ends.
final class Stopping {

    private Stopping() {}

    /// Returns only when the process is to end; by then everything is closed.
    static void await(AutoCloseable... inOrder) {
        CountDownLatch forEver = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("stop").unstarted(() -> closeAll(inOrder)));
        try {
            forEver.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void closeAll(AutoCloseable... inOrder) {
        for (AutoCloseable closable : inOrder) {
            try {
                closable.close();
            } catch (Exception failed) {
                System.err.println("did not close cleanly: " + failed);
            }
        }
    }
}
