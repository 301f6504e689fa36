package io.tlsrpt.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/// A directory of mails as mail servers keep them: one file each in `new` or, once somebody looked, in `cur`; `tmp`
/// holds
/// those still being delivered. Subfolders are Maildirs, too.
final class Maildir {

    private static final Set<String> OWN = Set.of("cur", "new", "tmp");

    private Maildir() {}

    static boolean is(Path directory) {
        return isDirectory(directory.resolve("cur")) && isDirectory(directory.resolve("new"));
    }

    /// What stays the same of a mail's file name when it moves from `new` to `cur`, changes its flags, or changes
    /// folders.
    static String uniqueName(Path mail) {
        String name = mail.getFileName().toString();
        int flags = name.indexOf(':');
        return flags < 0 ? name : name.substring(0, flags);
    }

    /// Whether an import passes over what is in a Maildir's directory itself: mails under way, and the files of the
    /// mail
    /// server, which may be large.
    static boolean isBesideTheMails(Path entry, boolean directory) {
        return !directory || entry.endsWith("tmp");
    }

    /// Whether a directory is a Maildir or has one below it.
    static boolean isAbove(Path directory) throws IOException {
        if (is(directory)) {
            return true;
        }
        for (Path entry : entries(directory)) {
            if (isDirectory(entry) && isAbove(entry)) {
                return true;
            }
        }
        return false;
    }

    /// The mails of a directory and of all Maildirs below it, in the order of their paths. Links are not followed.
    ///
    /// @throws IOException when a directory cannot be listed
    static List<Path> mails(Path directory) throws IOException {
        List<Path> mails = new ArrayList<>();
        collect(directory, mails);
        Collections.sort(mails);
        return mails;
    }

    private static void collect(Path directory, List<Path> mails) throws IOException {
        boolean maildir = is(directory);
        for (Path entry : entries(directory)) {
            if (!isDirectory(entry)) {
                continue;
            }
            if (!maildir || !OWN.contains(entry.getFileName().toString())) {
                collect(entry, mails);
            } else if (!entry.endsWith("tmp")) {
                for (Path mail : entries(entry)) {
                    if (Files.isRegularFile(mail, LinkOption.NOFOLLOW_LINKS) && !isHidden(mail)) {
                        mails.add(mail);
                    }
                }
            }
        }
    }

    private static List<Path> entries(Path directory) throws IOException {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
            stream.forEach(entries::add);
        }
        return entries;
    }

    private static boolean isHidden(Path mail) {
        return mail.getFileName().toString().startsWith(".");
    }

    private static boolean isDirectory(Path path) {
        return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }
}
