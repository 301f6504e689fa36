package io.tlsrpt.report;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.zip.DataFormatException;

/// What is inside gzip (RFC 8460 §5.2), recognised by its magic bytes and by nothing else.
public sealed interface Inflation {

    /// The document's bytes.
    ///
    /// @param leniencies what was odd about the wrapping, such as bytes after the last member
    @SuppressWarnings("ArrayRecordComponent")
    record Inflated(byte[] document, Set<Leniency> leniencies) implements Inflation {
        public Inflated {
            leniencies = Set.copyOf(leniencies);
        }
    }

    /// The bytes cannot be unwrapped: `too-large`, `truncated`, `not-json` (damaged gzip), or `too-deep` (a third
    /// layer).
    ///
    /// @param head the first bytes of what was unwrapped so far, at most 64 KiB, to be kept with the reason
    @SuppressWarnings("ArrayRecordComponent")
    record Refused(RefusalReason reason, String detail, byte[] head) implements Inflation {}

    /// Unwraps at most two layers of gzip, concatenated members as one stream (RFC 1952 §2.2).
    ///
    /// @param bytes as sent
    /// @param maxInflated bytes that all layers together may inflate to; memory never exceeds it by more than a buffer
    static Inflation of(byte[] bytes, int maxInflated) {
        Set<Leniency> leniencies = EnumSet.noneOf(Leniency.class);
        byte[] layer = bytes;
        int left = maxInflated;
        for (int layers = 0; GzipStream.startsLike(layer, 0); layers++) {
            if (layers == GzipStream.MAX_LAYERS) {
                return refused(RefusalReason.TOO_DEEP, "gzip in over two layers", layer);
            }
            if (layers == 1) {
                leniencies.add(Leniency.GZIP_TWICE);
            }
            GzipStream stream = new GzipStream(layer, left);
            try {
                layer = stream.inflate(leniencies);
            } catch (DataFormatException damaged) {
                return refused(
                        RefusalReason.NOT_JSON, "gzip is damaged after " + stream.size() + " bytes", stream.head());
            }
            switch (stream.end()) {
                case COMPLETE -> left -= layer.length;
                case TRUNCATED -> {
                    return refused(
                            RefusalReason.TRUNCATED, "gzip ends after " + stream.size() + " bytes", stream.head());
                }
                case OVER_LIMIT -> {
                    return refused(
                            RefusalReason.TOO_LARGE, "inflates to over " + maxInflated + " bytes", stream.head());
                }
            }
        }
        return layer.length > maxInflated
                ? refused(RefusalReason.TOO_LARGE, layer.length + " bytes are over " + maxInflated, layer)
                : new Inflated(layer, leniencies);
    }

    private static Refused refused(RefusalReason reason, String detail, byte[] content) {
        return new Refused(reason, detail, Arrays.copyOf(content, Math.min(content.length, GzipStream.HEAD)));
    }
}
