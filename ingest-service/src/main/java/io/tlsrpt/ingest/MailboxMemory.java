package io.tlsrpt.ingest;

import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/// Which mails of a mailbox need not be looked at again, in one small file: all below a UID but for a few open ones.
///
/// It keeps somebody's private mails from being read again and again without setting a flag on them. When the file is
/// lost, all mails without our keyword are looked at once more, and reports among them become duplicates.
///
/// An open mail that cannot be judged for [#PATIENCE], or for no time at all once [#CROWD] are open, is *late*: it is
/// due
/// once a day and no longer counted among the open ones, so that mails which never can be judged hold nobody up.
final class MailboxMemory {

    private static final Logger LOG = LoggerFactory.getLogger(MailboxMemory.class);

    static final Duration PATIENCE = Duration.ofDays(3);
    static final Duration LATE_PAUSE = Duration.ofDays(1);
    static final int CROWD = 5_000;
    static final int MOST_LATE = 100_000;

    private final Path file;
    private final String of;
    private long uidValidity;
    private long next = 1;
    /// Since when, in epoch seconds.
    private final TreeMap<Long, Long> open = new TreeMap<>();
    /// When they are due, in epoch seconds.
    private final TreeMap<Long, Long> late = new TreeMap<>();
    private boolean changed;

    /// @param of the folder it is about, so that another one by the same name begins anew
    private record Stored(String of, long uidValidity, long next, Map<Long, Long> open, Map<Long, Long> late) {}

    MailboxMemory(Path file, String of) {
        this.file = file;
        this.of = of;
        if (Files.exists(file)) {
            try {
                Stored stored = Json.MAPPER.readValue(Files.readAllBytes(file), Stored.class);
                if (of.equals(stored.of) && stored.open != null && stored.late != null) {
                    uidValidity = stored.uidValidity;
                    next = Math.max(1, stored.next);
                    open.putAll(stored.open);
                    late.putAll(stored.late);
                }
            } catch (IOException | JacksonException unreadable) {
                LOG.atWarn()
                        .addKeyValue("file", file)
                        .setCause(unreadable)
                        .log("what is known of a mailbox cannot be read; its mails are looked at again");
            }
        }
    }

    /// To be called with each selection of the folder, before anything else.
    ///
    /// @return whether everything known was forgotten, because the server gave the mails other UIDs
    boolean valid(long uidValidityNow) {
        if (uidValidity == uidValidityNow) {
            return false;
        }
        boolean forgotten = uidValidity != 0;
        uidValidity = uidValidityNow;
        next = 1;
        open.clear();
        late.clear();
        changed = true;
        return forgotten;
    }

    /// The lowest UID that was never looked at.
    long next() {
        return next;
    }

    /// UIDs below [#next] that are not done with and not late.
    NavigableSet<Long> open() {
        return new TreeSet<>(open.keySet());
    }

    /// Late ones whose day has come.
    List<Long> due(Instant now, int most) {
        return late.entrySet().stream()
                .filter(each -> each.getValue() <= now.getEpochSecond())
                .map(Map.Entry::getKey)
                .limit(most)
                .toList();
    }

    int lateCount() {
        return late.size();
    }

    int openCount() {
        return open.size();
    }

    void settled(long uid) {
        open.remove(uid);
        late.remove(uid);
        seen(uid);
    }

    /// Somebody looks at it; a late one stays late.
    void opened(long uid, Instant now) {
        if (!late.containsKey(uid)) {
            open.putIfAbsent(uid, now.getEpochSecond());
        }
        seen(uid);
    }

    /// It only waits for its mark, and is late no longer.
    void judged(long uid, Instant now) {
        late.remove(uid);
        opened(uid, now);
    }

    /// It was looked at and cannot be judged now.
    ///
    /// @return whether it has become late by that
    boolean unjudged(long uid, Instant now) {
        Long since = open.get(uid);
        boolean becomesLate = since != null
                && (open.size() > CROWD || since <= now.minus(PATIENCE).getEpochSecond());
        if (becomesLate) {
            open.remove(uid);
        }
        if (becomesLate || late.containsKey(uid)) {
            late.put(uid, now.plus(LATE_PAUSE).getEpochSecond());
        }
        changed = true;
        return becomesLate;
    }

    /// The oldest late one when there are more than can be remembered; it is then forgotten.
    OptionalLong tooMany() {
        if (late.size() <= MOST_LATE) {
            return OptionalLong.empty();
        }
        long uid = late.firstKey();
        late.remove(uid);
        changed = true;
        return OptionalLong.of(uid);
    }

    private void seen(long uid) {
        next = Math.max(next, uid + 1);
        changed = true;
    }

    /// Writes the file when there is something new. After a crash an older state leads to duplicates, never to a loss.
    void write() {
        if (!changed) {
            return;
        }
        Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            try (FileChannel channel = FileChannel.open(
                            unfinished,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE);
                    OutputStream out = Channels.newOutputStream(channel)) {
                out.write(Json.MAPPER.writeValueAsBytes(new Stored(of, uidValidity, next, open, late)));
                channel.force(true);
            }
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
            changed = false;
        } catch (IOException full) {
            throw new UncheckedIOException("the file " + file + " cannot be written", full);
        }
    }
}
