package io.tlsrpt.moving;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Topics;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// The file in which a house moves: gzip of lines of JSON. The first says what it is, then come the records, the last
/// one counts them and has the SHA-256 of all bytes before it, so that a file that was cut or changed is found out.
final class HouseFile {

    static final int VERSION = 1;

    /// A record of 12 MiB, every byte of it escaped.
    static final int MOST_LINE_BYTES = 32 * 1024 * 1024;

    private static final int MOST_PARTITION = 100_000;

    /// Twelve MiB on raw and rejected: of the record, its key and its headers together.
    private static final int MOST_RECORD_BYTES = Topics.MAX_DOCUMENT_RECORD_BYTES;

    private static final int BUFFER = 1 << 16;
    private static final byte[] LAST = "{\"end\":".getBytes(StandardCharsets.UTF_8);

    private HouseFile() {}

    /// The first line.
    ///
    /// @param tlsrptHouse version of the format
    @JsonPropertyOrder({"tlsrpt-house", "created-at", "topic-prefix"})
    record First(int tlsrptHouse, Instant createdAt, String topicPrefix) {}

    /// The last line.
    ///
    /// @param end always true
    /// @param judgedUntil what arrived until then was judged by the alerting-service of this house; absent: nothing was
    /// @param records by topic
    /// @param sha256 of all bytes before this line
    @JsonPropertyOrder({"end", "judged-until", "records", "sha256"})
    record Last(boolean end, @Nullable Instant judgedUntil, Map<String, Long> records, String sha256) {}

    /// What a file holds, after it was read to its end and found whole.
    ///
    /// @param rawSince by partition of the raw topic, the earliest timestamp
    record Contents(First first, Last last, Map<Integer, Long> rawSince) {

        long records() {
            return last.records().values().stream().mapToLong(Long::longValue).sum();
        }
    }

    /// Writes a file under another name, which it gets when it is whole. Only its owner may read it.
    static final class Writer implements AutoCloseable {

        private final Path file;
        private final Path partial;
        private final MessageDigest digest = sha256();
        private final Map<String, Long> records = new TreeMap<>();
        private final OutputStream out;
        private boolean whole;

        Writer(Path file, First first) throws IOException {
            this.file = file;
            this.partial = file.resolveSibling(file.getFileName() + ".partial");
            Files.deleteIfExists(partial);
            if (Files.getFileStore(file.toAbsolutePath().getParent()).supportsFileAttributeView("posix")) {
                Files.createFile(
                        partial, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            } else {
                Files.createFile(partial);
            }
            this.out = new BufferedOutputStream(
                    new GZIPOutputStream(Files.newOutputStream(partial, StandardOpenOption.WRITE), BUFFER), BUFFER);
            line(Json.MAPPER.writeValueAsBytes(first));
        }

        void write(HouseRecord record) throws IOException {
            line(record.line());
            records.merge(record.topic(), 1L, Long::sum);
        }

        Last finish(@Nullable Instant judgedUntil) throws IOException {
            Last last = new Last(true, judgedUntil, records, HexFormat.of().formatHex(digest.digest()));
            line(Json.MAPPER.writeValueAsBytes(last));
            out.close(); // tells of a disk that is full
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            whole = true;
            return last;
        }

        private void line(byte[] json) throws IOException {
            out.write(json);
            out.write('\n');
            digest.update(json);
            digest.update((byte) '\n');
        }

        @Override
        public void close() throws IOException {
            if (whole) {
                return;
            }
            try {
                out.close();
            } finally {
                Files.deleteIfExists(partial);
            }
        }
    }

