package io.tlsrpt.mail;

import io.tlsrpt.report.Leniency;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;

/// Opens the zips of one mail, and zips in them: so many entries and so many bytes of all together, and no more. A
/// broken
/// zip has the entries before the break.
final class Zips {

    private static final int MAX_ENTRIES = 200;
    private static final int MAX_DEPTH = 2;

    private final int documentBytes;
    private long left;
    private int entries;
    private boolean over;

    Zips(ReportMail.Limits limits) {
        this.documentBytes = limits.maxDocumentBytes();
        this.left = 2L * documentBytes;
    }

    /// The reports in a part that is a zip.
    List<Part.Found> read(Part part) {
        List<Part.Found> found = new ArrayList<>();
        read(part, part.bytes(), 1, found);
        return found;
    }

    /// Whether there was more than the limits allow.
    boolean over() {
        return over;
    }

    private void read(Part part, byte[] archive, int depth, List<Part.Found> found) {
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(archive))) {
            while (!over) {
                @Nullable ZipEntry entry = zip.getNextEntry();
                if (entry == null) {
                    return;
                }
                byte[] content = zip.readNBytes((int) Math.min(left, documentBytes + 1L));
                left -= content.length;
                // to skip the rest of a large entry is to inflate it: it could be a bomb
                over = content.length > documentBytes || left == 0 || ++entries > MAX_ENTRIES;
                take(part, entry.getName(), content, depth, found);
            }
        } catch (IOException | IllegalArgumentException broken) {
            // what is before the break was taken; without any the zip itself is the document, and refused
            return;
        }
    }

    private void take(Part part, String name, byte[] content, int depth, List<Part.Found> found) {
        Look look = Look.at(content);
        if (look.wrapping() == Look.Wrapping.ZIP) {
            if (depth < MAX_DEPTH) {
                read(part, content, depth + 1, found);
            }
            return;
        }
        String file = name.substring(name.lastIndexOf('/') + 1);
        boolean sure = look.likeness() == Look.Likeness.REPORT;
        if (sure
                || look.likeness() == Look.Likeness.UNKNOWN
                || Part.FILE.matcher(file).matches()) {
            boolean cut = content.length > documentBytes;
            found.add(new Part.Found(
                    part.named(part.name().isEmpty() ? file : part.name() + "/" + file),
                    Part.kept(content, cut),
                    cut,
                    EnumSet.of(Leniency.MAIL_ZIP),
                    sure));
        }
    }
}
