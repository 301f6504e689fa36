package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ContentDigestTest {

    private static final SampleReports SAMPLE = SampleReports.report()
            .policy("sts", "example.com", 100, 5)
            .failure("certificate-expired", "mx1.example.com", 5);

    private final ReportReader reader = new ReportReader(ReportReader.Limits.DEFAULT);

    /// Computed by another program from the serialisation that [ContentDigest] describes. Stored digests depend on it:
    /// another value needs another version.
    @Test
    void theDigestNeverChanges() {
        assertThat(digest(SAMPLE.json())).isEqualTo("3f12f96f61626ba1e5a9169377b967dfcc51d3cf3c2872f1d1864b39fc21f229");
    }

    @Test
    void spellingDoesNotMatter() {
        String json = SAMPLE.json();

        assertThat(List.of(
                        SAMPLE.prettyJson(),
                        json.replace(":100", ":\"100\"").replace(":5}", ":5.0}"),
                        json.replace("\"policy-domain\":\"example.com\"", "\"policy-domain\":\"Example.COM.\""),
                        json.replace("[\"mx1.example.com\"]", "\"MX1.example.com\""),
                        json.replace("\"policy-type\":\"sts\"", "\"x\":{},\"policy-type\":\"STS\""),
                        json.replace("{\"organization-name\":\"Google Inc.\",", "{")
                                .replace("]}", "],\"organization-name\":\"Google Inc.\"}")
                                .replace("],\"organization-name\":\"Google Inc.\"},\"summary", "]},\"summary")
                                .replace("],\"organization-name\":\"Google Inc.\"}]", "]}]"),
                        json.replace("00:00:00Z\",\"end", "00:00:00\",\"end"),
                        json.replace("\"failed-session-count\"", "\"receiving-mx-helo\":null,\"failed-session-count\""),
                        "\ufeff" + json + "\r\n\0"))
                .allSatisfy(same -> assertThat(digest(same)).isEqualTo(digest(json)));
    }

    @Test
    void everyMemberMatters() {
        String json = SAMPLE.json();
        Set<String> digests = new HashSet<>();
        List<String> variants = List.of(
                json,
                json.replace("Google Inc.", "Google"),
                json.replace("smtp-tls-reporting@", "tls@"),
                json.replace("Z_example.com", "Z_other.example"),
                json.replace("\"start-datetime\":\"2026-11-20T00:00:00Z", "\"start-datetime\":\"2026-11-20T00:00:01Z"),
                json.replace("23:59:59Z", "23:59:58Z"),
                json.replace("\"policy-type\":\"sts\"", "\"policy-type\":\"tlsa\""),
                json.replace("mode: enforce", "mode: testing"),
                json.replace("\"policy-domain\":\"example.com\"", "\"policy-domain\":\"example.org\""),
                json.replace("[\"mx1.example.com\"]", "[\"mx2.example.com\"]"),
                json.replace(":100", ":101"),
                json.replace("failure-session-count\":5", "failure-session-count\":6"),
                json.replace("certificate-expired", "certificate-not-trusted"),
                json.replace("192.0.2.25", "192.0.2.26"),
                json.replace("\"receiving-mx-hostname\":\"mx1", "\"receiving-mx-hostname\":\"mx2"),
                json.replace("\"receiving-mx-hostname\"", "\"receiving-mx-helo\""),
                json.replace("198.51.100.7", "198.51.100.8"),
                json.replace("failed-session-count\":5", "failed-session-count\":4"),
                json.replace("\"failed-session", "\"additional-information\":\"a\",\"failed-session"),
                json.replace("\"failed-session", "\"failure-reason-code\":\"a\",\"failed-session"));
        variants.forEach(variant -> digests.add(digest(variant)));

        assertThat(digests).hasSameSizeAs(variants);
    }

    @Test
    void longTextIsCountedWhole() {
        String first = SampleReports.report().id("x".repeat(60_000) + "a").json();
        String second = SampleReports.report().id("x".repeat(60_000) + "b").json();

        assertThat(digest(first)).isNotEqualTo(digest(second));
    }

    @Test
    void aReportWithoutIdIsIdentifiedByItsContent() {
        String json = SAMPLE.json().replaceFirst("\"report-id\":\"[^\"]*\",", "");

        assertThat(report(json).reportId())
                .matches("sha256:[0-9a-f]{64}")
                .isEqualTo(report(json.replace(",", ", ")).reportId())
                .isNotEqualTo(report(json.replace(":100", ":101")).reportId());
    }

    private String digest(String json) {
        return ContentDigest.sha256(report(json));
    }

    private TlsReport report(String json) {
        Reading reading = reader.read(json.getBytes(StandardCharsets.UTF_8));
        assertThat(reading).isInstanceOf(Reading.Read.class);
        return ((Reading.Read) reading).report();
    }
}
