package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Message.Notice;
import io.tlsrpt.topics.Alert;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.time.temporal.IsoFields;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The week in numbers, for people who otherwise hear nothing when all is well. What it says is a pure function of it.
///
/// @param due when it was to be sent
/// @param reports what came in
/// @param refused documents and entries that were refused in these seven days, by reason
/// @param alerts latest state of all alerts
record WeeklyDigest(ZonedDateTime due, Reports reports, SortedMap<String, Long> refused, List<Alert> alerts) {

    private static final int LISTED = 10;
    private static final DateTimeFormatter MINUTE =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("EEE uuuu-MM-dd", Locale.ENGLISH);

    WeeklyDigest {
        refused = new TreeMap<>(refused);
        alerts = List.copyOf(alerts);
    }

    /// What the reports of the seven days before the day of the digest say.
    ///
    /// @param sessions of several policy types, which describe the same sessions, the most
    /// @param last when the last one came in; absent: none did
    record Reports(
            int domains,
            int reporters,
            long reports,
            long sessions,
            long failed,
            @Nullable Instant last) {}

    /// Where it gets its numbers from.
    interface Source {

        /// Takes seconds to minutes; an unchecked exception when it is not possible now.
        WeeklyDigest gather(ZonedDateTime due, List<Alert> alerts);
    }

    /// The first of the seven days, in UTC as all days of reports.
    static LocalDate from(ZonedDateTime due) {
        return LocalDate.ofInstant(due.toInstant(), ZoneOffset.UTC).minusDays(7);
    }

    /// Names the digest of a week, such as `digest-2026-W47`.
    static String incidentId(ZonedDateTime due) {
        return String.format(
                Locale.ROOT,
                "digest-%d-W%02d",
                due.get(IsoFields.WEEK_BASED_YEAR),
                due.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
    }

    Notice notice() {
        List<Alert> firing = alerts.stream()
                .filter(Alert::firing)
                .sorted(Comparator.comparing((Alert alert) -> Telling.severity(alert.severity()))
                        .reversed()
                        .thenComparing(Alert::openedAt)
                        .thenComparing(Alert::alertId))
                .toList();
        LocalDate from = from(due);
        StringBuilder text = new StringBuilder(
                "Reports about " + DAY.format(from) + " to " + DAY.format(from.plusDays(6)) + " (UTC)\n");
        line(text, "domains", reports.domains());
        line(text, "reporters", reports.reporters());
        line(text, "reports", reports.reports());
        line(text, "sessions", reports.sessions());
        line(
                text,
                "failed",
                number(reports.failed()) + " (" + AlertWording.percent(reports.failed(), reports.sessions()) + ")");
        Instant last = reports.last();
        line(text, "last report", last == null ? "none in these days" : MINUTE.format(last));
        line(
                text,
                "refused",
                refused.values().stream().mapToLong(Long::longValue).sum());
        refused.forEach((reason, count) -> line(text, "  " + reason, count));
        Instant end = due.toInstant();
        Instant begin = end.minus(Duration.ofDays(7));
        line(
                text,
                "alerts opened",
                count(begin, end, alerts.stream().map(Alert::openedAt).toList()));
        line(
                text,
                "alerts resolved",
                count(
                        begin,
                        end,
                        alerts.stream()
                                .flatMap(alert -> Stream.ofNullable(alert.resolvedAt()))
                                .toList()));
        list(
                text,
                "Silent reporters",
                firing.stream()
                        .filter(alert -> alert.rule().equals("reporter-silent"))
                        .map(WeeklyDigest::silent)
                        .toList());
        list(
                text,
                "Firing",
                firing.stream()
                        .map(alert -> alert.severity() + ": " + alert.summary())
                        .toList());
        return new Notice(
                incidentId(due),
                end.truncatedTo(ChronoUnit.SECONDS),
                "tlsrpt: week "
                        + due.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR) + ", "
                        + (firing.isEmpty() ? "no alert fires" : alertsFire(firing)),
                text.toString().stripTrailing());
    }

    private static String alertsFire(List<Alert> firing) {
        long critical = firing.stream()
                .filter(alert -> Telling.critical(alert.severity()))
                .count();
        return (firing.size() == 1 ? "1 alert fires" : firing.size() + " alerts fire")
                + (critical == 0 ? "" : ", " + critical + " critical");
    }

    private static String silent(Alert alert) {
        String reporter = alert.submitter() == null ? "unknown" : CleanText.of(alert.submitter(), 100);
        return alert.policyDomain() == null ? reporter : reporter + " about " + alert.policyDomain();
    }

    private static long count(Instant begin, Instant end, List<Instant> times) {
        return times.stream()
                .filter(time -> !time.isBefore(begin) && time.isBefore(end))
                .count();
    }

    private static void list(StringBuilder text, String title, List<String> lines) {
        if (lines.isEmpty()) {
            return;
        }
        text.append('\n').append(title).append(":\n");
        lines.stream()
                .limit(LISTED)
                .forEach(line -> text.append("- ").append(line).append('\n'));
        if (lines.size() > LISTED) {
            text.append("- and ").append(number(lines.size() - LISTED)).append(" more\n");
        }
    }

    private static void line(StringBuilder text, String name, long number) {
        line(text, name, number(number));
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(name).append(": ").append(value).append('\n');
    }

    private static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }
}
