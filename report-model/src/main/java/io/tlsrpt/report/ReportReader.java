package io.tlsrpt.report;

/// Makes a report from the bytes of a document: strict where strictness protects, tolerant by name where real senders
/// deviate.
/// Total: every input gives a [Reading], none an exception. Stateless and safe for many threads.
public final class ReportReader {

    private final Limits limits;

    public ReportReader(Limits limits) {
        this.limits = limits;
    }

    /// What a document may cost.
    ///
    /// @param maxDepth nesting of objects and arrays
    /// @param maxPolicies elements of `policies`
    /// @param maxDetails elements of all `failure-details` together
    /// @param maxStringBytes UTF-8 bytes of one string as sent
    public record Limits(int maxDepth, int maxPolicies, int maxDetails, int maxStringBytes) {
        public static final Limits DEFAULT = new Limits(32, 10_000, 100_000, 64 * 1024);
    }

    /// @param document the document's bytes after un-gzip and un-MIME
    public Reading read(byte[] document) {
        return new Reading.Unreadable(RefusalReason.NOT_JSON, "not built yet " + limits + document.length);
    }
}
