package io.tlsrpt.ingest;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Records on this machine's disk that wait for the broker, oldest first.
///
/// One record is one file. It is written under a temporary name, forced to the disk, renamed, and the directory is
/// forced too: when [#offer] says yes, a `kill -9` or a power cut loses nothing. A checksum at the end of each file
/// tells
/// a torn one, which is set aside under another name: kept, logged, counted, never deleted. One process owns the
/// directory at a time.
///
/// File, big-endian: magic, topic, key, headers (count; name and value each), value, CRC-32C of everything before it.
/// Texts and bytes are a length (-1: absent) and that many bytes.
final class Spool implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Spool.class);
    private static final int MAGIC = 0x544c5301;
    private static final String ENTRY = ".entry";
    private static final String UNFINISHED = ".unfinished";
    private static final String SET_ASIDE = ".set-aside";

    private final Path directory;
    private final long maxBytes;
    private final IngestMetrics metrics;
    private final FileChannel lockFile;
    private final ConcurrentSkipListMap<Long, Long> sizes = new ConcurrentSkipListMap<>();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong next = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition notEmpty = lock.newCondition();

    /// How many bytes it may hold.
    long maxBytes() {
        return maxBytes;
    }

    /// One waiting record.
    record Kept(long number, ProducerRecord<String, byte[]> record) {}

    /// Takes over what an earlier process left.
    ///
    /// @throws IllegalStateException when another process owns the directory
    /// @throws UncheckedIOException when it cannot be used
    Spool(Path directory, long maxBytes, IngestMetrics metrics) {
        this.directory = directory;
        this.maxBytes = maxBytes;
        this.metrics = metrics;
        try {
            Files.createDirectories(directory);
            this.lockFile = owned(directory.resolve("lock"));
            takeOver();
        } catch (IOException unusable) {
            throw new UncheckedIOException("the spool " + directory + " cannot be used", unusable);
        }
    }

    private static FileChannel owned(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        @Nullable FileLock mine;
        try {
            mine = channel.tryLock();
        } catch (OverlappingFileLockException inThisProcess) {
            channel.close();
            throw new IllegalStateException(
                    "the spool " + file.getParent() + " is already used by this process", inThisProcess);
        }
        if (mine == null) {
            channel.close();
            throw new IllegalStateException("the spool " + file.getParent() + " is used by another process");
        }
        return channel;
    }

    private void takeOver() throws IOException {
        List<Path> files;
        try (Stream<Path> listing = Files.list(directory)) {
            files = listing.sorted().toList();
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            Optional<Long> number = number(name);
            if (number.isEmpty()) {
                continue;
            }
            next.accumulateAndGet(number.get() + 1, Math::max);
            if (name.endsWith(ENTRY)) {
                add(number.get(), Files.size(file));
            } else if (name.endsWith(UNFINISHED)) {
                // whole, but its sender never heard of it: sending it can at worst make a duplicate
                if (read(file).isPresent()) {
                    Files.move(file, path(number.get(), ENTRY), StandardCopyOption.ATOMIC_MOVE);
                    add(number.get(), Files.size(path(number.get(), ENTRY)));
                } else {
                    setAside(file, number.get(), "unfinished");
                }
            }
        }
        if (!sizes.isEmpty()) {
            LOG.atInfo()
                    .addKeyValue("entries", sizes.size())
                    .addKeyValue("bytes", bytes.get())
                    .log("the spool holds records of an earlier run");
        }
    }

    private static Optional<Long> number(String fileName) {
        int dot = fileName.indexOf('.');
        return dot > 0 && dot <= 18 && fileName.substring(0, dot).chars().allMatch(c -> c >= '0' && c <= '9')
                ? Optional.of(Long.parseLong(fileName.substring(0, dot)))
                : Optional.empty();
    }

    /// Keeps the record, durably.
    ///
    /// @return false when the spool or the disk is full; then nothing was kept
    boolean offer(ProducerRecord<String, byte[]> record) {
        long size = size(record);
        if (bytes.addAndGet(size) > maxBytes) {
            bytes.addAndGet(-size);
            return false;
        }
        long number = next.getAndIncrement();
        Path unfinished = path(number, UNFINISHED);
        try {
            write(unfinished, record);
            Files.move(unfinished, path(number, ENTRY), StandardCopyOption.ATOMIC_MOVE);
            forceDirectory();
        } catch (IOException full) {
            bytes.addAndGet(-size);
            LOG.atError().addKeyValue("spool", directory).setCause(full).log("the spool cannot be written");
            try {
                Files.deleteIfExists(unfinished);
                Files.deleteIfExists(path(number, ENTRY));
            } catch (IOException stuck) {
                LOG.atWarn()
                        .addKeyValue("file", unfinished)
                        .setCause(stuck)
                        .log("a file that was not kept cannot be removed");
            }
            return false;
        }
        metrics.spoolKept();
        lock.lock();
        try {
            sizes.put(number, size);
            notEmpty.signalAll();
        } finally {
            lock.unlock();
        }
        return true;
    }

    /// The oldest records, in order. Torn files among them are set aside.
    ///
    /// @param maxBytes of all together; at least one record is returned when there is one
    List<Kept> oldest(int maxEntries, long maxBytes) {
        List<Kept> oldest = new ArrayList<>();
        long sum = 0;
        for (Map.Entry<Long, Long> entry : sizes.entrySet()) {
            sum += entry.getValue();
            if (oldest.size() == maxEntries || (!oldest.isEmpty() && sum > maxBytes)) {
                break;
            }
            long number = entry.getKey();
            try {
                Optional<ProducerRecord<String, byte[]>> record = read(path(number, ENTRY));
                if (record.isPresent()) {
                    oldest.add(new Kept(number, record.get()));
                } else {
                    setAside(number, "torn");
                }
            } catch (IOException unreadable) {
                throw new UncheckedIOException("the spool " + directory + " cannot be read", unreadable);
            }
        }
        return oldest;
    }

    /// Forgets records that the broker has.
    void remove(long number) {
        try {
            Files.deleteIfExists(path(number, ENTRY));
        } catch (IOException stuck) {
            throw new UncheckedIOException("the spool " + directory + " cannot be emptied", stuck);
        }
        forget(number);
        metrics.spoolDrained();
    }

    /// Takes a record out of the queue that can never be delivered; its file stays for people.
    void setAside(long number, String why) {
        setAside(path(number, ENTRY), number, why);
        forget(number);
    }

    /// Waits until there is a record.
    ///
    /// @return whether there is one
    boolean awaitEntry(Duration atMost) throws InterruptedException {
        long left = atMost.toNanos();
        lock.lockInterruptibly();
        try {
            while (sizes.isEmpty() && left > 0) {
                left = notEmpty.awaitNanos(left);
            }
            return !sizes.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    boolean isEmpty() {
        return sizes.isEmpty();
    }

    int entries() {
        return sizes.size();
    }

    long bytes() {
        return bytes.get();
    }

    @Override
    public void close() {
        try {
            lockFile.close();
        } catch (IOException stuck) {
            throw new UncheckedIOException("the spool's lock cannot be released", stuck);
        }
    }

    private void add(long number, long size) {
        sizes.put(number, size);
        bytes.addAndGet(size);
    }

    private void forget(long number) {
        Long size = sizes.remove(number);
        if (size != null) {
            bytes.addAndGet(-size);
        }
    }

    private void setAside(Path file, long number, String why) {
        Path aside = path(number, SET_ASIDE);
        try {
            Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException stuck) {
            throw new UncheckedIOException("the spool file " + file + " cannot be set aside", stuck);
        }
        metrics.spoolSetAside();
        LOG.atError()
                .addKeyValue("file", aside)
                .addKeyValue("why", why)
                .log("a spool file cannot be delivered and is set aside");
    }

    private Path path(long number, String extension) {
        return directory.resolve("%018d%s".formatted(number, extension));
    }

    private void forceDirectory() throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void write(Path file, ProducerRecord<String, byte[]> record) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            CRC32C checksum = new CRC32C();
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(
                    new CheckedOutputStream(Channels.newOutputStream(channel), checksum), 64 * 1024));
            out.writeInt(MAGIC);
            put(out, utf8(record.topic()));
            put(out, record.key() == null ? null : utf8(record.key()));
            Header[] headers = record.headers().toArray();
            out.writeInt(headers.length);
            for (Header header : headers) {
                put(out, utf8(header.key()));
                put(out, header.value());
            }
            put(out, record.value());
            out.flush();
            out.writeLong(checksum.getValue());
            out.flush();
            channel.force(true);
        }
    }

    private static long size(ProducerRecord<String, byte[]> record) {
        long size = 28L + utf8(record.topic()).length + record.value().length;
        size += record.key() == null ? 0 : utf8(record.key()).length;
        for (Header header : record.headers()) {
            size += 8L + utf8(header.key()).length + (header.value() == null ? 0 : header.value().length);
        }
        return size;
    }

    /// @return empty when the file is torn
    private static Optional<ProducerRecord<String, byte[]>> read(Path file) throws IOException {
        byte[] all = Files.readAllBytes(file);
        if (all.length < Long.BYTES) {
            return Optional.empty();
        }
        ByteBuffer in = ByteBuffer.wrap(all, 0, all.length - Long.BYTES);
        CRC32C checksum = new CRC32C();
        checksum.update(in.duplicate());
        if (checksum.getValue() != ByteBuffer.wrap(all).getLong(all.length - Long.BYTES) || in.getInt() != MAGIC) {
            return Optional.empty();
        }
        try {
            String topic = text(bytes(in));
            byte[] key = bytes(in);
            Headers headers = new RecordHeaders();
            for (int left = in.getInt(); left > 0; left--) {
                headers.add(text(bytes(in)), bytes(in));
            }
            byte[] value = bytes(in);
            return Optional.of(new ProducerRecord<>(topic, null, key == null ? null : text(key), value, headers));
        } catch (BufferUnderflowException notOurs) {
            LOG.atWarn().addKeyValue("file", file).setCause(notOurs).log("a spool file of another form");
            return Optional.empty();
        }
    }

    private static void put(DataOutputStream out, byte @Nullable [] bytes) throws IOException {
        out.writeInt(bytes == null ? -1 : bytes.length);
        if (bytes != null) {
            out.write(bytes);
        }
    }

    private static byte @Nullable [] bytes(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0) {
            return null;
        }
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte @Nullable [] bytes) {
        return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
    }
}
