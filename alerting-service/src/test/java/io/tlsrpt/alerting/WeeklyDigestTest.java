package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Alert;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class WeeklyDigestTest {

    private static final ZonedDateTime DUE = ZonedDateTime.parse("2026-11-23T08:00:00+01:00[Europe/Berlin]");

    @Test
    void aWeekInWhichAllIsWell() {
        WeeklyDigest digest = new WeeklyDigest(
                DUE,
                new WeeklyDigest.Reports(12, 5, 84, 12_345, 17, Instant.parse("2026-11-23T03:10:20Z")),
                new TreeMap<>(),
                List.of());

        assertThat(digest.notice().id()).isEqualTo("digest-2026-W48");
        assertThat(digest.notice().title()).isEqualTo("tlsrpt: week 48, no alert fires");
        assertThat(digest.notice().text()).isEqualTo("""
                Reports about Mon 2026-11-16 to Sun 2026-11-22 (UTC)
                domains: 12
                reporters: 5
                reports: 84
                sessions: 12,345
                failed: 17 (0.14 %)
                last report: 2026-11-23 03:10 UTC
                refused: 0
                alerts opened: 0
                alerts resolved: 0""");
    }

    @Test
    void aWeekOfTrouble() {
        Alert expired = SampleAlerts.critical().alert();
        Alert over = SampleAlerts.warning()
                .id("a2")
                .resolved(Instant.parse("2026-11-22T00:00:00Z"))
                .alert();
        WeeklyDigest digest = new WeeklyDigest(
                DUE,
                new WeeklyDigest.Reports(0, 0, 0, 0, 0, null),
                new TreeMap<>(Map.of("not-json", 1L, "foreign-domain", 3L)),
                List.of(over, expired));

        assertThat(digest.notice().title()).isEqualTo("tlsrpt: week 48, 1 alert fires, 1 critical");
        assertThat(digest.notice().text()).isEqualTo("""
                Reports about Mon 2026-11-16 to Sun 2026-11-22 (UTC)
                domains: 0
                reporters: 0
                reports: 0
                sessions: 0
                failed: 0 (0 %%)
                last report: none in these days
                refused: 4
                  foreign-domain: 3
                  not-json: 1
                alerts opened: 2
                alerts resolved: 1

                Firing:
                - critical: %s""".formatted(expired.summary()));
    }

    @Test
    void theWeekIsNamedAfterTheDayInTheZoneOfItsReaders() {
        assertThat(WeeklyDigest.incidentId(ZonedDateTime.parse("2027-01-01T08:00:00+01:00[Europe/Berlin]")))
                .isEqualTo("digest-2026-W53");
    }
}
