package io.tlsrpt.ingest;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;

/// The documents and mails in a file: the file itself, or what a zip, a tar or an mbox holds, in its order. All of them
/// are
/// known by how they begin ([FileKind]). Archives inside an archive are opened one level deep, gzip around an archive
/// or
/// an
/// mbox not counted; what lies deeper is a document like any other. Names are a stranger's: shown, and used to pass
/// over
/// what
/// mail servers and desktops leave beside the mails.
///
/// Streamed: one document or mail at a time is in memory.
final class ReportFiles {

    /// @param documentBytes of one document as it lies in the file; of a longer one only the head is handed on
    /// @param mailBytes of one mail, likewise
    /// @param entries of all archives together
    /// @param inflatedBytes of all archives together
    record Limits(int documentBytes, int mailBytes, int entries, long inflatedBytes) {

        private static final int MAX_ENTRIES = 100_000;
        private static final long FREE = 256L * 1024 * 1024;
        private static final int MAX_RATIO = 200;
        private static final int MAIL_FREE = 1024 * 1024;

        /// For an upload of that size: reports shrink to a tenth or a twentieth, bombs to a thousandth. A mail carries
        /// its
        /// document in base64, and text beside it.
        static Limits of(int documentBytes, long uploadBytes) {
            return new Limits(
                    documentBytes, 2 * documentBytes + MAIL_FREE, MAX_ENTRIES, FREE + MAX_RATIO * uploadBytes);
        }
    }

    /// Something in the file.
    sealed interface Found {

        String name();

        /// @param cut whether these bytes are only its head
        @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
        record Document(String name, byte[] bytes, boolean cut) implements Found {}

        /// A mail, to be looked into.
        ///
        /// @param name of one in an mbox: `file.mbox#17`
        /// @param cut whether these bytes are only its head
        @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
        record Mail(String name, byte[] bytes, boolean cut) implements Found {}

        /// No report by its name.
        record Skipped(String name, String why) implements Found {}

        /// An archive that cannot be read to its end.
        record Broken(String name, String why) implements Found {}
    }

    /// Who is told, in the order of the file.
    interface Sink {
        void found(Found found) throws IOException, InterruptedException;
    }

    private static final int MAX_ARCHIVES = 2;
    private static final int BUFFER = 64 * 1024;
    private static final int GZIP_BUFFER = 4 * 1024;
    private static final Pattern MAIL_SERVER_FILE = Pattern.compile(
            "dovecot[.-][^!]*|dovecot|maildirsize|maildirfolder|subscriptions|courierimap.*|\\.mailboxlist");
    /// A name that Maildirs give, in the folder of mails under way.
    private static final Pattern MAILDIR_TMP = Pattern.compile("(^|/)tmp/\\d{9,}\\.[^/]*\\.[^/]*$");

    private final Limits limits;
    private final Sink sink;
    private int entries;
    private long inflated;

    private ReportFiles(Limits limits, Sink sink) {
        this.limits = limits;
        this.sink = sink;
    }

    /// @param name of the file; of the documents in an archive only their own names are told
    /// @throws IOException when the file or the sink fails, never because of what is in the file
    static void read(InputStream file, String name, Limits limits, Sink sink) throws IOException, InterruptedException {
        ReportFiles files = new ReportFiles(limits, sink);
        try {
            files.read(file, name, "", 0);
        } catch (TooMuch stop) {
            sink.found(new Found.Broken(name, String.valueOf(stop.getMessage())));
        }
    }

    /// The whole file is given up.
    private static final class TooMuch extends IOException {
        private static final long serialVersionUID = 1;

        TooMuch(String why) {
            super(why);
        }
    }

