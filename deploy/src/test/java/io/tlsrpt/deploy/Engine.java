package io.tlsrpt.deploy;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/// The Docker engine that container tests need.
final class Engine {

    private static final boolean ANSWERS = answers();

    private Engine() {}

    /// Ends the calling test as not run where no engine answers.
    static void assumed() {
        assumeTrue(ANSWERS, "not run: no Docker engine answers (docker version)");
    }

    private static boolean answers() {
        try {
            Process asked = new ProcessBuilder("docker", "version", "--format", "{{.Server.Version}}")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            boolean answered = asked.waitFor(30, TimeUnit.SECONDS);
            asked.destroyForcibly();
            return answered && asked.exitValue() == 0;
        } catch (IOException notInstalled) {
            return false;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }
}
