package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ReportKeyTest {

    @Test
    void aKeyNamesSubmitterIdStartAndDomains() {
        assertThat(ReportKey.of(report("google.com", "2026-11-20T00:00:00Z_example.com", "example.com"), null))
                .isEqualTo("google.com|2026-11-20T00:00:00Z_example.com|2026-11-20T00:00:00Z|example.com");
    }

    @Test
    void domainsAreSortedAndDistinct() {
        assertThat(ReportKey.of(
                        report("a.example", "1", "z.example", null, "b.example", "z.example"), "channel.example"))
                .isEqualTo("a.example|1|2026-11-20T00:00:00Z|b.example,z.example");
    }

    @Test
    void separatorsInsideAPartAreEncoded() {
        assertThat(ReportKey.of(report("mail & co", "a|b,c/d#e?f%g h\u0007ü€😀:@+~\u007f", "x,y|z"), null))
                .isEqualTo("mail%20&%20co|a%7Cb%2Cc%2Fd%23e%3Ff%25g%20h%07%C3%BC%E2%82%AC%F0%9F%98%80:@+~%7F"
                        + "|2026-11-20T00:00:00Z|x%2Cy%7Cz");
    }

    @Test
    void whereNoEntryNamesADomainTheChannelDoes() {
        assertThat(ReportKey.of(report("a.example", "1", (String) null), "channel.example"))
                .isEqualTo("a.example|1|2026-11-20T00:00:00Z|@channel.example");
        assertThat(ReportKey.of(report("a.example", "1", (String) null), null))
                .isEqualTo("a.example|1|2026-11-20T00:00:00Z|@");
    }

    @Test
    void aPartOver255BytesBecomesItsHash() {
        assertThat(ReportKey.of(report("a.example", "x".repeat(255), "d.example"), null))
                .contains("x".repeat(255));
        // printf 'x%.0s' $(seq 256) | sha256sum
        assertThat(ReportKey.of(report("a.example", "x".repeat(256), "d.example"), null))
                .isEqualTo(
                        "a.example|sha256:85e62acd750c4eb56b7b6a1d66dca5bfaac5f062608a1a893410d0288936c09a|2026-11-20T00:00:00Z|d.example");
        assertThat(ReportKey.of(report("a.example", "ü".repeat(43), "d.example"), null))
                .matches("a\\.example\\|sha256:[0-9a-f]{64}\\|2026-11-20T00:00:00Z\\|d\\.example");
    }

    private static TlsReport report(String submitter, String id, @Nullable String... domains) {
        List<PolicyResult> policies = Arrays.stream(domains)
                .map(domain -> new PolicyResult(new Policy("sts", List.of(), domain, List.of()), 1, 0, List.of()))
                .toList();
        DateRange day = new DateRange(Instant.parse("2026-11-20T00:00:00.5Z"), Instant.parse("2026-11-20T23:59:59Z"));
        return new TlsReport("Mail", null, id, day, submitter, policies);
    }
}
