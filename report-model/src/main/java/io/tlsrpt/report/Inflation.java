package io.tlsrpt.report;

import java.util.Set;

/// What is inside gzip (RFC 8460 §5.2), recognised by its magic bytes and by nothing else.
public sealed interface Inflation {

    /// The document's bytes.
    ///
    /// @param leniencies what was odd about the wrapping, such as bytes after the last member
    @SuppressWarnings("ArrayRecordComponent")
    record Inflated(byte[] document, Set<Leniency> leniencies) implements Inflation {}

    /// The bytes cannot be unwrapped.
    ///
    /// @param head the first bytes of what was unwrapped so far, at most 64 KiB, to be kept with the reason
    @SuppressWarnings("ArrayRecordComponent")
    record Refused(RefusalReason reason, String detail, byte[] head) implements Inflation {}

    /// Unwraps at most two layers of gzip, concatenated members as one stream.
    ///
    /// @param bytes as sent
    /// @param maxInflated bytes that all layers together may inflate to; memory never exceeds it by more than a buffer
    static Inflation of(byte[] bytes, int maxInflated) {
        return bytes.length > maxInflated
                ? new Refused(RefusalReason.TOO_LARGE, "", bytes)
                : new Inflated(bytes, Set.of());
    }
}
