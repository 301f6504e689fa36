package io.tlsrpt.dkim;

import org.jspecify.annotations.Nullable;

/// The two ways to spell a mail before hashing (RFC 6376 §3.4). A bare LF counts as CRLF in both, since a Maildir and
/// many
/// mailboxes keep mails so.
enum Canonicalization {
    SIMPLE,
    RELAXED;

    /// By the name in `c=`; `null` when unknown.
    static @Nullable Canonicalization of(String name) {
        return switch (name) {
            case "simple" -> SIMPLE;
            case "relaxed" -> RELAXED;
            default -> null;
        };
    }

    /// A whole header field and its CRLF.
    void field(byte[] mail, Header.Field field, HashInput hash) {
        field(mail, field, field.end(), field.end(), hash);
        hash.crlf();
    }

    /// A header field without the bytes from `cutFrom` to `cutTo` and without its CRLF: a DKIM-Signature whose `b=` is
    /// taken as
    /// empty (RFC 6376 §3.7).
    void field(byte[] mail, Header.Field field, int cutFrom, int cutTo, HashInput hash) {
        if (this == SIMPLE) {
            lines(mail, field.start(), Math.min(cutFrom, field.end()), hash);
            lines(mail, cutTo, field.end(), hash);
            return;
        }
        for (int at = field.start(); at < field.nameEnd(); at++) {
            byte b = mail[at];
            hash.put(b >= 'A' && b <= 'Z' ? (byte) (b + ('a' - 'A')) : b);
        }
        hash.put((byte) ':');
        boolean space = false;
        boolean text = false;
        for (int at = field.colon() + 1; at < field.end(); at++) {
            if (at == cutFrom) {
                at = cutTo;
                if (at >= field.end()) {
                    break;
                }
            }
            byte b = mail[at];
            if (isWhite(b)) {
                space = true;
            } else if (!isLineBreak(mail, at, field.end())) {
                if (space && text) {
                    hash.put((byte) ' ');
                }
                hash.put(b);
                space = false;
                text = true;
            }
        }
    }

    /// The body: empty lines at its end do not count, and an empty body is CRLF when simple and nothing when relaxed.
    void body(byte[] mail, int from, HashInput hash) {
        long breaks = 0;
        boolean text = false;
        int at = from;
        while (at < mail.length) {
            int feed = at;
            while (feed < mail.length && mail[feed] != '\n') {
                feed++;
            }
            int end = feed < mail.length && feed > at && mail[feed - 1] == '\r' ? feed - 1 : feed;
            int last = end;
            while (this == RELAXED && last > at && isWhite(mail[last - 1])) {
                last--;
            }
            if (last > at) {
                for (; breaks > 0; breaks--) {
                    hash.crlf();
                }
                if (this == SIMPLE) {
                    hash.put(mail, at, last);
                } else {
                    squeezed(mail, at, last, hash);
                }
                text = true;
            }
            breaks++;
            at = feed + 1;
        }
        if (text || this == SIMPLE) {
            hash.crlf();
        }
    }

    /// Each run of white space as one space.
    private static void squeezed(byte[] mail, int from, int to, HashInput hash) {
        boolean space = false;
        for (int at = from; at < to; at++) {
            boolean white = isWhite(mail[at]);
            if (!white) {
                hash.put(mail[at]);
            } else if (!space) {
                hash.put((byte) ' ');
            }
            space = white;
        }
    }

    /// As it stands, every line break as CRLF.
    private static void lines(byte[] mail, int from, int to, HashInput hash) {
        for (int at = from; at < to; at++) {
            if (!isLineBreak(mail, at, to)) {
                hash.put(mail[at]);
            } else if (mail[at] == '\n') {
                hash.crlf();
            }
        }
    }

    private static boolean isLineBreak(byte[] mail, int at, int to) {
        return mail[at] == '\n' || (mail[at] == '\r' && at + 1 < to && mail[at + 1] == '\n');
    }

    private static boolean isWhite(byte b) {
        return b == ' ' || b == '\t';
    }
}
