package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert.Evidence;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Rule 5: who is silent, at one moment. A pure function of who wrote when; the same however often it is asked.
///
/// The widest statement that is true is made: a reporter that is silent about most of its domains is one alert, and so
/// is a domain of which all are silent, in place of one for each pair. `intake-broken` stands beside them.
final class Silence {

    /// Days of 28 of which a reporter that misses one is worth a warning, and by which intake is judged.
    static final int FAITHFUL = 25;

    private static final Duration LEAST_GRACE = Duration.ofHours(36);
    private static final Duration GRACE_BEYOND_USUAL = Duration.ofHours(12);
    private static final double CHANCE = 0.005;
    private static final int LEAST_MISSING = 2;
    private static final int MOST_MISSING = 14;

    /// Who has been silent for longer is gone, not silent.
    private static final int GONE = 31;

    private static final int DOMAINS_OF_A_SILENT_REPORTER = 3;
    /// With fewer days of 28 nobody is missed.
    static final int REGULAR = 10;

    private static final int EXPECTED = 5;
    private static final int MOST_LISTED = 100;

    /// What is kept of a reporter and a domain.
    ///
    /// @param refused reports of it about the domain that were refused since the newest that was not
    /// @param reason of the last of them
    record Known(Presence presence, int refused, @Nullable String reason) {

        Known(Presence presence) {
            this(presence, 0, null);
        }
    }

    /// A time in which nobody listened here, so that nobody knows who was silent.
    record Nap(Instant from, Instant to) {}

    /// The newest day about which anybody wrote, regular or not.
    ///
    /// @param trusted by a trusted report
    /// @param any by whatever report
    record Heard(LocalDate trusted, LocalDate any) {

        static final Heard NOTHING = new Heard(LocalDate.EPOCH, LocalDate.EPOCH);

        Heard and(Presence presence) {
            LocalDate newest = presence.newest();
            return new Heard(
                    presence.trusted() && newest.isAfter(trusted) ? newest : trusted,
                    newest.isAfter(any) ? newest : any);
        }
    }

    /// A reporter and a domain it writes about regularly.
    ///
    /// @param days with a report, of the 28 up to the newest
    /// @param missing days whose report is overdue
    /// @param needed so many missing days are no chance any more
    record Pair(Known known, int days, LocalDate lastDue, int missing, int needed) {

        String domain() {
            return known.presence().policyDomain();
        }

        String submitter() {
            return known.presence().submitter();
        }

        boolean trusted() {
            return known.presence().trusted();
        }

        boolean silent() {
            return missing >= needed;
        }

        boolean faithful() {
            return days >= FAITHFUL;
        }

        LocalDate newest() {
            return known.presence().newest();
        }

        LocalDate firstMissing() {
            return newest().plusDays(1);
        }

        /// Chance of so many days without a report, if nothing had changed.
        double chance() {
            return Math.pow(1 - (days + 1) / 30.0, missing);
        }
    }

    private final BiPredicate<Rule, String> judged;
    private final Heard heard;
    private final LocalDate lastDayDue;
    private final List<Pair> pairs = new ArrayList<>();
    private final Map<String, List<Pair>> byReporter = new TreeMap<>();
    private final Map<String, List<Pair>> byDomain = new TreeMap<>();
    private final Map<String, Claim> claims = new LinkedHashMap<>();

    /// Of every reporter and domain, regular or not: what trusted reports say, where there are any.
    private final Map<String, Presence> written = new TreeMap<>();

    /// @param all of domains of ours
    /// @param judged whether a rule judges a domain
    Silence(Collection<Known> all, Heard heard, List<Nap> naps, BiPredicate<Rule, String> judged, Instant now) {
        this.judged = judged;
        this.heard = heard;
        this.lastDayDue = lastDue(now, 0);
        Map<String, Pair> chosen = new TreeMap<>();
        for (Known known : all) {
            Presence presence = known.presence();
            written.merge(
                    StoreKey.of(presence.policyDomain(), presence.submitter()),
                    presence,
                    (one, other) -> one.trusted() ? one : other);
            LocalDate lastDue = lastDue(now, presence.delayHours());
            boolean gone = presence.newest().plusDays(GONE).isBefore(lastDue);
            if (presence.regularity() >= REGULAR && !gone) {
                Pair pair = new Pair(
                        known,
                        presence.regularity(),
                        lastDue,
                        missing(presence, lastDue, naps),
                        needed(presence.regularity()));
                chosen.merge(
                        StoreKey.of(presence.policyDomain(), presence.submitter()),
                        pair,
                        (one, other) -> one.trusted() ? one : other);
            }
        }
        for (Pair pair : chosen.values()) {
            pairs.add(pair);
            if (judged.test(Rule.REPORTER_SILENT, pair.domain())) {
                byReporter
                        .computeIfAbsent(pair.submitter(), absent -> new ArrayList<>())
                        .add(pair);
            }
            byDomain.computeIfAbsent(pair.domain(), absent -> new ArrayList<>()).add(pair);
        }
        intake();
        byReporter.forEach(this::reporter);
        byDomain.forEach(this::domain);
        pairs.forEach(this::pair);
    }

