package io.tlsrpt.console;

/// How much one answer may hold, and how much may be looked at for it.
///
/// @param rows at most this many
/// @param bytes after the row that goes over it the page ends
/// @param scanned after so many entries looked at the page ends, full or not
record PageLimit(int rows, long bytes, int scanned) {

    static final int MAX_ROWS = 10_000;

    private static final long MAX_BYTES = 8L * 1024 * 1024;
    private static final int MAX_SCANNED = 200_000;

    static PageLimit rows(int rows) {
        return new PageLimit(rows, MAX_BYTES, MAX_SCANNED);
    }
}
