package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.topics.ReportHeaders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpoolTest {

    @TempDir
    Path directory;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final IngestMetrics metrics = new IngestMetrics(meters);

    @Test
    void whatGoesInComesOutAlikeAndInOrder() {
        try (Spool spool = open(1_000_000)) {
            ProducerRecord<String, byte[]> first = record("k|1", "first");
            ReportHeaders.put(first.headers(), "received-at", "2026-11-22T12:00:00Z");
            first.headers().add("empty", null);
            assertThat(spool.offer(first)).isTrue();
            assertThat(spool.offer(record(null, "second"))).isTrue();

            List<Spool.Kept> kept = spool.oldest(10, 1_000_000);
            assertThat(kept).hasSize(2);
            ProducerRecord<String, byte[]> read = kept.getFirst().record();
            assertThat(read.topic()).isEqualTo("t");
            assertThat(read.key()).isEqualTo("k|1");
            assertThat(read.headers()).isEqualTo(first.headers());
            assertThat(read.value()).isEqualTo(bytes("first"));
            assertThat(kept.get(1).record().key()).isNull();
            assertThat(kept.get(1).record().value()).isEqualTo(bytes("second"));
        }
    }

    @Test
    void aNextRunFindsEverythingWithItsOriginalHeaders() {
        try (Spool spool = open(1_000_000)) {
            for (int i = 0; i < 30; i++) {
                spool.offer(record("k" + i, "v" + i));
            }
            spool.remove(spool.oldest(1, 1).getFirst().number());
        }
        try (Spool spool = open(1_000_000)) {
            assertThat(spool.entries()).isEqualTo(29);
            assertThat(spool.oldest(100, 1_000_000).stream()
                            .map(kept -> kept.record().key()))
                    .isEqualTo(IntStream.range(1, 30).mapToObj(i -> "k" + i).toList());
            assertThat(spool.offer(record("last", "v"))).isTrue();
            assertThat(spool.oldest(100, 1_000_000).getLast().record().key()).isEqualTo("last");
        }
    }

    @Test
    void aTornFileIsSetAsideAndTheOthersGoOn() throws IOException {
        try (Spool spool = open(1_000_000)) {
            spool.offer(record("a", "v"));
            spool.offer(record("b", "a longer value"));
            spool.offer(record("c", "v"));
        }
        Path torn = files(".entry").get(1);
        byte[] whole = Files.readAllBytes(torn);
        Files.write(torn, Arrays.copyOf(whole, whole.length / 2));
        try (Spool spool = open(1_000_000)) {
            assertThat(keys(spool)).containsExactly("a", "c");
            assertThat(spool.entries()).isEqualTo(2);
        }
        assertThat(files(".set-aside")).hasSize(1);
        assertThat(Files.readAllBytes(files(".set-aside").getFirst())).hasSize(whole.length / 2);
        assertThat(meters.counter("tlsrpt.spool.set.aside").count()).isEqualTo(1);
    }

    @Test
    void anyChangedByteIsNoticed() throws IOException {
        try (Spool spool = open(1_000_000)) {
            spool.offer(record("a", "value"));
        }
        Path file = files(".entry").getFirst();
        byte[] good = Files.readAllBytes(file);
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 0x10;
            Files.write(file, bad);
            try (Spool spool = open(1_000_000)) {
                assertThat(spool.oldest(1, 1)).as("byte %d", at).isEmpty();
            }
            Files.delete(files(".set-aside").getFirst());
        }
    }

    @Test
    void whatWasWrittenButNotRenamedIsTakenWhenWholeAndSetAsideWhenNot() throws IOException {
        try (Spool spool = open(1_000_000)) {
            spool.offer(record("a", "v"));
            spool.offer(record("b", "v"));
        }
        List<Path> entries = files(".entry");
        Files.move(entries.getFirst(), directory.resolve("000000000000000007.unfinished"));
        Files.write(directory.resolve("000000000000000008.unfinished"), new byte[] {0x54, 0x4c, 0x53});
        try (Spool spool = open(1_000_000)) {
            assertThat(keys(spool)).containsExactly("b", "a");
            assertThat(files(".set-aside")).hasSize(1);
            spool.offer(record("c", "v"));
            assertThat(keys(spool)).containsExactly("b", "a", "c");
        }
    }

    @Test
    void aFullSpoolSaysNoAndTakesAgainWhenThereIsRoom() {
        try (Spool spool = open(600)) {
            assertThat(spool.offer(record("a", "x".repeat(300)))).isTrue();
            assertThat(spool.offer(record("b", "x".repeat(300)))).isFalse();
            assertThat(spool.entries()).isEqualTo(1);
            spool.remove(spool.oldest(1, 1).getFirst().number());
            assertThat(spool.bytes()).isZero();
            assertThat(spool.offer(record("b", "x".repeat(300)))).isTrue();
        }
    }

    @Test
    void aDiskThatTakesNothingIsAFullSpool() throws IOException {
        try (Spool spool = open(1_000_000)) {
            Files.delete(directory.resolve("lock"));
            Files.delete(directory);
            assertThat(spool.offer(record("a", "v"))).isFalse();
            assertThat(spool.bytes()).isZero();
            assertThat(spool.isEmpty()).isTrue();
            Files.createDirectory(directory);
            assertThat(spool.offer(record("a", "v"))).isTrue();
        }
    }

    @Test
    void theBytesCountedAreTheBytesOnTheDisk() throws IOException {
        try (Spool spool = open(1_000_000)) {
            ProducerRecord<String, byte[]> record = record("schlüssel", "wert");
            record.headers().add("none", null);
            spool.offer(record);
            assertThat(spool.bytes()).isEqualTo(Files.size(files(".entry").getFirst()));
        }
    }

    @Test
    void aWindowIsBoundedByCountAndByBytesButNeverEmpty() {
        try (Spool spool = open(1_000_000)) {
            for (int i = 0; i < 5; i++) {
                spool.offer(record("k" + i, "x".repeat(1000)));
            }
            assertThat(spool.oldest(3, 1_000_000)).hasSize(3);
            assertThat(spool.oldest(5, 2500)).hasSize(2);
            assertThat(spool.oldest(5, 1)).hasSize(1);
        }
    }

    @Test
    void onlyOneMayUseADirectory() {
        try (Spool spool = open(1000)) {
            assertThatThrownBy(() -> open(1000)).hasMessageContaining("already used");
            assertThat(spool.isEmpty()).isTrue();
        }
        open(1000).close();
    }

    @Test
    void whoWaitsIsWokenByAnEntry() throws InterruptedException {
        try (Spool spool = open(1_000_000)) {
            assertThat(spool.awaitEntry(Duration.ofMillis(10))).isFalse();
            Thread other = Thread.ofVirtual().start(() -> spool.offer(record("a", "v")));
            assertThat(spool.awaitEntry(Duration.ofMinutes(1))).isTrue();
            other.join();
        }
    }

    private Spool open(long maxBytes) {
        return new Spool(directory, maxBytes, metrics);
    }

    private static List<String> keys(Spool spool) {
        return spool.oldest(100, 1_000_000).stream()
                .map(kept -> kept.record().key())
                .toList();
    }

    private List<Path> files(String extension) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(extension))
                    .sorted()
                    .toList();
        }
    }

    private static ProducerRecord<String, byte[]> record(@Nullable String key, String value) {
        return new ProducerRecord<>("t", null, key, bytes(value), new RecordHeaders());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
