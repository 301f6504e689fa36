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
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/// Which mails of a mailbox need not be looked at again, in one small file: all below a UID but for a few open ones.
///
/// It keeps somebody's private mails from being read again and again without setting a flag on them. When the file is
/// lost, all mails without our keyword are looked at once more, and reports among them become duplicates.
final class MailboxMemory {

    private static final Logger LOG = LoggerFactory.getLogger(MailboxMemory.class);

    private final Path file;
    private final String of;
    private long uidValidity;
    private long next = 1;
    private final TreeSet<Long> open = new TreeSet<>();
    private boolean changed;

    /// @param of the folder it is about, so that another one by the same name begins anew
    private record Stored(String of, long uidValidity, long next, List<Long> open) {}

    MailboxMemory(Path file, String of) {
        this.file = file;
        this.of = of;
        if (Files.exists(file)) {
            try {
                Stored stored = Json.MAPPER.readValue(Files.readAllBytes(file), Stored.class);
                if (of.equals(stored.of) && stored.open != null) {
                    uidValidity = stored.uidValidity;
                    next = Math.max(1, stored.next);
                    open.addAll(stored.open);
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
        changed = true;
        return forgotten;
    }

    /// The lowest UID that was never looked at.
    long next() {
        return next;
    }

    /// UIDs below [#next] that are not done with.
    Set<Long> open() {
        return Set.copyOf(open);
    }

    int openCount() {
        return open.size();
    }

    void settled(long uid) {
        open.remove(uid);
        seen(uid);
    }

    void opened(long uid) {
        open.add(uid);
        seen(uid);
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
                out.write(Json.MAPPER.writeValueAsBytes(new Stored(of, uidValidity, next, List.copyOf(open))));
                channel.force(true);
            }
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
            changed = false;
        } catch (IOException full) {
            throw new UncheckedIOException("the file " + file + " cannot be written", full);
        }
    }
}
