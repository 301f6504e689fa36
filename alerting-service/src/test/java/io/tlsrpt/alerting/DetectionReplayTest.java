package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Aggregate;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Which alerts fire, and how severely, does not depend on how often or in which company the aggregates are read: the
/// first time as they arrive, again from the compacted topic by a new application, or with the MX hosts in another
/// order, as partitions come.
class DetectionReplayTest {

    private static final int HISTORY = 14;
    private static final int DAYS = 10;
    private static final List<String> REPORTERS = List.of("google.com", "microsoft.com", "comcast.net");
    private static final List<String> TYPES = List.of(Detection.EXPIRED, "validation-failure", Detection.STARTTLS);

    @TempDir
    private Path directory;

    private record Arrival(String mx, Aggregate aggregate, Instant at) {}

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void readingAgainFiresTheSame(long seed) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        List<Arrival> arrivals = new ArrayList<>();
        Map<String, String> first;
        Instant end = Incident.end(DAY_0.plusDays(DAYS)).plus(Duration.ofHours(30));
        try (Detection live = new Detection(directory.resolve("live"))) {
            first = live(live, random, arrivals, end);
        }
        assertThat(replay("again", arrivals, end))
                .as("seed %d, same order", seed)
                .isEqualTo(first);
        assertThat(replay("shuffled", interleaved(arrivals, random), end))
                .as("seed %d, other order of MX hosts", seed)
                .isEqualTo(first);
    }

    private Map<String, String> live(Detection live, RandomGenerator random, List<Arrival> arrivals, Instant end) {
        int mxCount = 4;
        for (int day = -HISTORY; day <= DAYS; day++) {
            LocalDate date = DAY_0.plusDays(day);
            live.hoursAfter(date, 4);
            for (int mx = 0; mx < mxCount; mx++) {
                String name = "mx" + mx + ".example.net";
                boolean bad = day >= 0 && random.nextInt(3) == 0;
                String type = TYPES.get(random.nextInt(TYPES.size()));
                for (int domain = 0; domain <= mx; domain++) {
                    for (String reporter : REPORTERS) {
                        if (random.nextInt(5) == 0) {
                            continue;
                        }
                        long sessions = random.nextLong(1, 60);
                        Detection.Cell cell = live.cell(date, reporter)
                                .domain("d" + domain + "." + name)
                                .mode(random.nextBoolean() ? "enforce" : "testing")
                                .authentication(random.nextInt(6) == 0 ? "none" : "dkim");
                        if (bad && random.nextInt(3) > 0) {
                            cell.failed(type, name, random.nextLong(1, sessions + 1), sessions);
                        } else {
                            cell.sessions(sessions);
                        }
                        arrivals.add(new Arrival(name, cell.aggregate(), live.now()));
                        cell.arrives();
                        live.pass(Duration.ofSeconds(random.nextLong(1, 120)));
                    }
                }
            }
        }
        live.at(end);
        assertThat(live.transitions).isNotEmpty();
        return live.firing();
    }

    private Map<String, String> replay(String name, List<Arrival> arrivals, Instant end) {
        try (Detection rebuilt = new Detection(
                directory.resolve(name), LocalDate.parse(end.toString().substring(0, 10)))) {
            rebuilt.at(end);
            int count = 0;
            for (Arrival arrival : arrivals) {
                rebuilt.replay(arrival.aggregate(), arrival.at());
                if (++count % 50 == 0) {
                    rebuilt.pass(Duration.ofSeconds(10));
                }
            }
            rebuilt.pass(Duration.ofMinutes(2));
            return rebuilt.firing();
        }
    }

    /// In another order, but for each MX in the same.
    private static List<Arrival> interleaved(List<Arrival> arrivals, RandomGenerator random) {
        Map<String, Deque<Arrival>> byMx = new LinkedHashMap<>();
        arrivals.forEach(arrival ->
                byMx.computeIfAbsent(arrival.mx(), absent -> new ArrayDeque<>()).add(arrival));
        List<Arrival> mixed = new ArrayList<>();
        List<Deque<Arrival>> queues = new ArrayList<>(byMx.values());
        while (!queues.isEmpty()) {
            Deque<Arrival> queue = queues.get(random.nextInt(queues.size()));
            mixed.add(queue.remove());
            queues.removeIf(Deque::isEmpty);
        }
        return mixed;
    }
}
