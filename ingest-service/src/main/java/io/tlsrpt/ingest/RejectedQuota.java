package io.tlsrpt.ingest;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/// How much of what is refused is kept of one remote address and of one submitter, so that a stranger cannot push
/// everybody else's out of the rejected topic, which is bounded in bytes (RFC 8460 §7: flooding).
///
/// Each has so many bytes, which come back evenly over an hour. Beyond them only the head of a document is kept, and of
/// that many heads nothing more. In memory, for at most 10,000 remotes and submitters: those not heard of for longest
/// begin anew.
final class RejectedQuota {

    /// Bytes kept of a document beyond the quota.
    static final int HEAD_BYTES = 4 * 1024;

    /// How many of those.
    private static final int HEADS = 1000;

    /// What a record costs besides its document.
    private static final int RECORD_BYTES = 1024;

    private static final int MAX_SENDERS = 10_000;
    private static final double REFILL_NANOS = 3600e9;

    /// How much of a document is kept.
    enum Keep {
        WHOLE,
        HEAD,
        NOTHING
    }

    private final double bytesAnHour;
    private final LongSupplier nanoTime;
    private final Map<String, Bucket> senders = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
            return size() > MAX_SENDERS;
        }
    };

    RejectedQuota(long bytesAnHour, LongSupplier nanoTime) {
        this.bytesAnHour = bytesAnHour;
        this.nanoTime = nanoTime;
    }

    /// Counts a document against everybody it came from.
    ///
    /// @param of remote and submitter, as far as known; a stranger's text, of which at most 64 characters are
    /// remembered
    /// @return as much as all of them may
    synchronized Keep ask(List<String> of, int bytes) {
        long now = nanoTime.getAsLong();
        List<Bucket> buckets = of.stream()
                .map(sender -> senders.computeIfAbsent(shortened(sender), first -> new Bucket(now)))
                .toList();
        buckets.forEach(bucket -> bucket.refill(now));
        double cost = bytes + RECORD_BYTES;
        if (buckets.stream().allMatch(bucket -> bucket.bytes >= cost)) {
            buckets.forEach(bucket -> bucket.bytes -= cost);
            return Keep.WHOLE;
        }
        if (buckets.stream().allMatch(bucket -> bucket.heads >= 1)) {
            buckets.forEach(bucket -> bucket.heads -= 1);
            return Keep.HEAD;
        }
        return Keep.NOTHING;
    }

    private static String shortened(String sender) {
        return sender.length() <= 64 ? sender : sender.substring(0, 64);
    }

    private final class Bucket {

        private double bytes = bytesAnHour;
        private double heads = HEADS;
        private long at;

        Bucket(long now) {
            this.at = now;
        }

        void refill(long now) {
            double hours = (now - at) / REFILL_NANOS;
            at = now;
            bytes = Math.min(bytesAnHour, bytes + hours * bytesAnHour);
            heads = Math.min(HEADS, heads + hours * HEADS);
        }
    }
}
