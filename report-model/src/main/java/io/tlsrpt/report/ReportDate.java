package io.tlsrpt.report;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A date-time of a report (RFC 8460 §4.4, RFC 3339 §5.6), to the second, in the spellings that senders use.
final class ReportDate {

    /// Far more than any spelling needs; fractions may be of any length within it.
    private static final int MAX_LENGTH = 100;

    private static final BigDecimal FIRST_MILLISECONDS = BigDecimal.TEN.pow(11);
    private static final BigDecimal END_OF_TIME = new BigDecimal("253402300800000");

    private static final Pattern DATE_TIME = Pattern.compile("(\\d{4})-(\\d\\d)-(\\d\\d)"
            + "(?:([Tt _]) ?(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:[.,]\\d+)?)?"
            + "(?: ?([Zz]|UTC|GMT|[+-]\\d\\d(?::?\\d\\d)?))?)?");

    private static final Pattern NUMBER = Pattern.compile("-?\\d{1,18}(?:\\.\\d+)?(?:[eE][+]?\\d\\d?)?");

    /// Exactly RFC 3339 §5.6 with an upper- or lower-case `t` and `z`.
    private static final Pattern STRICT =
            Pattern.compile("[-\\d]{10}[Tt]\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:[Zz]|[+-]\\d\\d:\\d\\d)");

    private ReportDate() {}

    /// @return null when the text is no date-time
    static @Nullable Instant read(String text, Set<Leniency> leniencies) {
        String date = text.strip();
        if (date.length() > MAX_LENGTH) {
            return null;
        }
        if (date.length() == 20 && date.charAt(19) == 'Z' && !date.startsWith("24:", 11)) {
            Instant usual = usual(date);
            if (usual != null) {
                return usual;
            }
        }
        if (NUMBER.matcher(date).matches()) {
            return epoch(new BigDecimal(date), leniencies);
        }
        Matcher parts = DATE_TIME.matcher(date);
        if (!parts.matches()) {
            return null;
        }
        try {
            Instant instant = instant(parts);
            if (parts.group(8) == null) {
                leniencies.add(Leniency.DATE_WITHOUT_ZONE);
            }
            if (!STRICT.matcher(parts.group(8) == null ? date + "Z" : date).matches() || number(parts, 5) == 24) {
                leniencies.add(Leniency.DATE_SPELLING);
            }
            return instant;
        } catch (DateTimeException noSuchDay) {
            return null;
        }
    }

    /// `2026-11-20T00:00:00Z`, which nearly all are, without a regular expression.
    private static @Nullable Instant usual(String date) {
        try {
            return Instant.parse(date);
        } catch (DateTimeException other) {
            return null;
        }
    }

    private static Instant instant(Matcher parts) {
        long day = LocalDate.of(number(parts, 1), number(parts, 2), number(parts, 3))
                .toEpochDay();
        int hour = number(parts, 5);
        int minute = number(parts, 6);
        // A leap second has no place in UTC as Java keeps it.
        int second = Math.min(number(parts, 7), 59);
        boolean midnightAtTheEnd = hour == 24 && minute == 0 && second == 0;
        if ((hour > 23 && !midnightAtTheEnd) || minute > 59 || number(parts, 7) > 60) {
            throw new DateTimeException("no such time of day");
        }
        return Instant.ofEpochSecond(day * 86_400 + hour * 3_600L + minute * 60L + second - offset(parts.group(8)));
    }

    private static int offset(@Nullable String zone) {
        if (zone == null || (zone.charAt(0) != '+' && zone.charAt(0) != '-')) {
            return 0;
        }
        return ZoneOffset.of(zone).getTotalSeconds();
    }

    private static @Nullable Instant epoch(BigDecimal number, Set<Leniency> leniencies) {
        if (number.abs().compareTo(END_OF_TIME) >= 0) {
            return null;
        }
        boolean milliseconds = number.abs().compareTo(FIRST_MILLISECONDS) >= 0;
        BigDecimal seconds = milliseconds ? number.movePointLeft(3) : number;
        leniencies.add(Leniency.DATE_AS_EPOCH);
        return Instant.ofEpochSecond(seconds.setScale(0, RoundingMode.FLOOR).longValueExact());
    }

    private static int number(Matcher parts, int group) {
        String digits = parts.group(group);
        return digits == null ? 0 : Integer.parseInt(digits);
    }
}
