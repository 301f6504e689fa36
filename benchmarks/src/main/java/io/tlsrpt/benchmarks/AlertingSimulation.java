package io.tlsrpt.benchmarks;

import io.tlsrpt.alerting.Replay;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Alert;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// How often the rules cry wolf, and what they miss: detection in memory over simulated reports, with faults put in on
/// purpose. Everything follows from the seeds, which are printed.
///
/// A key is a domain with an MX of its own. Sessions a day are log-normal, from 1 to a million; four reporters of
/// different size; one session in 50,000 fails by chance, one key-day in a thousand has a burst at one reporter, and
/// each
/// reporter has one bad day on which 2 % of all it does fails everywhere. One report in twenty is one to three days
/// late,
/// one in a hundred five days and more. Faults last 6 to 72 hours and hit all sessions or those of one backend.
@Command(name = "alerting-simulation", mixinStandardHelpOptions = true, description = "False pages and missed faults.")
final class AlertingSimulation implements Callable<Integer> {

    private static final LocalDate FIRST_DAY = LocalDate.parse("2026-01-01");
    private static final String EXPIRED = "certificate-expired";
    private static final String STARTTLS = "starttls-not-supported";
    private static final List<Reporter> REPORTERS = List.of(
            new Reporter("google.example", 0.55, 10),
            new Reporter("microsoft.example", 0.25, 20),
            new Reporter("mailru.example", 0.15, 2),
            new Reporter("comcast.example", 0.05, 6));

    private static final double CHANCE = 2e-5;
    private static final double BURST = 0.001;
    private static final double BAD_DAY_SHARE = 0.02;
    private static final double FAULTY_KEYS = 0.1;
    private static final int HISTORY = 30;
    private static final double MOST_FALSE_PAGES = 3;
    private static final double SMALLEST_FAULT = 6;
    private static final double[] SIZES = {0, 2, 6, 20, 100, 1_000, 10_000, Double.MAX_VALUE};

    @Option(names = "--seeds", paramLabel = "N", description = "Runs, ${DEFAULT-VALUE} by default.")
    private int seeds = 5;

    @Option(names = "--first-seed", paramLabel = "N", description = "Seed of the first run.")
    private long firstSeed = 1;

    @Option(names = "--keys", paramLabel = "N", description = "Domains of each run, ${DEFAULT-VALUE} by default.")
    private int keys = 600;

    @Option(names = "--days", paramLabel = "N", description = "Days of each run, ${DEFAULT-VALUE} by default.")
    private int days = 90;

    @Option(names = "--sensitivity", paramLabel = "WORD", description = "quiet, normal or eager.")
    private String sensitivity = "normal";

    private final PrintStream out = System.out;

    /// Failing sessions of each fault that reporters in fact saw.
    private final Map<Fault, Long> reported = new HashMap<>();

    private record Reporter(String name, double share, int delayHours) {}

    /// Something that is really wrong.
    ///
    /// @param share of the sessions that it hits
    private record Fault(int key, String type, int startHour, int hours, double share, double expected) {

        LocalDate first() {
            return FIRST_DAY.plusDays(startHour / 24);
        }

        LocalDate last() {
            return FIRST_DAY.plusDays((startHour + hours - 1) / 24);
        }

        /// Which part of a day it takes.
        double part(int day) {
            int from = Math.max(startHour, day * 24);
            int to = Math.min(startHour + hours, (day + 1) * 24);
            return Math.max(0, to - from) / 24.0;
        }
    }

    private record Arrival(Aggregate aggregate, Instant at) {}

    /// An incident at its worst.
    private record Seen(Alert first, Alert worst) {}

