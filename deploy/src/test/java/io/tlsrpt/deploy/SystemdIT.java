package io.tlsrpt.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The units, and what `install` makes of a built tree. systemd itself does not run here.
class SystemdIT {

    private static final Path UNITS = Program.ROOT.resolve("deploy/systemd");
    /// Of 100, as `systemd-analyze security` weighs it; below 20 is what it calls OK.
    private static final int EXPOSURE = 15;

    @TempDir
    static Path directory;

    private static Path installed;

    @BeforeAll
    static void installOnce() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        installed = directory.resolve("root");
        install();
    }

    private static void install() {
        Program.named("env").run("DESTDIR=" + installed, UNITS.resolve("install"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tlsrpt.service", "tlsrpt@.service"})
    void theUnitIsValidAndLeavesTheProcessLittle(String name) throws Exception {
        Program analyze = Program.named("systemd-analyze");
        analyze.run("security", "--offline=true", "--threshold=" + EXPOSURE, UNITS.resolve(name));

        // a command that is not there is a fault, so it is looked for where it was installed
        Path units = Files.createDirectories(directory.resolve("units"));
        Path unit = units.resolve(name.replace("@.", "@console."));
        Files.writeString(
                unit,
                Files.readString(installed.resolve("etc/systemd/system").resolve(name))
                        .replace("=/opt/tlsrpt/tlsrpt", "=" + installed + "/opt/tlsrpt/tlsrpt"));
        assertThat(analyze.run("verify", "--man=no", unit)).isEmpty();
    }

    @Test
    void asAnotherUserTheCommandOfTheUnitRunsFromWhatIsInstalledAndStopsWhenAsked() throws Exception {
        Path state = Files.createDirectories(directory.resolve("state"));
        Path settings = installed.resolve("etc/tlsrpt/tlsrpt.yaml");
        int admin = freePort();
        Files.writeString(settings, """
                kafka: {embedded-listen: "127.0.0.1:0"}
                intake: {listen: "127.0.0.1:0"}
                api: {listen: "127.0.0.1:0"}
                admin: {listen: "127.0.0.1:%d"}
                mail: {smtp: {listen: "127.0.0.1:0"}}
                """.formatted(admin), StandardOpenOption.APPEND);
        List<String> command = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of(
                    Program.named("setpriv").path().toString(),
                    "--reuid=65534",
                    "--regid=65534",
                    "--clear-groups",
                    "--no-new-privs"));
            Program.named("chown").run("65534:65534", state);
        }
        for (String word : setting("tlsrpt.service", "ExecStart").split(" ", -1)) {
            command.add(word.startsWith("/") ? installed + word : word);
        }
        Path log = directory.resolve("log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(state.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().clear();
        builder.environment()
                .putAll(Map.of(
                        "PATH", "/usr/bin:/bin", "STATE_DIRECTORY", state.toString(), "TLSRPT_MAX_HEAP", "512m"));
        if (!System.getProperty("java.home").startsWith("/usr/lib/jvm/")) { // elsewhere the launcher does not look
            builder.environment().put("TLSRPT_JAVA_HOME", System.getProperty("java.home"));
        }
        Process process = builder.start();
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpRequest ready = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin + "/ready"))
                    .build();
            await().atMost(Duration.ofMinutes(3))
                    .failFast(() -> assertThat(process.isAlive())
                            .as(Files.readString(log))
                            .isTrue())
                    .ignoreExceptions()
                    .until(() -> http.send(ready, HttpResponse.BodyHandlers.ofString())
                                    .statusCode()
                            == 200);
            assertThat(state.resolve("broker")).exists();

            // an upgrade takes nothing away from what runs
            Path before = installed.resolve("opt/tlsrpt").toRealPath();
            install();
            assertThat(installed.resolve("opt/tlsrpt").toRealPath()).isNotEqualTo(before);
            assertThat(before.resolve("standalone/target/lib")).isNotEmptyDirectory();
            process.destroy();
            Duration stop = Duration.ofSeconds(
                    Long.parseLong(setting("tlsrpt.service", "TimeoutStopSec").replace("s", "")));
            assertThat(process.waitFor(stop)).isTrue();
            assertThat(process.exitValue()).hasToString(setting("tlsrpt.service", "SuccessExitStatus"));
            install();
            assertThat(before).doesNotExist();
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private static String setting(String unit, String name) throws IOException {
        Matcher line = Pattern.compile("^" + name + "=(.*)$", Pattern.MULTILINE)
                .matcher(
                        Files.readString(installed.resolve("etc/systemd/system").resolve(unit)));
        assertThat(line.find()).isTrue();
        return line.group(1);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
