package io.tlsrpt.ingest;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;

/// The documents in a file: the file itself, or what a zip holds, in its order. Zips inside a zip are opened one level
/// deep; what lies deeper is a document like any other. Names are a stranger's: only shown, never used.
///
/// Streamed: one document at a time is in memory.
final class ReportFiles {

    /// @param documentBytes of one document as it lies in the file; of a longer one only the head is handed on
    /// @param entries of all archives together
    /// @param inflatedBytes of all archives together
    record Limits(int documentBytes, int entries, long inflatedBytes) {

        private static final int MAX_ENTRIES = 100_000;
        private static final long FREE = 256L * 1024 * 1024;
        private static final int MAX_RATIO = 200;

        /// For an upload of that size: reports shrink to a tenth or a twentieth, bombs to a thousandth.
        static Limits of(int documentBytes, long uploadBytes) {
            return new Limits(documentBytes, MAX_ENTRIES, FREE + MAX_RATIO * uploadBytes);
        }
    }

    /// Something in the file.
    sealed interface Found {

        String name();

        /// @param cut whether these bytes are only its head
        @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
        record Document(String name, byte[] bytes, boolean cut) implements Found {}

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
        Optional<String> skip = whySkipped(name);
        if (skip.isPresent()) {
            sink.found(new Found.Skipped(name, skip.get()));
            return;
        }
        InputStream in = new BufferedInputStream(raw, 16 * 1024);
        in.mark(4);
        byte[] magic = in.readNBytes(4);
        in.reset();
        if (archives < MAX_ARCHIVES && isZip(magic)) {
            archive(in, name, inside, archives);
        } else {
            document(in, name);
        }
    }

    private static boolean isZip(byte[] magic) {
        return magic.length == 4
                && magic[0] == 'P'
                && magic[1] == 'K'
                && ((magic[2] == 3 && magic[3] == 4) || (magic[2] == 5 && magic[3] == 6));
    }

    private void archive(InputStream in, String name, String inside, int archives)
            throws IOException, InterruptedException {
        ZipInputStream zip = new ZipInputStream(in);
        while (true) {
            @Nullable ZipEntry entry;
            try {
                entry = zip.getNextEntry();
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
            String entryName = inside + entry.getName();
            if (entry.isDirectory()) {
                sink.found(new Found.Skipped(entryName, "a directory"));
                continue;
            }
            Entry content = new Entry(zip);
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
        sink.found(new Found.Document(
                name,
                cut ? java.util.Arrays.copyOf(bytes, Math.min(bytes.length, Submission.HEAD_BYTES)) : bytes,
                cut));
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

        Entry(ZipInputStream zip) {
            super(zip);
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

    private static Optional<String> whySkipped(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        String last = lower.substring(lower.lastIndexOf('/') + 1);
        if (last.endsWith(".eml") || last.endsWith(".mbox") || last.endsWith(".msg")) {
            return Optional.of("mail files are not read by this release");
        }
        if (last.equals(".ds_store") || last.startsWith("._") || last.endsWith(".md") || last.endsWith(".txt")) {
            return Optional.of("no report by its name");
        }
        return Optional.empty();
    }
}
