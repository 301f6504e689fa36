package io.tlsrpt.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/// The unique names of the mails that are in already, a line each in a file. What a crash takes from it is imported
/// again,
/// as a duplicate.
final class ImportedMails {

    private static final int WASTE = 1_000;

    private final Path file;
    private final Set<String> names = new HashSet<>();
    private int lines;

    /// @throws Failure when the file cannot be read or written
    ImportedMails(Path file) {
        this.file = file;
        try {
            if (Files.exists(file)) {
                List<String> known = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
                names.addAll(known);
                lines = known.size();
            }
            append(List.of());
        } catch (IOException unusable) {
            throw new Failure("the file of imported mails cannot be used: " + Terminal.shown(file.toString())
                    + "; name another with --state");
        }
    }

    boolean contains(Path mail) {
        return names.contains(line(mail));
    }

    void add(Collection<Path> mails) throws IOException {
        List<String> added = new ArrayList<>();
        for (Path mail : mails) {
            if (names.add(line(mail))) {
                added.add(line(mail));
            }
        }
        append(added);
        lines += added.size();
    }

    /// Forgets mails that are gone, once they are many.
    ///
    /// @param present all mails there are
    void forgetOthersThan(Collection<Path> present) throws IOException {
        if (lines < 2 * present.size() + WASTE) {
            return;
        }
        names.retainAll(new HashSet<>(present.stream().map(ImportedMails::line).toList()));
        lines = names.size();
        Path whole = file.resolveSibling(file.getFileName() + ".new");
        Files.write(whole, names.stream().sorted().toList(), StandardCharsets.ISO_8859_1);
        Files.move(whole, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private void append(List<String> added) throws IOException {
        Files.write(file, added, StandardCharsets.ISO_8859_1, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /// On one line and in ISO 8859-1, whatever somebody named the file.
    private static String line(Path mail) {
        String name = Maildir.uniqueName(mail);
        return name.chars().allMatch(character -> character > ' ' && character < 0x7f)
                ? name
                : HexFormat.of().formatHex(name.getBytes(StandardCharsets.UTF_8));
    }
}