    /// So many missing days have a chance of half a percent at most where a report came on `days` of 28.
    static int needed(int days) {
        double p = (days + 1) / 30.0;
        return Math.clamp((int) Math.ceil(Math.log(CHANCE) / Math.log(1 - p)), LEAST_MISSING, MOST_MISSING);
    }

    /// When the report about a day is overdue.
    static Instant due(LocalDate day, int delayHours) {
        return Incident.end(day).plus(grace(delayHours));
    }

    /// The last day whose report is overdue.
    static LocalDate lastDue(Instant now, int delayHours) {
        return LocalDate.ofInstant(now.minus(grace(delayHours)), ZoneOffset.UTC).minusDays(1);
    }

    private static Duration grace(int delayHours) {
        Duration usual = Duration.ofHours(delayHours).plus(GRACE_BEYOND_USUAL);
        return usual.compareTo(LEAST_GRACE) > 0 ? usual : LEAST_GRACE;
    }

    /// Overdue days, without those that nobody could have heard of.
    private static int missing(Presence presence, LocalDate lastDue, List<Nap> naps) {
        int missing = 0;
        for (LocalDate day = presence.newest().plusDays(1); !day.isAfter(lastDue); day = day.plusDays(1)) {
            Instant from = Incident.end(day);
            Instant to = due(day, presence.delayHours());
            missing += naps.stream()
                            .anyMatch(nap -> nap.from().isBefore(to) && nap.to().isAfter(from))
                    ? 0
                    : 1;
        }
        return missing;
    }

    /// What holds, by alert-id.
    Map<String, Claim> claims() {
        return claims;
    }

    /// Why an alert that fires holds no more.
    Ending ending(Standing standing) {
        String submitter = standing.submitter;
        String domain = standing.policyDomain;
        List<Pair> concerned = pairs.stream()
                .filter(pair -> (submitter == null || pair.submitter().equals(submitter))
                        && (domain == null || pair.domain().equals(domain)))
                .toList();
        if (domain != null && !concerned.isEmpty() && concerned.stream().allMatch(Pair::silent)) {
            return new Ending(Resolution.RETRACTED, "now part of a wider alert");
        }
        return arrivesAgain(standing)
                ? new Ending(Resolution.RECOVERED, "reports arrive again")
                : new Ending(Resolution.STALE, "no longer expected, not a recovery");
    }

    /// Whether of those who were missed one has written about a day since; where all intake was in doubt, half of them.
    private boolean arrivesAgain(Standing standing) {
        Evidence evidence = standing.claim.evidence();
        List<String> submitters = Objects.requireNonNullElse(evidence.submitters(), List.of());
        List<String> domains = Objects.requireNonNullElse(evidence.affectedDomains(), List.of());
        List<Presence> missed = written.values().stream()
                .filter(presence ->
                        submitters.contains(presence.submitter()) && domains.contains(presence.policyDomain()))
                .toList();
        long back = missed.stream()
                .filter(presence -> !presence.newest().isBefore(evidence.window()))
                .count();
        return back > 0 && (standing.rule != Rule.INTAKE_BROKEN || 2 * back >= missed.size());
    }

    record Ending(Resolution why, String words) {}

    private void claim(Claim claim) {
        claims.put(claim.alertId(), claim);
    }

    private void intake() {
        Claim trusted = intake(Pair::trusted, heard.trusted(), Severity.CRITICAL);
        Claim any = trusted != null ? trusted : intake(pair -> true, heard.any(), Severity.WARNING);
        if (any != null) {
            claim(any);
        }
    }

    private @Nullable Claim intake(Predicate<Pair> counted, LocalDate last, Severity severity) {
        List<Pair> expected =
                pairs.stream().filter(counted).filter(Pair::faithful).toList();
        if (expected.isEmpty()) {
            return null;
        }
        int enough = Math.max(EXPECTED, Math.ceilDiv(expected.size(), 2));
        LocalDate day = expected.stream()
                .map(Pair::lastDue)
                .sorted(Comparator.reverseOrder())
                .skip(enough - 1L)
                .findFirst()
                .orElse(null);
        if (day != null) {
            List<Pair> due = expected.stream()
                    .filter(pair -> !pair.lastDue().isBefore(day))
                    .toList();
            List<Pair> missing = due.stream()
                    .filter(pair -> pair.missing() > 0 && pair.newest().isBefore(day))
                    .toList();
            if (2 * missing.size() >= due.size() && submitters(missing).size() > 1) {
                return intake(
                        "half",
                        missing,
                        severity,
                        "hardly any report comes in: " + missing.size() + " of " + due.size()
                                + " that were expected for " + day + " are missing, of "
                                + submitters(missing).size() + " reporters");
            }
        }
        boolean total = !last.plusDays(LEAST_MISSING).isAfter(lastDayDue)
                && expected.stream().allMatch(pair -> pair.missing() >= LEAST_MISSING)
                && expected.stream().anyMatch(Pair::silent);
        return total
                ? intake(
                        "total",
                        expected,
                        severity,
                        "no report has come in at all since the one for " + last + ", not from "
                                + names(submitters(expected)))
                : null;
    }