    private static final class Sums {
        private int falsePages;
        private int falseTickets;
        private final int[] injected = new int[SIZES.length - 1];
        private final int[] found = new int[SIZES.length - 1];
        private final int[] paged = new int[SIZES.length - 1];
        private final List<String> missed = new ArrayList<>();
        private boolean missedThoughReported;
    }

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new AlertingSimulation()).execute(arguments));
    }

    @Override
    public Integer call() {
        Sums sums = new Sums();
        for (long seed = firstSeed; seed < firstSeed + seeds; seed++) {
            int pagesBefore = sums.falsePages;
            int ticketsBefore = sums.falseTickets;
            run(seed, sums);
            double months = keys / 1_000.0 * (days - HISTORY) / 30.0;
            out.printf(
                    Locale.ROOT,
                    "seed %d: %.1f false pages, %.1f false tickets per 1,000 keys and 30 days%n",
                    seed,
                    (sums.falsePages - pagesBefore) / months,
                    (sums.falseTickets - ticketsBefore) / months);
        }
        return tell(sums);
    }

    private int tell(Sums sums) {
        double months = seeds * keys / 1_000.0 * (days - HISTORY) / 30.0;
        double falsePages = sums.falsePages / months;
        out.printf(
                Locale.ROOT,
                "%n%d seeds, %d keys, %d days (the first %d are history), sensitivity %s%n%n",
                seeds,
                keys,
                days,
                HISTORY,
                sensitivity);
        out.println("| | per 1,000 keys and 30 days |");
        out.println("|---|---|");
        out.printf(Locale.ROOT, "| false pages | %.1f |%n", falsePages);
        out.printf(Locale.ROOT, "| false tickets | %.1f |%n%n", sums.falseTickets / months);
        out.println("| failing sessions expected | faults | found | as a page |");
        out.println("|---|---|---|---|");
        for (int i = 0; i < sums.injected.length; i++) {
            String upTo =
                    i == sums.injected.length - 1 ? "and more" : String.format(Locale.ROOT, "to %,.0f", SIZES[i + 1]);
            out.printf(
                    Locale.ROOT,
                    "| %,.0f %s | %d | %d | %d |%n",
                    SIZES[i],
                    upTo,
                    sums.injected[i],
                    sums.found[i],
                    sums.paged[i]);
        }
        sums.missed.forEach(line -> out.println("missed: " + line));
        boolean met = falsePages <= MOST_FALSE_PAGES && !sums.missedThoughReported;
        out.printf(
                Locale.ROOT,
                "%nat most %.0f false pages, and every fault found of which %.0f failing sessions were expected and reported: %s%n",
                MOST_FALSE_PAGES,
                SMALLEST_FAULT,
                met ? "yes" : "no");
        return met ? 0 : 1;
    }

    private void run(long seed, Sums sums) {
        SplittableRandom random = new SplittableRandom(seed);
        double[] volumes = new double[keys];
        for (int key = 0; key < keys; key++) {
            volumes[key] = Math.clamp(Math.exp(Math.log(30) + 2 * gaussian(random)), 1, 1_000_000);
        }
        List<Fault> faults = faults(random, volumes);
        Map<Integer, Fault> byKey = new HashMap<>();
        faults.forEach(fault -> byKey.put(fault.key(), fault));
        List<Arrival> arrivals = arrivals(random, volumes, byKey);
        arrivals.sort(Comparator.comparing(Arrival::at));

        Replay replay = new Replay(settings(), midnight(FIRST_DAY));
        arrivals.forEach(arrival -> replay.aggregate(arrival.aggregate(), arrival.at()));
        replay.passTo(midnight(FIRST_DAY.plusDays(days + 10L)));
        judge(replay.transitions(), faults, byKey, sums, seed);
    }

    private Settings settings() {
        return SettingsFile.parse(
                "simulation",
                "alerting: {rules: {sensitivity: " + sensitivity + "}, inspection: {enabled: false}}",
                name -> null);
    }

    private List<Fault> faults(SplittableRandom random, double[] volumes) {
        List<Fault> faults = new ArrayList<>();
        for (int key = 0; key < keys; key++) {
            if (random.nextDouble() < FAULTY_KEYS) {
                int hours = random.nextInt(6, 73);
                int start = random.nextInt(HISTORY * 24, (days - 5) * 24);
                double share = random.nextInt(3) == 0 ? random.nextDouble(0.2, 0.5) : 1;
                faults.add(new Fault(
                        key,
                        random.nextBoolean() ? EXPIRED : STARTTLS,
                        start,
                        hours,
                        share,
                        volumes[key] * share * hours / 24));
            }
        }
        return faults;
    }

    private List<Arrival> arrivals(SplittableRandom random, double[] volumes, Map<Integer, Fault> faults) {
        Map<String, Integer> badDays = new HashMap<>();
        REPORTERS.forEach(reporter -> badDays.put(reporter.name(), random.nextInt(HISTORY, days)));
        List<Arrival> arrivals = new ArrayList<>();
        for (int key = 0; key < keys; key++) {
            for (int day = 0; day < days; day++) {
                boolean burst = random.nextDouble() < BURST;
                Reporter bursting = burst ? REPORTERS.get(random.nextInt(REPORTERS.size())) : null;
                for (Reporter reporter : REPORTERS) {
                    long sessions = poisson(random, volumes[key] * reporter.share());
                    if (sessions > 0) {
                        Map<String, Long> failed = failed(random, sessions, key, day, faults);
                        if (reporter.equals(bursting)) {
                            failed.merge(
                                    EXPIRED, binomial(random, sessions, random.nextDouble(0.005, 0.03)), Long::sum);
                        }
                        if (day == badDays.getOrDefault(reporter.name(), -1)) {
                            failed.merge(EXPIRED, binomial(random, sessions, BAD_DAY_SHARE), Long::sum);
                        }
                        Fault fault = faults.get(key);
                        if (fault != null && fault.part(day) > 0) {
                            reported.merge(fault, failed.getOrDefault(fault.type(), 0L), Long::sum);
                        }
                        arrivals.add(arrival(random, key, day, reporter, sessions, failed));
                    }
                }
            }
        }
        return arrivals;
    }

    private static Map<String, Long> failed(
            SplittableRandom random, long sessions, int key, int day, Map<Integer, Fault> faults) {
        Map<String, Long> failed = new HashMap<>();
        failed.merge(EXPIRED, binomial(random, sessions, CHANCE / 2), Long::sum);
        failed.merge(STARTTLS, binomial(random, sessions, CHANCE / 2), Long::sum);
        Fault fault = faults.get(key);
        if (fault != null) {
            failed.merge(fault.type(), binomial(random, sessions, fault.share() * fault.part(day)), Long::sum);
        }
        return failed;
    }

    private static Arrival arrival(
            SplittableRandom random, int key, int day, Reporter reporter, long sessions, Map<String, Long> failed) {
        LocalDate date = FIRST_DAY.plusDays(day);
        String domain = "d" + key + ".example";
        List<Aggregate.Failure> failures = new ArrayList<>();
        long sum = 0;
        for (Map.Entry<String, Long> entry : failed.entrySet()) {
            long count = Math.min(entry.getValue(), sessions - sum);
            if (count > 0) {
                sum += count;
                failures.add(
                        new Aggregate.Failure(entry.getKey(), "mx." + domain, count, 1, List.of("192.0.2.1"), null));
            }
        }
        double late = random.nextDouble();
        long minutes = reporter.delayHours() * 60L + random.nextInt(240);
        if (late < 0.01) {
            minutes += random.nextInt(5 * 24 * 60, 20 * 24 * 60);
        } else if (late < 0.06) {
            minutes += random.nextInt(20 * 60, 46 * 60);
        }
        Instant arrived = midnight(date.plusDays(1)).plus(Duration.ofMinutes(minutes));
        return new Arrival(
                new Aggregate(
                        date,
                        domain,
                        "sts",
                        reporter.name(),
                        "dkim",
                        sessions - sum,
                        sum,
                        1,
                        "enforce",
                        failures,
                        arrived,
                        arrived,
                        midnight(date.plusDays(1)).minusSeconds(1),
                        false),
                arrived);
    }

    private void judge(List<Alert> transitions, List<Fault> faults, Map<Integer, Fault> byKey, Sums sums, long seed) {
        Map<String, Seen> incidents = new HashMap<>();
        List<Alert> reporterFaults = new ArrayList<>();
        for (Alert alert : transitions) {
            if (alert.rule().equals("reporter-fault")) {
                reporterFaults.add(alert);
            } else if (alert.firing() && alert.receivingMxHostname() != null) {
                incidents.merge(
                        alert.incidentId(),
                        new Seen(alert, alert),
                        (one, other) -> new Seen(one.first(), worse(one.worst(), other.worst())));
            }
        }
        Set<Fault> found = new HashSet<>();
        Set<Fault> paged = new HashSet<>();
        for (Seen seen : incidents.values()) {
            Alert worst = seen.worst();
            if (rank(worst) == 0 || isInhibited(worst, reporterFaults)) {
                continue;
            }
            int key =
                    Integer.parseInt(String.valueOf(worst.receivingMxHostname()).replaceAll("[^0-9]", ""));
            Fault fault = byKey.get(key);
            if (fault != null && concerns(seen, fault)) {
                found.add(fault);
                if (rank(worst) == 2) {
                    paged.add(fault);
                }
            } else if (rank(worst) == 2) {
                sums.falsePages++;
                out.println("  false page: " + worst.summary());
            } else {
                sums.falseTickets++;
            }
        }
        for (Fault fault : faults) {
            int size = size(fault.expected());
            sums.injected[size]++;
            sums.found[size] += found.contains(fault) ? 1 : 0;
            sums.paged[size] += paged.contains(fault) ? 1 : 0;
            if (fault.expected() >= SMALLEST_FAULT && !found.contains(fault)) {
                long seen = reported.getOrDefault(fault, 0L);
                sums.missed.add("seed " + seed + ", " + seen + " failing sessions were reported: " + fault);
                sums.missedThoughReported |= seen >= SMALLEST_FAULT;
            }
        }
    }

    /// A single reporter's word waits five minutes and is muted while that reporter is known to be at fault everywhere.
    private static boolean isInhibited(Alert alert, List<Alert> reporterFaults) {
        List<String> submitters = alert.evidence().submitters();
        if (submitters == null || submitters.size() != 1) {
            return false;
        }
        Instant told = alert.openedAt().plus(Duration.ofMinutes(5));
        boolean firing = false;
        for (Alert fault : reporterFaults) {
            if (submitters.getFirst().equals(fault.submitter())
                    && String.valueOf(alert.resultType()).equals(fault.resultType())
                    && !fault.updatedAt().isAfter(told)) {
                firing = fault.firing();
            }
        }
        return firing;
    }

    private static boolean concerns(Seen seen, Fault fault) {
        LocalDate window = seen.worst().evidence().window();
        return fault.type().equals(seen.worst().resultType())
                && !window.isBefore(fault.first())
                && !window.isAfter(fault.last().plusDays(2));
    }

    private static Alert worse(Alert one, Alert other) {
        return rank(other) > rank(one) ? other : one;
    }

    private static int rank(@Nullable Alert alert) {
        return alert == null
                ? 0
                : switch (alert.severity()) {
                    case "critical" -> 2;
                    case "warning" -> 1;
                    default -> 0;
                };
    }

    private static int size(double expected) {
        int size = 0;
        while (expected >= SIZES[size + 1]) {
            size++;
        }
        return size;
    }

    private static Instant midnight(LocalDate day) {
        return day.atStartOfDay(ZoneOffset.UTC).toInstant();
    }

    private static double gaussian(SplittableRandom random) {
        return Math.sqrt(-2 * Math.log(1 - random.nextDouble())) * Math.cos(2 * Math.PI * random.nextDouble());
    }

    private static long poisson(SplittableRandom random, double mean) {
        if (mean > 50) {
            return Math.max(0, Math.round(mean + Math.sqrt(mean) * gaussian(random)));
        }
        double limit = Math.exp(-mean);
        double product = random.nextDouble();
        long count = 0;
        while (product > limit) {
            product *= random.nextDouble();
            count++;
        }
        return count;
    }

    private static long binomial(SplittableRandom random, long sessions, double share) {
        if (share >= 1) {
            return sessions;
        }
        if (share <= 0) {
            return 0;
        }
        double mean = sessions * share;
        if (sessions <= 100) {
            long count = 0;
            for (long i = 0; i < sessions; i++) {
                count += random.nextDouble() < share ? 1 : 0;
            }
            return count;
        }
        if (share < 0.05 && mean <= 50) {
            return Math.min(sessions, poisson(random, mean));
        }
        double spread = Math.sqrt(mean * (1 - share));
        return Math.clamp(Math.round(mean + spread * gaussian(random)), 0, sessions);
    }
}
