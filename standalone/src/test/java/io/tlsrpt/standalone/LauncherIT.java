package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The demo as a newcomer starts it: another process, with nothing on its class path but what is packaged.
class LauncherIT {

    @TempDir
    Path directory;

    @Test
    void theDemoOfThePackagedProgramDeliversBothAlertsAndEndsWell() throws Exception {
        Path log = directory.resolve("log");
        Process demo = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Djava.io.tmpdir=" + directory,
                        "-cp",
                        Launched.CLASS_PATH,
                        StandaloneMain.class.getName(),
                        "demo",
                        "--exit-after-alerts")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = demo.waitFor(4, TimeUnit.MINUTES);
        demo.destroyForcibly();
        String told = Files.readString(log);
        assertThat(ended).as(told).isTrue();
        assertThat(demo.exitValue()).as(told).isZero();
        assertThat(told).contains("both alerts were delivered").doesNotContain("Exception");
        try (var left = Files.list(directory)) {
            assertThat(left).as("what the demo leaves behind").containsExactly(log);
        }
    }
}
