package io.tlsrpt.mail;

import io.tlsrpt.report.Leniency;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// A body that holds no other entity, transfer-decoded.
///
/// @param type its media type in lower case
/// @param name of the file, or an empty string; only shown, or believed when there is nothing better
/// @param cut whether it goes on after these bytes
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
record Part(String place, String type, String name, byte[] bytes, boolean cut) {

    static final Pattern FILE = Pattern.compile("(?i)[^!]+![^!]+!\\d+!\\d+(![a-z0-9]+)?\\.json(\\.gz)?");

    /// @param sure whether it is a report by its type or content
    record Found(String place, byte[] bytes, boolean cut, Set<Leniency> leniencies, boolean sure) {}

    /// The report in this part, those in its zip, or none.
    List<Found> find(Zips zips) {
        Look look = Look.at(bytes);
        if (look.wrapping() == Look.Wrapping.ZIP && !cut) {
            List<Found> entries = zips.read(this);
            if (!entries.isEmpty() || zips.over()) {
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

    String named(String fileName) {
        return fileName.isEmpty() ? place : place + " (" + Head.shown(fileName) + ")";
    }

    static byte[] kept(byte[] bytes, boolean cut) {
        return cut ? Arrays.copyOf(bytes, Math.min(bytes.length, ReportMail.Document.HEAD_BYTES)) : bytes;
    }
}
