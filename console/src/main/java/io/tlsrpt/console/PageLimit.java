package io.tlsrpt.console;

/// How much one answer may hold, and how much may be looked at for it.
///
/// @param rows at most this many
/// @param bytes after the row that goes over it the page ends
/// @param scanned after so many entries looked at the page ends, full or not
/// @param patience how many times as long as a page somebody waits for
record PageLimit(int rows, long bytes, int scanned, int patience) {

    static final int MAX_ROWS = 10_000;
    static final int MAX_EXPORTED_ROWS = 100_000;

    private static final long MAX_BYTES = 8L * 1024 * 1024;
    private static final int MAX_SCANNED = 200_000;
    private static final int EXPORT = 8;

    PageLimit(int rows, long bytes, int scanned) {
        this(rows, bytes, scanned, 1);
    }

    static PageLimit rows(int rows) {
        return new PageLimit(rows, MAX_BYTES, MAX_SCANNED);
    }

    /// Of a whole table, to be saved: 64 MiB.
    static PageLimit export(int rows) {
        return new PageLimit(rows, EXPORT * MAX_BYTES, EXPORT * MAX_SCANNED, EXPORT);
    }

    /// The same where looking at an entry costs more.
    ///
    /// @param page entries that a page may look at
    PageLimit scanning(int page) {
        return new PageLimit(rows, bytes, patience * page, patience);
    }
}