    /// @param inside how the names of documents in this one begin
    /// @param archives around this one
    private void read(InputStream raw, String name, String inside, int archives)
            throws IOException, InterruptedException {
        Optional<String> beside = besideMails(name);
        if (beside.isPresent()) {
            sink.found(new Found.Skipped(name, beside.get()));
            return;
        }
        BufferedInputStream in = new BufferedInputStream(raw, BUFFER);
        FileKind kind = kind(in);
        boolean mayOpen = archives < MAX_ARCHIVES;
        switch (kind) {
            case ZIP -> {
                if (mayOpen) {
                    zip(in, name, inside, archives);
                } else {
                    document(in, name);
                }
            }
            case TAR -> {
                if (mayOpen) {
                    tar(in, name, inside, archives);
                } else {
                    document(in, name);
                }
            }
            case GZIP -> gzip(in, name, inside, archives);
            case MBOX -> mbox(in, name);
            case MAIL -> mail(in, name);
            case OUTLOOK -> sink.found(new Found.Skipped(name, "a mail in Outlook's own format: save it as .eml"));
            case OTHER -> other(in, name);
        }
    }

    private static FileKind kind(BufferedInputStream in) throws IOException {
        in.mark(FileKind.HEAD_BYTES);
        byte[] head = in.readNBytes(FileKind.HEAD_BYTES);
        in.reset();
        return FileKind.of(head);
    }

    private void other(InputStream in, String name) throws IOException, InterruptedException {
        String lower = last(name).toLowerCase(Locale.ROOT);
        if (lower.endsWith(".eml")) {
            mail(in, name);
        } else if (lower.endsWith(".md") || lower.endsWith(".txt")) {
            sink.found(new Found.Skipped(name, "no report by its name"));
        } else {
            document(in, name);
        }
    }

    /// A gzipped archive, mbox or mail is looked into; of anything else the gzip is the document.
    private void gzip(BufferedInputStream in, String name, String inside, int archives)
            throws IOException, InterruptedException {
        FileKind kind = kindInGzip(in);
        switch (kind) {
            case TAR, MBOX, MAIL -> {
                Entry content = new Entry(new GZIPInputStream(in, GZIP_BUFFER));
                try {
                    read(content, name, inside, archives);
                } catch (BrokenEntry broken) {
                    sink.found(new Found.Broken(name, "the archive is broken: " + broken.getMessage()));
                }
            }
            default -> document(in, name);
        }
    }

    private static FileKind kindInGzip(BufferedInputStream in) throws IOException {
        in.mark(BUFFER);
        byte[] head = new byte[FileKind.HEAD_BYTES];
        int length = 0;
        // not closed: the stream below goes on. It reads no more than the mark allows: GZIP_BUFFER at a time.
        try {
            GZIPInputStream gzip = new GZIPInputStream(in, GZIP_BUFFER);
            for (int read = 0; read >= 0 && length < FileKind.HEAD_BYTES; length += read) {
                read = gzip.read(head, length, FileKind.HEAD_BYTES - length);
                if (read < 0) {
                    break;
                }
            }
        } catch (IOException damaged) {
            // what came out before decides; the reader of the document says what is wrong with it
        }
        in.reset();
        return FileKind.of(Arrays.copyOf(head, length));
    }

    private void mbox(InputStream in, String name) throws IOException, InterruptedException {
        Mbox.read(
                in,
                limits.mailBytes(),
                (number, bytes, cut) -> sink.found(new Found.Mail(name + "#" + number, bytes, cut)));
    }

    private void mail(InputStream in, String name) throws IOException, InterruptedException {
        byte[] bytes = in.readNBytes(limits.mailBytes());
        boolean cut = bytes.length == limits.mailBytes() && in.read() >= 0;
        sink.found(new Found.Mail(name, cut ? head(bytes) : bytes, cut));
    }

    private static byte[] head(byte[] bytes) {
        return Arrays.copyOf(bytes, Math.min(bytes.length, Submission.HEAD_BYTES));
    }

    private void zip(InputStream in, String name, String inside, int archives)
            throws IOException, InterruptedException {
        ZipInputStream zip = new ZipInputStream(in);
        entries(
                () -> {
                    ZipEntry entry = zip.getNextEntry();
                    return entry == null ? null : new Member(entry.getName(), entry.isDirectory(), true);
                },
                zip,
                name,
                inside,
                archives);
    }

