package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.dns.Bind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `record` against a real BIND.
class RecordIT {

    private static final String MAILBOX = "mailto:reports@in.example";
    private static final String LONG_URL = "https://in.example/v1/tlsrpt/" + "x".repeat(1_300);

    @TempDir
    private Path directory;

    @Test
    void whatIsPrintedForTheZoneFileIsFoundAsWantedOnceItIsServed() throws IOException {
        String printed;
        try (Bind before = serving(directory("before"), Map.of("example.com", "www IN A 192.0.2.1"))) {
            Captured cli = new Captured(false);
            assertThat(record(cli, before, "example.com", "--format", "zone")).isEqualTo(1);
            printed = cli.out();
            assertThat(printed).startsWith("; published now: absent");
        }
        try (Bind after = serving(directory("after"), Map.of("example.com", printed))) {
            Captured cli = new Captured(false);
            assertThat(record(cli, after, "example.com")).as(cli.out()).isZero();
            assertThat(cli.out()).contains("published  as wanted");
        }
    }

    @Test
    void aliasesAndDelegationsAndStrangersAreToldApart() throws IOException {
        try (Bind named = serving(
                directory("zones"),
                Map.of(
                        "example.com", "_smtp._tls IN CNAME provider.example.net.",
                        "example.net",
                                "provider IN TXT \"v=TLSRPTv1; rua=mailto:reports@in\" \".example,"
                                        + LONG_URL.substring(0, 200) + "\" \"" + LONG_URL.substring(200, 400) + "\"",
                        "example.org", "_smtp._tls IN CNAME b.example.org.\nb IN CNAME _smtp._tls.example.org."))) {
            Captured alias = new Captured(false);
            assertThat(record(alias, named, "example.com")).isEqualTo(1);
            assertThat(alias.out()).contains("other addresses than wanted");

            Captured circle = new Captured(false);
            assertThat(record(circle, named, "example.org")).isEqualTo(1);
            assertThat(circle.out()).contains("published  unknown: ");

            Captured foreign = new Captured(false);
            assertThat(record(foreign, named, "example.edu")).isEqualTo(1);
            assertThat(foreign.out()).contains("published  unknown: 127.0.0.1:").contains("REFUSED");
        }
    }

    /// @param zones records by zone
    private static Bind serving(Path directory, Map<String, String> zones) throws IOException {
        Bind bind = new Bind(directory);
        for (Map.Entry<String, String> zone : zones.entrySet()) {
            bind.zone(zone.getKey()).write(zone.getKey(), List.of(zone.getValue()));
        }
        bind.start();
        return bind;
    }

    private Path directory(String name) throws IOException {
        return Files.createDirectory(directory.resolve(name));
    }

    private static int record(Captured cli, Bind named, String... more) {
        String[] arguments = {
            "record", "--server", "127.0.0.1:" + named.address().getPort(), "--rua", MAILBOX, "--rua", LONG_URL
        };
        String[] all = Arrays.copyOf(arguments, arguments.length + more.length);
        System.arraycopy(more, 0, all, arguments.length, more.length);
        return cli.run("http://127.0.0.1:1", all);
    }
}
