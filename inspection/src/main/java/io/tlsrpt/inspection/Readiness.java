package io.tlsrpt.inspection;

import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Inspection;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Whether the MTA-STS policy of a domain may go from mode testing to mode enforce (RFC 8461 §5): what reporters saw in
/// the last 30 days, and what the domain shows now. Pure.
///
/// @param conditions each decides with the others: one that is unmet forbids, one that is unknown delays
/// @param failures what failed in those days, most sessions first
public record Readiness(List<Condition> conditions, List<Failing> failures) {

    /// The days that are looked at, today included.
    public static final int DAYS_LOOKED_AT = 30;

    private static final int DAYS = 14;
    private static final int REPORTERS = 2;
    private static final long SESSIONS = 100;
    private static final int QUIET_DAYS = 7;

    /// One failed session in so many is noise: a broken connection, a reporter's own trouble.
    private static final long NOISE = 1_000;

    public Readiness {
        conditions = List.copyOf(conditions);
        failures = List.copyOf(failures);
    }

    /// What it comes to.
    public enum Verdict {
        READY,
        NOT_READY,
        NOT_ENOUGH_DATA;

        /// `ready`, `not-ready`, `not-enough-data`.
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /// How a condition stands.
    public enum State {
        MET,
        UNMET,
        UNKNOWN;

        /// `met`, `unmet`, `unknown`.
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// @param words with its numbers
    public record Condition(String name, State state, String words) {}

    /// Failed sessions of one result type at one MX.
    ///
    /// @param mx absent when no detail names one
    public record Failing(String resultType, @Nullable String mx, long sessions, LocalDate lastDay) {}

    /// @param cells of the domain; those about another policy type, and those that nobody vouches for, do not count
    /// @param live what the domain shows now; absent when nobody has looked
    /// @param today the UTC day
    public static Readiness of(List<Aggregate> cells, @Nullable Inspection live, LocalDate today) {
        List<Aggregate> counted = cells.stream()
                .filter(cell -> counts(cell.policyType(), cell.authentication()))
                .toList();
        List<Condition> conditions =
                new ArrayList<>(List.of(days(counted), reporters(counted), sessions(counted), quiet(counted, today)));
        conditions.addAll(shown(live));
        return new Readiness(conditions, failing(counted));
    }

    /// Whether a cell counts, by its key.
    public static boolean counts(String policyType, String authentication) {
        return policyType.equals("sts") && !authentication.equals("none");
    }

    /// The same reports with another look at the domain.
    public Readiness with(Inspection look) {
        List<Condition> shown = shown(look);
        Set<String> names = shown.stream().map(Condition::name).collect(Collectors.toSet());
        return new Readiness(
                Stream.concat(
                                conditions.stream().filter(condition -> !names.contains(condition.name())),
                                shown.stream())
                        .toList(),
                failures);
    }

    /// The worst of its conditions.
    public Verdict verdict() {
        if (conditions.stream().anyMatch(condition -> condition.state() == State.UNMET)) {
            return Verdict.NOT_READY;
        }
        return conditions.stream().anyMatch(condition -> condition.state() == State.UNKNOWN)
                ? Verdict.NOT_ENOUGH_DATA
                : Verdict.READY;
    }

    private static List<Condition> shown(@Nullable Inspection live) {
        return live == null
                ? Stream.of("policy", "mx", "tls")
                        .map(name -> new Condition(name, State.UNKNOWN, "nobody has looked at the domain lately"))
                        .toList()
                : List.of(policy(live), covered(live), presented(live));
    }

    private static Condition enough(String name, long found, long needed, String what) {
        return new Condition(
                name,
                found >= needed ? State.MET : State.UNKNOWN,
                String.format(Locale.ROOT, "%,d %s; at least %,d are needed", found, what, needed));
    }

    private static Condition days(List<Aggregate> cells) {
        return enough(
                "days",
                cells.stream().map(Aggregate::window).distinct().count(),
                DAYS,
                "days with reports that are vouched for");
    }

    private static Condition reporters(List<Aggregate> cells) {
        List<String> reporters =
                cells.stream().map(Aggregate::submitter).distinct().sorted().toList();
        return enough(
                "reporters",
                reporters.size(),
                REPORTERS,
                "reporters" + (reporters.isEmpty() ? "" : " (" + firstOf(reporters) + ")"));
    }

    private static String firstOf(List<String> many) {
        return String.join(", ", many.subList(0, Math.min(5, many.size()))) + (many.size() > 5 ? ", …" : "");
    }

    private static Condition sessions(List<Aggregate> cells) {
        return enough("sessions", all(cells), SESSIONS, "sessions with MTA-STS");
    }

    private static long all(List<Aggregate> cells) {
        return cells.stream()
                .mapToLong(cell -> cell.totalSuccessfulSessionCount() + cell.totalFailureSessionCount())
                .sum();
    }

