package io.tlsrpt.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CellTest {

    private static final AggregateKey KEY =
            new AggregateKey(LocalDate.parse("2026-11-20"), "example.com", "sts", "google.com", "none");
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void takingBackInAnyOrderLeavesWhatWouldBeThereOtherwise(long seed) {
        Random random = new Random(seed);
        Cell kept = Cell.of(null);
        Cell all = Cell.of(null);
        kept.add(summary(1, 1, "enforce", NOON, false));
        all.add(summary(1, 1, "enforce", NOON, false));
        List<Tally> added = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            Tally tally = tally("t" + random.nextInt(20), "mx" + random.nextInt(20), random.nextInt(5), "ip" + i % 3);
            all.add(tally);
            if (random.nextBoolean()) {
                kept.add(tally);
            } else {
                added.add(tally);
            }
        }
        Collections.shuffle(added, random);
        for (Tally tally : added) {
            all = Cell.of(stored(all));
            all.subtract(tally);
        }
        assertThat(all.aggregate(KEY)).isEqualTo(kept.aggregate(KEY));
    }

    @Test
    void whatDoesNotFitCountsAsOtherAndTheCellStaysUnderAQuarterMebibyte() {
        Cell cell = Cell.of(null);
        cell.add(summary(1, 1, "enforce", NOON, false));
        String longWord = "\u0001".repeat(127);
        for (int i = 0; i < 5_000; i++) {
            cell.add(tally(longWord + i % 10, longWord + i, 1, longWord + i));
        }
        var aggregate = cell.aggregate(KEY);
        assertThat(aggregate.failures().stream()
                        .mapToLong(failure -> failure.failedSessionCount())
                        .sum())
                .isEqualTo(5_000);
        assertThat(aggregate.failures().getFirst().resultType()).isEqualTo("other");
        assertThat(Json.MAPPER.writeValueAsBytes(aggregate)).hasSizeLessThan(256 * 1024);
        assertThat(new JsonSerde<>(Cell.Stored.class).write(cell.stored())).hasSizeLessThan(512 * 1024);
    }

    @Test
    void aFullCellTakesNoMoreCandidatesButCountsOn() {
        Cell cell = Cell.of(null);
        cell.add(summary(1, 1, "enforce", NOON, false));
        for (int i = 0; i < 2_000; i++) {
            for (int ip = 0; ip < 20; ip++) {
                cell.add(tally("certificate-expired", "mx" + i, 1, "203.0.113." + ip));
            }
        }
        assertThat(Json.MAPPER.writeValueAsBytes(cell.aggregate(KEY))).hasSizeLessThan(256 * 1024);
        assertThat(new JsonSerde<>(Cell.Stored.class).write(cell.stored())).hasSizeLessThan(512 * 1024);
        assertThat(cell.aggregate(KEY).failures().stream()
                        .mapToLong(failure -> failure.detailCount())
                        .sum())
                .isEqualTo(40_000);
    }

    @Test
    void theFiveMostFrequentCandidatesArePublished() {
        Cell cell = Cell.of(null);
        cell.add(summary(1, 1, "enforce", NOON, false));
        for (int ip = 1; ip <= 9; ip++) {
            cell.add(tally("certificate-expired", "mx1", ip, "203.0.113." + ip));
        }
        assertThat(cell.aggregate(KEY).failures().getFirst().receivingIps())
                .containsExactly("203.0.113.9", "203.0.113.8", "203.0.113.7", "203.0.113.6", "203.0.113.5");
    }

    @Test
    void theModeIsThatOfTheContributorReceivedLastThatKnowsIt() {
        Cell cell = Cell.of(null);
        cell.add(summary(1, 0, "enforce", NOON, false));
        cell.add(summary(1, 0, "testing", NOON.minusSeconds(60), false));
        cell.add(summary(1, 0, null, NOON.plusSeconds(60), true));
        var aggregate = cell.aggregate(KEY);
        assertThat(aggregate.policyMode()).isEqualTo("enforce");
        assertThat(aggregate.firstReceivedAt()).isEqualTo(NOON.minusSeconds(60));
        assertThat(aggregate.lastReceivedAt()).isEqualTo(NOON.plusSeconds(60));
        assertThat(aggregate.backfill()).isFalse();
    }

    @Test
    void aCellOfBackfilledReportsOnlyIsBackfill() {
        Cell cell = Cell.of(null);
        cell.add(summary(1, 0, null, NOON, true));
        assertThat(cell.aggregate(KEY).backfill()).isTrue();
        cell.add(summary(1, 0, null, NOON, false));
        assertThat(cell.aggregate(KEY).backfill()).isFalse();
        cell.add(Flattening.retraction(summary(1, 0, null, NOON, false)));
        assertThat(cell.aggregate(KEY).backfill()).isTrue();
        cell.add(Flattening.retraction(summary(1, 0, null, NOON, true)));
        assertThat(cell.empty()).isTrue();
    }

    @Test
    void sumsStopAtTheLargestNumber() {
        assertThat(Counts.plus(Long.MAX_VALUE, 1)).isEqualTo(Long.MAX_VALUE);
        assertThat(Counts.plus(Long.MIN_VALUE, -1)).isEqualTo(Long.MIN_VALUE);
        assertThat(Counts.plus(2, -3)).isEqualTo(-1);
    }

    private static Cell.Stored stored(Cell cell) {
        JsonSerde<Cell.Stored> serde = new JsonSerde<>(Cell.Stored.class);
        return serde.read(serde.write(cell.stored()));
    }

    private static Tally tally(String type, String mx, long sessions, String ip) {
        return new Tally(type, mx, sessions, 1, sessions == 0 ? Map.of() : Map.of(ip, sessions), Map.of());
    }

    private static Event summary(
            long successful, long failed, @Nullable String mode, Instant receivedAt, boolean backfill) {
        return new Event(
                Event.SUMMARY,
                "k#0.0",
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                successful,
                failed,
                "example.com",
                "sts",
                mode,
                null,
                "google.com",
                null,
                "id",
                Instant.parse("2026-11-20T00:00:00Z"),
                Instant.parse("2026-11-20T23:59:59Z"),
                "none",
                "https",
                receivedAt,
                backfill,
                null);
    }
}