    /// Reads a file to its end, with as much memory as its longest line needs, and hands over each record as it comes:
    /// whether the file is whole is only known when this returns.
    ///
    /// @throws MovingFault when it is cut, changed, or none of ours
    static Contents read(Path file, Topics topics, Consumer<HouseRecord> each) {
        Set<String> known = Carried.topics(topics).stream()
                .map(topic -> Carried.name(topics, topic))
                .collect(Collectors.toSet());
        String raw = Carried.name(topics, topics.raw());
        MessageDigest digest = sha256();
        Map<String, Long> records = new TreeMap<>();
        Map<Integer, Long> rawSince = new HashMap<>();
        try (Lines lines = new Lines(file)) {
            First first = first(file, lines, digest);
            for (byte[] line = lines.next(); line != null; line = lines.next()) {
                if (startsWith(line, LAST)) {
                    Last last = last(file, line);
                    if (judgedLater(first, last)) {
                        throw damaged(file, "it says that something was judged after it was written", null);
                    }
                    String found = HexFormat.of().formatHex(digest.digest());
                    if (!found.equals(last.sha256()) || !records.equals(last.records())) {
                        throw damaged(file, "its contents do not fit their checksum", null);
                    }
                    if (lines.next() != null) {
                        throw damaged(file, "something follows its end", null);
                    }
                    return new Contents(first, last, rawSince);
                }
                update(digest, line);
                HouseRecord record = record(file, line, known);
                records.merge(record.topic(), 1L, Long::sum);
                if (record.topic().equals(raw)) {
                    rawSince.merge(record.partition(), record.timestamp(), Math::min);
                }
                each.accept(record);
            }
            throw damaged(file, "it ends too early", null);
        } catch (NoSuchFileException absent) {
            throw new MovingFault("there is no file " + file, absent);
        } catch (EOFException cut) {
            throw damaged(file, "it ends too early", cut);
        } catch (ZipException changed) {
            throw damaged(file, "its compression is broken", changed);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static First first(Path file, Lines lines, MessageDigest digest) throws IOException {
        @Nullable First first;
        try {
            byte[] line = lines.next();
            if (line == null) {
                throw noneOfOurs(file, null);
            }
            first = Json.MAPPER.readValue(line, First.class);
            update(digest, line);
        } catch (ZipException | EOFException | JacksonException foreign) {
            throw noneOfOurs(file, foreign);
        }
        if (first == null) { // the word null
            throw noneOfOurs(file, null);
        }
        if (first.tlsrptHouse() > VERSION) {
            throw new MovingFault(file + " was written by a later release (format " + first.tlsrptHouse()
                    + ", this one reads " + VERSION + "): restore it with that one");
        }
        if (first.tlsrptHouse() < 1) {
            throw noneOfOurs(file, null);
        }
        return first;
    }

    @SuppressWarnings("UnnecessaryNullCheck") // a line may lack what it should have
    private static boolean judgedLater(First first, Last last) {
        Instant judgedUntil = last.judgedUntil();
        return judgedUntil != null && (first.createdAt() == null || judgedUntil.isAfter(first.createdAt()));
    }

    private static HouseRecord record(Path file, byte[] line, Set<String> known) {
        try {
            HouseRecord record = Json.MAPPER.readValue(line, HouseRecord.class);
            check(file, record, known);
            return record;
        } catch (JacksonException | IllegalArgumentException changed) {
            throw damaged(file, "a line of it is no record", changed);
        }
    }

    private static Last last(Path file, byte[] line) {
        Last last;
        try {
            last = Json.MAPPER.readValue(line, Last.class);
        } catch (JacksonException changed) {
            throw damaged(file, "its last line cannot be read", changed);
        }
        return new Last(
                last.end(),
                last.judgedUntil(),
                Objects.requireNonNullElse(last.records(), Map.of()),
                Objects.requireNonNullElse(last.sha256(), ""));
    }

    @SuppressWarnings("UnnecessaryNullCheck") // a line may lack what a record always has
    private static void check(Path file, @Nullable HouseRecord record, Set<String> known) {
        if (record == null) { // the word null
            throw damaged(file, "a line of it is no record", null);
        }
        if (record.topic() == null || !known.contains(record.topic())) {
            throw damaged(file, "it has records of a topic that does not move", null);
        }
        if (record.partition() < 0 || record.partition() > MOST_PARTITION || record.headers() == null) {
            throw damaged(file, "a line of it is no record", null);
        }
        long bytes = length(record.keyBytes()) + length(record.valueBytes());
        for (HouseRecord.Item header : record.headers()) {
            if (header == null || header.name() == null) {
                throw damaged(file, "a line of it is no record", null);
            }
        }
        for (Header header : record.kafkaHeaders()) {
            bytes += header.key().length() + length(header.value());
        }
        if (bytes > MOST_RECORD_BYTES) {
            throw damaged(file, "it has a record larger than any topic takes", null);
        }
    }

    private static long length(byte @Nullable [] bytes) {
        return bytes == null ? 0 : bytes.length;
    }

    private static MovingFault damaged(Path file, String how, @Nullable Throwable cause) {
        String message =
                file + " is damaged: " + how + ". Nothing of it may be trusted; take another copy, or export again";
        return cause == null ? new MovingFault(message) : new MovingFault(message, cause);
    }

    private static MovingFault noneOfOurs(Path file, @Nullable Throwable cause) {
        String message = file + " is no file of ./tlsrpt export";
        return cause == null ? new MovingFault(message) : new MovingFault(message, cause);
    }

    private static void update(MessageDigest digest, byte[] line) {
        digest.update(line);
        digest.update((byte) '\n');
    }

    private static boolean startsWith(byte[] line, byte[] beginning) {
        for (int place = 0; place < beginning.length; place++) {
            if (place >= line.length || line[place] != beginning[place]) {
                return false;
            }
        }
        return true;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException notInThisJava) {
            throw new IllegalStateException(notInThisJava);
        }
    }

    /// The lines of a gzip file, none longer than a record can be.
    private static final class Lines implements AutoCloseable {

        private final Path file;
        private final InputStream compressed;
        private @Nullable InputStream in;
        private final byte[] buffer = new byte[BUFFER];
        private int from;
        private int to;

        Lines(Path file) throws IOException {
            this.file = file;
            this.compressed = new BufferedInputStream(Files.newInputStream(file), BUFFER);
        }

        /// @return null at the end
        byte @Nullable [] next() throws IOException {
            if (in == null) {
                in = new GZIPInputStream(compressed, BUFFER);
            }
            ByteArrayOutputStream line = new ByteArrayOutputStream(1024);
            while (true) {
                for (int at = from; at < to; at++) {
                    if (buffer[at] == '\n') {
                        line.write(buffer, from, at - from);
                        from = at + 1;
                        return line.toByteArray();
                    }
                }
                line.write(buffer, from, to - from);
                if (line.size() > MOST_LINE_BYTES) {
                    throw damaged(file, "a line of it is longer than any record", null);
                }
                from = 0;
                to = Math.max(0, in.read(buffer));
                if (to == 0) {
                    if (line.size() > 0) {
                        throw new EOFException();
                    }
                    return null;
                }
            }
        }

        @Override
        public void close() throws IOException {
            compressed.close();
        }
    }
}
