package io.tlsrpt.standalone;

import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Event;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Sums of events and of aggregates in one form, so that they can be compared with each other and with another
/// program's.
///
/// @param cells "day domain policy-type submitter" → successful, failed, entries
/// @param failures "day domain policy-type submitter result-type mx" → sessions
public record Sums(Map<String, List<Long>> cells, Map<String, Long> failures) {

    public static Sums ofAggregates(Collection<Aggregate> aggregates) {
        Map<String, List<Long>> cells = new TreeMap<>();
        Map<String, Long> failures = new TreeMap<>();
        for (Aggregate cell : aggregates) {
            String name = name(cell.window(), cell.policyDomain(), cell.policyType(), cell.submitter());
            add(cells, name, cell.totalSuccessfulSessionCount(), cell.totalFailureSessionCount(), cell.reportCount());
            for (Aggregate.Failure failure : cell.failures()) {
                add(failures, name, failure.resultType(), failure.receivingMxHostname(), failure.failedSessionCount());
            }
        }
        return cleaned(cells, failures);
    }

    /// Adding every event up as it comes.
    public static Sums byAppending(List<Event> events) {
        Map<String, List<Long>> cells = new TreeMap<>();
        Map<String, Long> failures = new TreeMap<>();
        for (Event event : events) {
            String name = name(
                    LocalDate.ofInstant(event.startDatetime(), ZoneOffset.UTC),
                    event.policyDomain(),
                    event.policyType(),
                    event.submitter());
            if (event.isSummary()) {
                add(
                        cells,
                        name,
                        or0(event.totalSuccessfulSessionCount()),
                        or0(event.totalFailureSessionCount()),
                        event.isRetraction() ? -1 : 1);
            } else {
                add(
                        failures,
                        name,
                        String.valueOf(event.resultType()),
                        event.receivingMxHostname(),
                        or0(event.failedSessionCount()));
            }
        }
        return cleaned(cells, failures);
    }

    /// A consumer that keeps the latest event of each id.
    public static Sums byUpserting(List<Event> events) {
        Map<String, Event> byId = new LinkedHashMap<>();
        events.forEach(event -> byId.put(event.eventId(), event));
        return byAppending(List.copyOf(byId.values()));
    }

    /// A consumer that keeps the first event of each id.
    public static Sums byFirstSeen(List<Event> events) {
        Map<String, Event> byId = new LinkedHashMap<>();
        events.forEach(event -> byId.putIfAbsent(event.eventId(), event));
        return byAppending(List.copyOf(byId.values()));
    }

    private static Sums cleaned(Map<String, List<Long>> cells, Map<String, Long> failures) {
        cells.values().removeIf(cell -> cell.stream().allMatch(count -> count == 0));
        failures.values().removeIf(count -> count == 0);
        return new Sums(cells, failures);
    }

    private static void add(Map<String, List<Long>> cells, String name, long successful, long failed, long entries) {
        cells.merge(
                name,
                List.of(successful, failed, entries),
                (a, b) -> List.of(a.get(0) + b.get(0), a.get(1) + b.get(1), a.get(2) + b.get(2)));
    }

    private static void add(
            Map<String, Long> failures,
            String cell,
            String resultType,
            @org.jspecify.annotations.Nullable String mx,
            long sessions) {
        failures.merge(cell + " " + resultType + " " + (mx == null ? "" : mx), sessions, Long::sum);
    }

    private static String name(LocalDate day, String domain, String policyType, String submitter) {
        return day + " " + domain + " " + policyType + " " + submitter;
    }

    private static long or0(@org.jspecify.annotations.Nullable Long count) {
        return count == null ? 0 : count;
    }
}