    private static Condition quiet(List<Aggregate> cells, LocalDate today) {
        List<Aggregate> late = cells.stream()
                .filter(cell -> cell.window().isAfter(today.minusDays(QUIET_DAYS + 1)))
                .toList();
        long sessions = all(late);
        long failed =
                late.stream().mapToLong(Aggregate::totalFailureSessionCount).sum();
        if (sessions == 0) {
            return new Condition(
                    "failures", State.UNKNOWN, "no session was reported in the last " + QUIET_DAYS + " days");
        }
        Optional<LocalDate> last = late.stream()
                .filter(cell -> cell.totalFailureSessionCount() > 0)
                .map(Aggregate::window)
                .max(Comparator.naturalOrder());
        return new Condition(
                "failures",
                failed * NOISE < sessions ? State.MET : State.UNMET,
                String.format(
                        Locale.ROOT,
                        "%,d of %,d sessions failed in the last %d days%s; less than one in %,d is noise",
                        failed,
                        sessions,
                        QUIET_DAYS,
                        last.map(day -> ", last on " + day).orElse(""),
                        NOISE));
    }

    private static Condition policy(Inspection live) {
        Inspection.MtaSts sts = live.mtaSts();
        String record = sts == null ? "unknown" : sts.state();
        String policy = sts == null ? "unknown" : Objects.requireNonNullElse(sts.policyState(), "absent");
        if (record.equals("unknown") || policy.equals("unknown")) {
            return new Condition("policy", State.UNKNOWN, "the live policy could not be looked at");
        }
        if (!record.equals("published") || !policy.equals("valid")) {
            return new Condition("policy", State.UNMET, "the record is " + record + ", the policy " + policy);
        }
        String mode = sts == null ? "" : Objects.requireNonNullElse(sts.mode(), "");
        return switch (mode) {
            case "testing" -> new Condition("policy", State.MET, "valid, mode testing");
            case "enforce" -> new Condition("policy", State.UNMET, "valid, and in mode enforce already");
            default ->
                new Condition(
                        "policy",
                        State.UNMET,
                        "valid, but mode " + mode + ": go to testing first, and read its reports");
        };
    }

    private static Condition covered(Inspection live) {
        List<Inspection.Mx> hosts = hosts(live);
        if (hosts.isEmpty()) {
            return new Condition("mx", State.UNKNOWN, "no MX host was found");
        }
        List<String> missing = hosts.stream()
                .filter(host -> Boolean.FALSE.equals(host.coveredByPolicy()))
                .map(Inspection.Mx::host)
                .toList();
        if (!missing.isEmpty()) {
            return new Condition("mx", State.UNMET, "the policy does not cover " + firstOf(missing));
        }
        return hosts.stream().allMatch(host -> Boolean.TRUE.equals(host.coveredByPolicy()))
                ? new Condition("mx", State.MET, "the policy covers all MX hosts (" + hosts.size() + ")")
                : new Condition("mx", State.UNKNOWN, "without a valid policy no MX host is covered by one");
    }

    private static Condition presented(Inspection live) {
        List<String> bad = new ArrayList<>();
        List<String> unseen = new ArrayList<>();
        int good = 0;
        for (Inspection.Mx host : hosts(live)) {
            List<Inspection.Address> addresses = Objects.requireNonNullElse(host.addresses(), List.of());
            if (addresses.isEmpty()) {
                unseen.add(host.host() + " has no address");
            }
            for (Inspection.Address address : addresses) {
                String who = host.host() + " " + address.ip();
                if (address.starttls().equals("unknown")) {
                    unseen.add(who + " (" + Objects.requireNonNullElse(address.detail(), "not reached") + ")");
                } else if (!address.starttls().equals("offered")) {
                    bad.add(who + " (STARTTLS " + address.starttls() + ")");
                } else if (!"valid".equals(address.pkix())) {
                    bad.add(who + " (" + Objects.requireNonNullElse(address.pkix(), "no certificate") + ")");
                } else {
                    good++;
                }
            }
        }
        if (!bad.isEmpty()) {
            return new Condition("tls", State.UNMET, "senders would not deliver to " + firstOf(bad));
        }
        if (!unseen.isEmpty()) {
            return new Condition("tls", State.UNKNOWN, "not seen: " + firstOf(unseen));
        }
        return good == 0
                ? new Condition("tls", State.UNKNOWN, "no MX host was found")
                : new Condition("tls", State.MET, "STARTTLS with a valid certificate on all addresses (" + good + ")");
    }

    private static List<Inspection.Mx> hosts(Inspection live) {
        return Objects.requireNonNullElse(live.mx(), List.of());
    }

    private static List<Failing> failing(List<Aggregate> cells) {
        record Place(String resultType, @Nullable String mx) {}
        Map<Place, Failing> places = new HashMap<>();
        for (Aggregate cell : cells) {
            for (Aggregate.Failure failure : cell.failures()) {
                places.merge(
                        new Place(failure.resultType(), failure.receivingMxHostname()),
                        new Failing(
                                failure.resultType(),
                                failure.receivingMxHostname(),
                                failure.failedSessionCount(),
                                cell.window()),
                        (one, other) -> new Failing(
                                one.resultType(),
                                one.mx(),
                                one.sessions() + other.sessions(),
                                one.lastDay().isAfter(other.lastDay()) ? one.lastDay() : other.lastDay()));
            }
        }
        return places.values().stream()
                .sorted(Comparator.comparingLong(Failing::sessions)
                        .reversed()
                        .thenComparing(Failing::resultType)
                        .thenComparing(failing -> String.valueOf(failing.mx())))
                .toList();
    }
}