    private void tar(InputStream in, String name, String inside, int archives)
            throws IOException, InterruptedException {
        TarArchiveInputStream tar = new TarArchiveInputStream(in);
        entries(
                () -> {
                    TarArchiveEntry entry = tar.getNextEntry();
                    return entry == null ? null : new Member(entry.getName(), entry.isDirectory(), hasContent(entry));
                },
                tar,
                name,
                inside,
                archives);
    }

    private static boolean hasContent(TarArchiveEntry entry) {
        byte flag = entry.getLinkFlag();
        return flag == TarConstants.LF_NORMAL || flag == TarConstants.LF_OLDNORM || flag == TarConstants.LF_CONTIG;
    }

    /// @param file whether it has content: links and devices of a tar have none
    private record Member(String name, boolean directory, boolean file) {}

    private interface Members {
        /// The next one, or null behind the last.
        @Nullable
        Member next() throws IOException;
    }

    private void entries(Members members, InputStream archive, String name, String inside, int archives)
            throws IOException, InterruptedException {
        while (true) {
            @Nullable Member entry;
            try {
                entry = members.next();
            } catch (TooMuch stop) {
                throw stop;
            } catch (IOException | IllegalArgumentException broken) {
                sink.found(new Found.Broken(name, "the archive is broken: " + broken.getMessage()));
                return;
            }
            if (entry == null) {
                return;
            }
            if (++entries > limits.entries()) {
                throw new TooMuch("more than " + limits.entries() + " entries; the rest is not read");
            }
            String entryName = inside + entry.name();
            if (entry.directory() || !entry.file()) {
                sink.found(new Found.Skipped(entryName, entry.directory() ? "a directory" : "no file"));
                continue;
            }
            Entry content = new Entry(archive);
            try {
                read(content, entryName, entryName + "/", archives + 1);
                content.skipRest();
            } catch (BrokenEntry broken) {
                sink.found(new Found.Broken(entryName, "the archive is broken: " + broken.getMessage()));
                return;
            }
        }
    }

    private void document(InputStream in, String name) throws IOException, InterruptedException {
        byte[] bytes = in.readNBytes(limits.documentBytes());
        boolean cut = bytes.length == limits.documentBytes() && in.read() >= 0;
        sink.found(new Found.Document(name, cut ? head(bytes) : bytes, cut));
    }

    /// A fault in the archive's bytes, told apart from a fault of the file or the sink.
    private static final class BrokenEntry extends IOException {
        private static final long serialVersionUID = 1;

        BrokenEntry(Exception cause) {
            super(cause.getMessage(), cause);
        }
    }

    /// The content of one entry: counted, and never closing the archive.
    private final class Entry extends FilterInputStream {

        Entry(InputStream archive) {
            super(archive);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int read;
            try {
                read = in.read(bytes, offset, length);
            } catch (TooMuch stop) {
                throw stop;
            } catch (IOException | IllegalArgumentException broken) {
                throw new BrokenEntry(broken);
            }
            if (read > 0) {
                inflated += read;
                if (inflated > limits.inflatedBytes()) {
                    throw new TooMuch(
                            "it inflates to more than " + limits.inflatedBytes() + " bytes; the rest is not read");
                }
            }
            return read;
        }

        void skipRest() throws IOException {
            byte[] waste = new byte[16 * 1024];
            while (read(waste, 0, waste.length) >= 0) {
                // counted by read
            }
        }

        @Override
        public void close() {
            // the archive goes on
        }
    }

    /// Why a file beside the mails is passed over, whatever is in it.
    private static Optional<String> besideMails(String name) {
        String last = last(name);
        String lower = last.toLowerCase(Locale.ROOT);
        if (lower.equals(".ds_store") || lower.startsWith("._")) {
            return Optional.of("no report by its name");
        }
        if (MAIL_SERVER_FILE.matcher(last).matches()) {
            return Optional.of("a file of the mail server beside the mails");
        }
        if (MAILDIR_TMP.matcher(name).find()) {
            return Optional.of("a mail that is still being delivered");
        }
        return Optional.empty();
    }

    private static String last(String name) {
        return name.substring(name.lastIndexOf('/') + 1);
    }
}
