package io.tlsrpt.topics;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.DateRange;
import io.tlsrpt.report.FailureDetail;
import io.tlsrpt.report.Policy;
import io.tlsrpt.report.PolicyResult;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.report.TlsReport;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class EventSizeTest {

    @Test
    void cuttingNeverSplitsACharacter() {
        assertThat(EventSize.cut("äöü", 5)).isEqualTo("äö");
        assertThat(EventSize.cut("a😀b", 4)).isEqualTo("a");
        assertThat(EventSize.cut("a😀b", 5)).isEqualTo("a😀");
        assertThat(EventSize.cut("", 0)).isEmpty();
    }

    @Test
    void aLoneSurrogateBecomesTheReplacementCharacter() {
        assertThat(EventSize.cut("a\ud800b", 100)).isEqualTo("a\ufffdb");
        assertThat(EventSize.cut("\udc00\ud800", 100)).isEqualTo("\ufffd\ufffd");
    }

    @Test
    void whatNeedsNoCuttingStaysTheSameObject() {
        String text = "mx1.example.com";
        assertThat(EventSize.cut(text, 1024)).isSameAs(text);
    }

    @Test
    void theCutTextAndItsJsonAreNeverLongerThanSaid() {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(8460);
        for (int round = 0; round < 2_000; round++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(60);
            for (int i = 0; i < length; i++) {
                text.append((char) random.nextInt(random.nextBoolean() ? 0x100 : 0x10000));
            }
            int max = random.nextInt(80);
            String cut = EventSize.cut(text.toString(), max);
            assertThat(cut.getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(max);
            assertThat(Json.MAPPER.writeValueAsBytes(cut)).hasSizeLessThanOrEqualTo(EventSize.jsonBytes(cut, max));
        }
    }

    @Test
    void fiftyThousandOrdinaryDetailsAreWithinTheLimitAndOneHundredThousandAreNot() {
        assertThat(EventSize.upperBound(report(50_000, 5))).isLessThan(EventSize.MAX_REPORT_BYTES);
        assertThat(EventSize.upperBound(report(100_000, 5))).isGreaterThan(EventSize.MAX_REPORT_BYTES);
    }

    @Test
    void theLongestEventIsUnderAQuarterMebibyte() {
        String escaped = "\u0001".repeat(5_000);
        FailureDetail detail = new FailureDetail(
                new ResultType(escaped), escaped, escaped, escaped, escaped, Long.MAX_VALUE, escaped, escaped);
        Policy policy = new Policy(escaped, List.of(), escaped, Collections.nCopies(200, escaped));
        TlsReport report = new TlsReport(
                escaped,
                escaped,
                escaped,
                new DateRange(Instant.MIN, Instant.MAX),
                escaped,
                List.of(new PolicyResult(policy, 0, 0, List.of(detail))));
        // one failure and its summary
        assertThat(EventSize.upperBound(report)).isLessThan(2 * 256 * 1024);
    }

    private static TlsReport report(int details, int mxHosts) {
        FailureDetail detail = new FailureDetail(
                ResultType.CERTIFICATE_EXPIRED,
                "198.51.100.62",
                "mx1.mail.example.com",
                "mx1.mail.example.com",
                "203.0.113.58",
                3,
                null,
                "X509_V_ERR_CERT_HAS_EXPIRED");
        Policy policy = new Policy("sts", List.of(), "example.com", Collections.nCopies(mxHosts, "mx.example.com"));
        return new TlsReport(
                "Google Inc.",
                "smtp-tls-reporting@google.com",
                "2026-11-20T00:00:00Z_example.com",
                new DateRange(Instant.parse("2026-11-20T00:00:00Z"), Instant.parse("2026-11-20T23:59:59Z")),
                "google.com",
                List.of(new PolicyResult(policy, 1, details, Collections.nCopies(details, detail))));
    }
}