    private static Claim intake(String branch, List<Pair> missing, Severity severity, String trouble) {
        LocalDate since = missing.stream()
                .map(Pair::firstMissing)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        return new Claim(
                Rule.INTAKE_BROKEN,
                null,
                null,
                null,
                null,
                severity,
                trouble + refused(missing) + ": look at the rua address, the mailbox, intake and its certificate",
                evidence(since, branch, null, missing));
    }

    private void reporter(String submitter, List<Pair> all) {
        List<Pair> silent = all.stream().filter(Pair::silent).toList();
        if (!wide(all)) {
            return;
        }
        LocalDate since = silent.stream()
                .map(Pair::firstMissing)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        claim(new Claim(
                Rule.REPORTER_SILENT,
                null,
                null,
                null,
                submitter,
                Severity.WARNING,
                "no report from " + shown(submitter) + " about " + silent.size() + " of " + all.size()
                        + " domains since " + since + refused(silent),
                evidence(since, null, null, silent)));
    }

    /// Whether a reporter is silent as such.
    private static boolean wide(List<Pair> all) {
        long silent = all.stream().filter(Pair::silent).count();
        return silent >= DOMAINS_OF_A_SILENT_REPORTER && 2 * silent >= all.size();
    }

    private boolean wide(String submitter) {
        return wide(byReporter.getOrDefault(submitter, List.of()));
    }

    /// A domain with one reporter alone, which is silent everywhere, is not to blame.
    private boolean silentDomain(String domain) {
        List<Pair> all = byDomain.getOrDefault(domain, List.of());
        return judged.test(Rule.DOMAIN_SILENT, domain)
                && all.stream().allMatch(Pair::silent)
                && (all.size() > 1 || !wide(all.getFirst().submitter()));
    }

    private void domain(String domain, List<Pair> all) {
        if (!silentDomain(domain)) {
            return;
        }
        LocalDate since = all.stream()
                .map(Pair::firstMissing)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        String who = all.size() == 1
                ? "from " + shown(all.getFirst().submitter()) + ", its only regular reporter,"
                : "from any of its " + all.size() + " regular reporters";
        claim(new Claim(
                Rule.DOMAIN_SILENT,
                null,
                domain,
                null,
                null,
                Severity.WARNING,
                "no report about " + domain + " " + who + " since " + since + refused(all)
                        + ": check the TXT record _smtp._tls." + domain,
                evidence(since, null, null, all)));
    }

    private void pair(Pair pair) {
        if (!pair.silent()
                || !judged.test(Rule.REPORTER_SILENT, pair.domain())
                || wide(pair.submitter())
                || silentDomain(pair.domain())) {
            return;
        }
        claim(new Claim(
                Rule.REPORTER_SILENT,
                null,
                pair.domain(),
                null,
                pair.submitter(),
                pair.trusted() && pair.faithful() ? Severity.WARNING : Severity.INFO,
                "no report from " + shown(pair.submitter()) + " about " + pair.domain() + " since "
                        + pair.firstMissing() + ", " + pair.missing() + " days overdue; it wrote on " + pair.days()
                        + " of 28 days before" + refused(List.of(pair)),
                evidence(pair.firstMissing(), null, pair.chance(), List.of(pair))));
    }

    /// What was refused is not silence.
    private static String refused(List<Pair> pairs) {
        int refused = pairs.stream().mapToInt(pair -> pair.known().refused()).sum();
        if (refused == 0) {
            return "";
        }
        Set<String> reasons = new TreeSet<>();
        pairs.forEach(pair -> {
            if (pair.known().reason() != null) {
                reasons.add(pair.known().reason());
            }
        });
        return "; not silent: " + refused + (refused == 1 ? " has" : " have") + " arrived in "
                + (pairs.size() == 1 ? "its" : "their") + " name and been refused (" + String.join(", ", reasons) + ")";
    }

    private static Evidence evidence(
            LocalDate since, @Nullable String branch, @Nullable Double chance, List<Pair> silent) {
        Set<String> domains = new LinkedHashSet<>();
        silent.forEach(pair -> domains.add(pair.domain()));
        return new Evidence(
                since,
                branch,
                0,
                0,
                0,
                0,
                chance,
                submitters(silent).stream().limit(MOST_LISTED).toList(),
                null,
                null,
                domains.stream().limit(MOST_LISTED).toList(),
                domains.size());
    }

    private static Set<String> submitters(List<Pair> pairs) {
        Set<String> submitters = new TreeSet<>();
        pairs.forEach(pair -> submitters.add(pair.submitter()));
        return submitters;
    }

    private static String names(Set<String> submitters) {
        List<String> named = submitters.stream().limit(3).map(Silence::shown).toList();
        return String.join(", ", named) + (submitters.size() > named.size() ? ", …" : "");
    }

    private static String shown(String name) {
        return CleanText.of(name, 100);
    }
}
