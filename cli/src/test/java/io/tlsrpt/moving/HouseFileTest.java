package io.tlsrpt.moving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tlsrpt.topics.Topics;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HouseFileTest {

    private static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));
    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final byte[] BINARY = {0, (byte) 0xff, (byte) 0xc3, '\n', '"'};

    @TempDir
    private Path directory;

    @Test
    void whatWasWrittenIsReadByteByByte() throws IOException {
        List<HouseRecord> written = List.of(
                record(
                        "reports.raw",
                        "key".getBytes(StandardCharsets.UTF_8),
                        "{\"ä\":\"\u2028\"}\r\n\t".getBytes(StandardCharsets.UTF_8)),
                record("reports.raw", BINARY, BINARY),
                record("reports.rejected", null, new byte[0]),
                record("silences", new byte[0], null));
        List<HouseRecord> read = new ArrayList<>();
        HouseFile.Contents contents = HouseFile.read(written(written), TOPICS, read::add);

        assertThat(read).isEqualTo(written);
        assertThat(read.get(1).keyBytes()).isEqualTo(BINARY);
        assertThat(read.get(1).valueBytes()).isEqualTo(BINARY);
        assertThat(read.get(1).kafkaHeaders().lastHeader("binary").value()).isEqualTo(BINARY);
        assertThat(read.get(1).kafkaHeaders().headers("twice")).hasSize(2);
        assertThat(read.get(2).keyBytes()).isNull();
        assertThat(read.get(2).valueBytes()).isEmpty();
        assertThat(read.get(3).keyBytes()).isEmpty();
        assertThat(read.get(3).valueBytes()).isNull();
        assertThat(contents.records()).isEqualTo(4);
        assertThat(contents.last().judgedUntil()).isEqualTo(NOW);
        assertThat(contents.rawSince()).containsEntry(2, 1_795_000_000_000L);
    }

    @Test
    void theLargestDocumentTravelsWhateverItsBytes() throws IOException {
        byte[] quotes = new byte[Topics.MAX_DOCUMENT_RECORD_BYTES - 1000];
        java.util.Arrays.fill(quotes, (byte) '"');
        byte[] zeros = new byte[Topics.MAX_DOCUMENT_RECORD_BYTES - 1000];
        List<HouseRecord> read = new ArrayList<>();
        HouseFile.read(
                written(List.of(record("reports.raw", null, quotes), record("reports.raw", null, zeros))),
                TOPICS,
                read::add);
        assertThat(read.getFirst().valueBytes()).isEqualTo(quotes);
        assertThat(read.getLast().valueBytes()).isEqualTo(zeros);
    }

    @Test
    void aFileThatIsCutAnywhereIsFoundOut() throws IOException {
        byte[] whole = Files.readAllBytes(sample());
        for (int length = 1; length < whole.length; length++) {
            Path cut = Files.write(directory.resolve("cut"), java.util.Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> read(cut)).as("cut to " + length).isInstanceOf(MovingFault.class);
        }
    }

    @Test
    void aFlippedBitIsFoundOutWhereverItIs() throws IOException {
        byte[] whole = Files.readAllBytes(sample());
        // of the gzip header only the first three bytes mean anything to a reader; time and system do not
        for (int place = 10; place < whole.length; place++) {
            byte[] changed = whole.clone();
            changed[place] ^= 1;
            Path flipped = Files.write(directory.resolve("flipped"), changed);
            assertThatThrownBy(() -> read(flipped)).as("byte " + place).isInstanceOf(MovingFault.class);
        }
    }

    @Test
    void aLineThatWasChangedLeftOutOrAddedIsFoundOutThoughTheGzipIsSound() throws IOException {
        List<String> lines = lines(sample());
        assertThat(lines).hasSize(4);
        List<String> changed = new ArrayList<>(lines);
        changed.set(1, changed.get(1).replace("\"value\":\"one\"", "\"value\":\"two\""));
        assertThat(changed).isNotEqualTo(lines);
        assertThatThrownBy(() -> read(gzip(changed))).hasMessageContaining("checksum");
        assertThatThrownBy(() -> read(gzip(List.of(lines.get(0), lines.get(1), lines.get(3)))))
                .hasMessageContaining("checksum");
        List<String> added = new ArrayList<>(lines);
        added.add(lines.get(1));
        assertThatThrownBy(() -> read(gzip(added))).hasMessageContaining("follows its end");
        assertThatThrownBy(() -> read(gzip(lines.subList(0, 3)))).hasMessageContaining("ends too early");
    }

    @Test
    void whatIsNoExportIsCalledSo() throws IOException {
        assertThatThrownBy(() -> read(Files.writeString(directory.resolve("text"), "hello")))
                .isInstanceOf(MovingFault.class)
                .hasMessageContaining("is no file of ./tlsrpt export");
        assertThatThrownBy(() -> read(Files.writeString(directory.resolve("empty"), "")))
                .hasMessageContaining("is no file of ./tlsrpt export");
        assertThatThrownBy(() -> read(gzip(List.of("{\"organization-name\":\"x\"}"))))
                .hasMessageContaining("is no file of ./tlsrpt export");
        assertThatThrownBy(() -> read(gzip(List.of("null")))).isInstanceOf(MovingFault.class);
        assertThatThrownBy(() -> read(directory.resolve("absent"))).hasMessageContaining("there is no file");
    }

    @Test
    void aLaterFormatIsRefusedByItsNumber() throws IOException {
        List<String> lines = new ArrayList<>(lines(sample()));
        lines.set(0, lines.get(0).replace("\"tlsrpt-house\":1", "\"tlsrpt-house\":2"));
        assertThatThrownBy(() -> read(gzip(lines))).hasMessageContaining("later release (format 2, this one reads 1)");
    }

    @Test
    void noRecordGetsIntoATopicThatDoesNotMove() throws IOException {
        Path file = written(List.of(record("../verdicts", null, BINARY)));
        assertThatThrownBy(() -> read(file)).hasMessageContaining("a topic that does not move");
        assertThatThrownBy(() -> read(written(List.of(record("__consumer_offsets", null, BINARY)))))
                .hasMessageContaining("a topic that does not move");
    }

    /// A few kilobytes that become a gigabyte: the reader gives up at the longest line there can be.
    @Test
    void aLineThatNeverEndsTakesNoMemory() throws IOException {
        Path bomb = directory.resolve("bomb");
        String first = lines(sample()).getFirst();
        byte[] block = "x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(bomb))) {
            out.write((first + "\n").getBytes(StandardCharsets.UTF_8));
            for (int block1 = 0; block1 < 64; block1++) {
                out.write(block);
            }
        }
        assertThat(Files.size(bomb)).isLessThan(1 << 20);
        assertThatThrownBy(() -> read(bomb)).hasMessageContaining("longer than any record");
    }

    @Test
    void deeplyNestedAndAbsurdLinesAreNoRecords() throws IOException {
        String first = lines(sample()).getFirst();
        for (String hostile : List.of(
                "[".repeat(100_000),
                "null",
                "{}",
                "{\"topic\":\"reports.raw\",\"partition\":-1,\"offset\":0,\"timestamp\":0,\"headers\":[]}",
                "{\"topic\":\"reports.raw\",\"partition\":0,\"offset\":0,\"timestamp\":0,\"headers\":[null]}",
                "{\"topic\":\"reports.raw\",\"partition\":0,\"offset\":0,\"timestamp\":0}",
                "{\"topic\":\"reports.raw\",\"partition\":0,\"offset\":0,\"timestamp\":0,\"headers\":[],"
                        + "\"value-base64\":\"!\"}",
                "{\"topic\":\"reports.raw\",\"partition\":0,\"offset\":0,\"timestamp\":0,"
                        + "\"headers\":[{\"name\":\"x\",\"value-base64\":\"!\"}]}",
                "{\"end\":true}")) {
            assertThatThrownBy(() -> read(gzip(List.of(first, hostile)))).isInstanceOf(MovingFault.class);
        }
    }

    @Test
    void aFileThatWasNotFinishedLeavesNothingBehind() throws IOException {
        Path file = directory.resolve("house");
        try (HouseFile.Writer writer = new HouseFile.Writer(file, new HouseFile.First(1, NOW, "tlsrpt."))) {
            writer.write(record("silences", null, BINARY));
            assertThat(file).doesNotExist();
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void headersCountToTheSizeOfARecord() throws IOException {
        RecordHeaders headers = new RecordHeaders();
        headers.add("long", new byte[Topics.MAX_DOCUMENT_RECORD_BYTES + 1]);
        HouseRecord large = HouseRecord.of(
                "reports.raw",
                new ConsumerRecord<>(
                        "tlsrpt.reports.raw",
                        0,
                        0,
                        0,
                        TimestampType.LOG_APPEND_TIME,
                        0,
                        0,
                        null,
                        null,
                        headers,
                        Optional.empty()));
        assertThatThrownBy(() -> read(written(List.of(large)))).hasMessageContaining("larger than any topic takes");
    }

    @Test
    void whatWasJudgedAfterTheFileWasWrittenIsNotBelieved() throws IOException {
        Path file = directory.resolve("house");
        try (HouseFile.Writer writer = new HouseFile.Writer(file, new HouseFile.First(1, NOW, "tlsrpt."))) {
            writer.finish(NOW.plusMillis(1));
        }
        assertThatThrownBy(() -> read(file)).hasMessageContaining("judged after it was written");
    }

    @Test
    void whoCannotTakeARecordIsNoDamageOfTheFile() throws IOException {
        IllegalArgumentException cannot = new IllegalArgumentException("no such partition");
        Path file = sample();
        assertThatThrownBy(() -> HouseFile.read(file, TOPICS, record -> {
                    throw cannot;
                }))
                .isSameAs(cannot);
    }

    private Path sample() throws IOException {
        return written(List.of(
                record("silences", null, "one".getBytes(StandardCharsets.UTF_8)), record("reports.raw", null, BINARY)));
    }

    private Path written(List<HouseRecord> records) throws IOException {
        Path file = directory.resolve("house");
        try (HouseFile.Writer writer = new HouseFile.Writer(file, new HouseFile.First(1, NOW, "tlsrpt."))) {
            for (HouseRecord each : records) {
                writer.write(each);
            }
            writer.finish(NOW);
        }
        return file;
    }

    private static void read(Path file) {
        HouseFile.read(file, TOPICS, record -> assertThat(record.partition()).isNotNegative());
    }

    private static List<String> lines(Path file) throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(Files.readAllBytes(file)))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }

    private Path gzip(List<String> lines) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write((String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
        }
        return Files.write(directory.resolve("made"), bytes.toByteArray());
    }

    private static HouseRecord record(String topic, byte @Nullable [] key, byte @Nullable [] value) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("schema", "tlsrpt.x/1".getBytes(StandardCharsets.UTF_8));
        headers.add("twice", "a".getBytes(StandardCharsets.UTF_8));
        headers.add("twice", "b".getBytes(StandardCharsets.UTF_8));
        headers.add("binary", BINARY);
        headers.add("nothing", null);
        return HouseRecord.of(
                topic,
                new ConsumerRecord<>(
                        "tlsrpt." + topic,
                        2,
                        7,
                        1_795_000_000_000L,
                        TimestampType.LOG_APPEND_TIME,
                        0,
                        0,
                        key,
                        value,
                        headers,
                        Optional.empty()));
    }
}
