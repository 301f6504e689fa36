package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.ingest.Dovecot;
import io.tlsrpt.mail.SampleMails;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.ReportHeaders;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A mailbox with three years of reports, on a real IMAP server, becomes events.
class MailboxMigrationIT {

    private static final int MAILS = 10_000;
    private static final int DAYS = 3 * 365;

    @TempDir
    Path data;

    private final LocalDate today = LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC);

    @Test
    void threeYearsOfReportsAreCountedOnceAndNotifyNobody() throws Exception {
        try (Dovecot dovecot = Dovecot.running()) {
            for (int i = 0; i < MAILS; i++) {
                LocalDate day = day(i);
                dovecot.deliver("INBOX", mail(i, day), stored(day), i % 2 == 0 ? "" : "S");
            }
            byte[] personal = "From: a@example.org\r\nSubject: tonight?\r\n\r\nShall we meet?\r\n"
                    .getBytes(StandardCharsets.US_ASCII);
            dovecot.deliver("INBOX", personal, stored(day(0)), "");

            long began = System.nanoTime();
            try (House house = House.start(data, settings(dovecot))) {
                await().atMost(Duration.ofMinutes(5))
                        .pollInterval(Duration.ofMillis(500))
                        .until(() -> marked(dovecot) == MAILS);
                Duration taken = Duration.ofNanos(System.nanoTime() - began);
                assertThat(house.judged(MAILS)).isEqualTo(Map.of("accepted", (long) MAILS));
                System.out.printf(
                        "%d mails of three years were taken %.1f s after the start and judged after %.1f s%n",
                        MAILS, taken.toMillis() / 1000.0, (System.nanoTime() - began) / 1e9);

                List<ConsumerRecord<byte[], byte[]>> raw = House.records(
                        house.standalone().bootstrapServers(), house.topics().raw());
                assertThat(raw).hasSize(MAILS).allSatisfy(record -> {
                    assertThat(header(record, "source")).isEqualTo("imap");
                    assertThat(header(record, "authentication")).isEqualTo("operator");
                    assertThat(header(record, "backfill")).isEqualTo("true");
                });
                assertThat(house.events().stream()
                                .filter(event -> event.totalSuccessfulSessionCount() != null)
                                .mapToLong(event -> Objects.requireNonNull(event.totalSuccessfulSessionCount()))
                                .sum())
                        .isEqualTo(100L * MAILS);
                assertThat(house.events()).allMatch(event -> Boolean.TRUE.equals(event.backfill()));
                assertThat(house.events().stream().map(Event::eventId).distinct())
                        .hasSize(house.events().size());
                assertThat(House.records(
                                house.standalone().bootstrapServers(),
                                house.topics().rejected()))
                        .isEmpty();
                assertThat(House.records(
                                house.standalone().bootstrapServers(),
                                house.topics().notifications()))
                        .isEmpty();
            }
            assertThat(dovecot.flags("INBOX").getLast()).as("somebody's mail").isEmpty();

            try (House again = House.start(data, settings(dovecot))) {
                dovecot.deliver("INBOX", mail(MAILS, day(0)), stored(day(0)), "");
                await().atMost(Duration.ofMinutes(1)).until(() -> marked(dovecot) == MAILS + 1);
                assertThat(House.records(
                                again.standalone().bootstrapServers(),
                                again.topics().raw()))
                        .as("a second run takes what is new and nothing else")
                        .hasSize(MAILS + 1);
            }
        }
    }

    private static String settings(Dovecot dovecot) {
        return """
                retention: 1500d
                mail:
                  smtp: {enabled: false}
                  mailboxes:
                    - name: reports
                      host: localhost
                      port: %d
                      ca-file: "%s"
                      user: %s
                      password: secret
                      backfill-before: %s
                """.formatted(
                        dovecot.tlsPort(),
                        dovecot.certificateFile(),
                        Dovecot.USER,
                        LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC));
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return String.valueOf(ReportHeaders.text(record.headers(), name));
    }

    private static long marked(Dovecot dovecot) throws Exception {
        return dovecot.flags("INBOX").stream().filter("Sa"::equals).count();
    }

    private LocalDate day(int i) {
        return today.minusDays(2 + (long) i * DAYS / MAILS % DAYS);
    }

    private static Instant stored(LocalDate day) {
        return day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
    }

    private static byte[] mail(int i, LocalDate day) {
        SampleReports report = SampleReports.report().id("r" + i).day(day);
        return SampleMails.report(
                report.gzip(), "noreply@google.com", "reports@example.com", "example.com", "google.com");
    }
}
