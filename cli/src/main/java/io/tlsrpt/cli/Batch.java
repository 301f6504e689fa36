package io.tlsrpt.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Files that go to the server in one request: several small ones packed into a zip, or one by itself.
///
/// @param bytes size of the files
record Batch(List<ReportFile> files, long bytes) {

    private static final int MOST_FILES = 500;
    private static final List<String> ARCHIVES = List.of(".zip", ".tar", ".tar.gz", ".tgz");
    private static final long MOST_BYTES = 16L * 1024 * 1024;

    /// A file to import.
    ///
    /// @param size when it was found
    record ReportFile(Path path, long size) {

        /// Archives are opened by the server, and large files need not be held here.
        private boolean alone() {
            String name = path.toString().toLowerCase(Locale.ROOT);
            return size > MOST_BYTES || ARCHIVES.stream().anyMatch(name::endsWith);
        }
    }

    Batch {
        files = List.copyOf(files);
    }

    /// The first files of a list, as many as fit.
    static Batch first(List<ReportFile> files) {
        if (files.getFirst().alone()) {
            return new Batch(files.subList(0, 1), files.getFirst().size());
        }
        int count = 0;
        long bytes = 0;
        while (count < files.size()
                && count < MOST_FILES
                && !files.get(count).alone()
                && (count == 0 || bytes + files.get(count).size() <= MOST_BYTES)) {
            bytes += files.get(count).size();
            count++;
        }
        return new Batch(files.subList(0, count), bytes);
    }

    /// Whether it is an archive or a large file by itself.
    boolean single() {
        return files.size() == 1 && files.getFirst().alone();
    }

    /// What the server is told the body is.
    String name() {
        return single() ? files.getFirst().path().toString() : "import.zip";
    }

    /// @param unreadable is told of files that cannot be read any more
    HttpRequest.BodyPublisher body(Consumer<Path> unreadable) throws IOException {
        if (single()) {
            return HttpRequest.BodyPublishers.ofFile(files.getFirst().path());
        }
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(packed)) {
            zip.setLevel(Deflater.BEST_SPEED);
            for (ReportFile file : files) {
                byte[] document;
                try {
                    document = Files.readAllBytes(file.path());
                } catch (IOException failed) {
                    unreadable.accept(file.path());
                    continue;
                }
                zip.putNextEntry(new ZipEntry(file.path().toString()));
                zip.write(document);
                zip.closeEntry();
            }
        }
        return HttpRequest.BodyPublishers.ofByteArray(packed.toByteArray());
    }
}
