package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Inspection.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckCommandTest {

    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");

    private final Captured plain = new Captured(false);
    private final Captured coloured = new Captured(true);

    @TempDir
    private Path directory;

    private static Finding finding(String verdict, String code, String found, @Nullable String fix) {
        return new Finding(code, "mx", verdict, "mx1.example.com", "mx1.example.com", found, fix, "RFC 8461 §4.2");
    }

    private static Inspection about(String domain, Finding... findings) {
        return new Inspection(
                domain, NOW, Inspection.REQUEST, "open", "mx", null, null, List.of(), Arrays.asList(findings));
    }

    private static int told(Captured cli, Inspection... inspections) {
        int code = new CheckCommand(cli.terminal, Clock.fixed(NOW, ZoneOffset.UTC))
                .told(inspections.length, Stream.of(inspections));
        cli.terminal.out().flush();
        return code;
    }

    @ParameterizedTest
    @CsvSource({
        "ok, 0",
        "note, 0",
        "warning, 0",
        "unknown, 3",
        "error, 1",
    })
    void theExitCodeIsThatOfTheWorst(String verdict, int code) {
        assertThat(told(plain, about("example.com", finding(verdict, "x", "found", null))))
                .isEqualTo(code);
    }

    @Test
    void anErrorOfOneDomainIsWorseThanWhatIsNotKnownOfAnother() {
        assertThat(told(
                        plain,
                        about("a.example", finding("error", "x", "found", null)),
                        about("b.example", finding("unknown", "x", "found", null)),
                        about("c.example")))
                .isEqualTo(1);
        assertThat(plain.lines()).last().isEqualTo("3 domains: 1 with errors, 1 not known to the end, 1 without error");
    }

    @Test
    void whatIsNotWellIsToldInFullAndTheRestInOneLineEach() {
        told(
                plain,
                about(
                        "example.com",
                        finding("error", "certificate-expired", "expired on 2026-11-01", "install a new one"),
                        finding("ok", "starttls-ok", "STARTTLS works", null)));
        assertThat(plain.lines())
                .containsExactly(
                        "example.com  1 error",
                        "  error    certificate-expired  mx1.example.com",
                        "    found       expired on 2026-11-01",
                        "    fix         install a new one",
                        "    rule        RFC 8461 §4.2",
                        "  ok       starttls-ok  mx1.example.com: STARTTLS works");
        assertThat(plain.err()).isEmpty();
    }

    @Test
    void aDomainWithoutFaultIsWell() {
        told(plain, about("example.com", finding("ok", "starttls-ok", "STARTTLS works", null)));
        assertThat(plain.lines()).first().isEqualTo("example.com  all is well");
    }

    @Test
    void colourAndProgressAreForTerminals() {
        told(
                coloured,
                about("a.example", finding("error", "x", "found", null)),
                about("b.example", finding("warning", "y", "found", null)));
        assertThat(coloured.out()).contains("\u001b[31merror", "\u001b[33mwarning", "\u001b[1ma.example");
        assertThat(coloured.err()).contains("1 of 2 domains …").endsWith("\r\u001b[K");
        told(plain, about("a.example", finding("error", "x", "found", null)));
        assertThat(plain.out()).doesNotContain("\u001b");
    }

    @Test
    void whatStrangersWroteIsHarmless() {
        told(
                plain,
                about(
                        "example.com",
                        finding("error", "x", "\u001b[2J\u202eevil", null),
                        finding("ok", "y", "\rgone", null)));
        assertThat(plain.out())
                .contains("\\u001b[2J\\u202eevil", "\\u000dgone")
                .doesNotContain("\u001b", "\u202e", "\r");
    }

    @ParameterizedTest
    @CsvSource({
        "check",
        "check not/a/domain",
        "check example.com --timeout x",
        "check example.com --dns nowhere",
        "check example.com --smtp-port 70000",
        "check example.com --https-port 0",
        "check example.com --timeout 0",
        "readiness",
        "readiness a..b",
    })
    void wrongUsageIsTold(String line) {
        assertThat(plain.run("http://127.0.0.1:1", line.split(" ", -1))).isEqualTo(2);
    }

    @Test
    void aFileThatIsNoneIsToldBeforeAnybodyIsAsked() throws IOException {
        Path empty = Files.createFile(directory.resolve("empty.pem"));
        assertThat(plain.run("http://127.0.0.1:1", "check", "example.com", "--ca-file", empty.toString()))
                .isEqualTo(1);
        assertThat(plain.err()).contains("empty.pem holds no certificate");
        Captured absent = new Captured(false);
        assertThat(absent.run("http://127.0.0.1:1", "check", "example.com", "--config", directory.resolve("x") + ""))
                .isEqualTo(1);
    }
}
