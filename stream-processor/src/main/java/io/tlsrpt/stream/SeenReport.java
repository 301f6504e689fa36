package io.tlsrpt.stream;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.report.Authentication;
import io.tlsrpt.topics.RawPosition;
import java.time.Instant;

/// What is remembered of a report that was counted: enough to know its copies and to replace it.
///
/// @param version of this form; 1
/// @param revision 0 for the first sighting, one more with each replacement
/// @param authentication the word of [Authentication]
@JsonPropertyOrder({"version", "revision", "authentication", "content-sha256", "received-at", "raw"})
record SeenReport(
        int version, int revision, String authentication, String contentSha256, Instant receivedAt, RawPosition raw) {

    static final int VERSION = 1;

    /// Whether a trusted copy takes this one's place.
    boolean replaceable() {
        return !Authentication.of(authentication).trusted();
    }
}
