package io.tlsrpt.mail;

import io.tlsrpt.report.Leniency;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;

/// A body that holds no other entity, transfer-decoded.
///
/// @param type its media type in lower case
/// @param name of the file, or an empty string; only shown, or believed when there is nothing better
/// @param cut whether it goes on after these bytes
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
record Part(String place, String type, String name, byte[] bytes, boolean cut) {

    private static final int MAX_ENTRIES = 100;
    private static final int MAX_ZIPS = 2;
    private static final Pattern FILE = Pattern.compile("(?i)[^!]+![^!]+!\\d+!\\d+(![a-z0-9]+)?\\.json(\\.gz)?");

    /// @param sure whether it is a report by its type or content
    record Found(String place, byte[] bytes, boolean cut, Set<Leniency> leniencies, boolean sure) {}

    /// The report in this part, those in its zip, or none.
    List<Found> find(ReportMail.Limits limits) {
        Look look = Look.at(bytes);
        if (look.wrapping() == Look.Wrapping.ZIP && !cut) {
            List<Found> entries = new Zip(limits).entries();
            if (!entries.isEmpty()) {
                return entries;
            }
        }
        boolean sure = prescribed() || look.likeness() == Look.Likeness.REPORT;
        if (!sure && !perhaps(look)) {
            return List.of();
        }
        return List.of(new Found(named(name), kept(bytes, cut), cut, leniencies(look), sure));
    }

    /// RFC 8460 §6.4 and §6.5, and what senders make of them.
    private boolean prescribed() {
        return type.equals("application/tlsrpt") || type.startsWith("application/tlsrpt+");
    }

    private boolean perhaps(Look look) {
        boolean text = type.startsWith("text/") && look.wrapping() == Look.Wrapping.NONE;
        return FILE.matcher(name).matches()
                || (look.likeness() == Look.Likeness.UNKNOWN && look.wrapping() != Look.Wrapping.ZIP && !text);
    }

    private Set<Leniency> leniencies(Look look) {
        Set<Leniency> leniencies = EnumSet.noneOf(Leniency.class);
        if (type.equals("application/tlsrpt+gzip")) {
            if (look.wrapping() != Look.Wrapping.GZIP) {
                leniencies.add(Leniency.MAIL_GZIP_LABEL);
            }
        } else if (type.equals("application/tlsrpt+json")) {
            if (look.wrapping() != Look.Wrapping.NONE) {
                leniencies.add(Leniency.MAIL_GZIP_LABEL);
            }
        } else if (type.startsWith("text/") && look.wrapping() == Look.Wrapping.NONE) {
            leniencies.add(Leniency.MAIL_IN_TEXT);
        } else {
            leniencies.add(Leniency.MAIL_MEDIA_TYPE);
        }
        return leniencies;
    }

    private String named(String fileName) {
        return fileName.isEmpty() ? place : place + " (" + Head.shown(fileName) + ")";
    }

    private static byte[] kept(byte[] bytes, boolean cut) {
        return cut ? Arrays.copyOf(bytes, Math.min(bytes.length, ReportMail.Document.HEAD_BYTES)) : bytes;
    }

    /// The entries of a zip, and of a zip in it: as many, and as much of them, as the limits allow. A broken zip has
    /// those before the break.
    private final class Zip {

        private final int documentBytes;
        private final int maxReports;
        private final List<Found> found = new ArrayList<>();
        private long left;
        private int entries;

        Zip(ReportMail.Limits limits) {
            this.documentBytes = limits.maxDocumentBytes();
            this.maxReports = limits.maxReports();
            this.left = 2L * documentBytes;
        }

        List<Found> entries() {
            read(bytes, 1);
            return found;
        }

        private void read(byte[] archive, int zips) {
            try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(archive))) {
                while (left > 0 && found.size() <= maxReports && ++entries <= MAX_ENTRIES) {
                    @Nullable ZipEntry entry = zip.getNextEntry();
                    if (entry == null) {
                        return;
                    }
                    byte[] content = zip.readNBytes((int) Math.min(left, documentBytes + 1L));
                    left -= content.length;
                    boolean over = content.length > documentBytes || left == 0;
                    take(entry.getName(), content, over, zips);
                    if (over) {
                        // the rest could be a bomb, and skipping it means inflating it
                        return;
                    }
                }
            } catch (IOException | IllegalArgumentException broken) {
                // what is before the break was taken; without any the zip itself is the document, and refused
                return;
            }
        }

        private void take(String entryName, byte[] content, boolean over, int zips) {
            Look look = Look.at(content);
            if (look.wrapping() == Look.Wrapping.ZIP) {
                if (zips < MAX_ZIPS && !over) {
                    read(content, zips + 1);
                }
                return;
            }
            String file = entryName.substring(entryName.lastIndexOf('/') + 1);
            boolean sure = look.likeness() == Look.Likeness.REPORT;
            if (sure
                    || look.likeness() == Look.Likeness.UNKNOWN
                    || FILE.matcher(file).matches()) {
                Set<Leniency> leniencies = EnumSet.of(Leniency.MAIL_ZIP);
                found.add(new Found(
                        named(name.isEmpty() ? file : name + "/" + file), kept(content, over), over, leniencies, sure));
            }
        }
    }
}
