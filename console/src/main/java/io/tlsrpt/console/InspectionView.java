package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.JsonSerde;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// What each domain showed when it was last looked at, and how long its TLSRPT record has been seen.
///
/// Entries: `latest, policy-domain` → the inspection as it stands on the topic, also after the topic has dropped it;
/// `record, policy-domain` → [TlsRptRecord].
final class InspectionView implements View {

    /// Another name whenever entries change their form: a store of this name is then read anew from its topic.
    static final String STORE = "inspections-by-domain-2";

    private static final String LATEST = "latest";
    private static final String RECORD = "record";
    private static final Duration KEPT = Duration.ofDays(90);

    private static final JsonSerde<Inspection> INSPECTION = new JsonSerde<>(Inspection.class);
    private static final JsonSerde<TlsRptRecord> TLSRPT_RECORD = new JsonSerde<>(TlsRptRecord.class);

    private final Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store;

    InspectionView(Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store) {
        this.store = store;
    }

    /// The TLSRPT record of a domain, as the looks at it tell.
    ///
    /// @param state `found`, `missing`, `broken` (senders cannot read it) or `unknown`
    /// @param foundSince the first of the looks in a row that found it; one that learnt nothing breaks no row
    @JsonPropertyOrder({"state", "found-since", "inspected-at"})
    record TlsRptRecord(String state, @Nullable Instant foundSince, Instant inspectedAt) {

        static final String FOUND = "found";
        static final String MISSING = "missing";
        static final String BROKEN = "broken";
        static final String UNKNOWN = "unknown";

        private static TlsRptRecord after(@Nullable TlsRptRecord before, Inspection look) {
            Inspection.TlsRpt seen = look.tlsRpt();
            String state = switch (seen == null ? UNKNOWN : seen.state()) {
                case "published" -> FOUND;
                case "missing" -> MISSING;
                case "invalid", "several" -> BROKEN;
                default -> UNKNOWN;
            };
            Instant known = before == null ? null : before.foundSince;
            return new TlsRptRecord(
                    state,
                    switch (state) {
                        case FOUND -> known == null ? look.inspectedAt() : known;
                        case UNKNOWN -> known;
                        default -> null;
                    },
                    look.inspectedAt());
        }

        /// Whether it was first seen so short a time ago.
        boolean foundWithin(Duration time, Instant now) {
            return state.equals(FOUND)
                    && foundSince != null
                    && foundSince.plus(time).isAfter(now);
        }
    }

    @Override
    public List<KeyValue<Bytes, byte @Nullable []>> changes(
            ReadOnlyKeyValueStore<Bytes, byte[]> current, byte[] keyBytes, byte @Nullable [] value) {
        String domain = new String(keyBytes, StandardCharsets.UTF_8);
        Bytes latestKey = StoreKey.of(LATEST, domain);
        Bytes recordKey = StoreKey.of(RECORD, domain);
        if (value == null) {
            return Arrays.asList(new KeyValue<>(latestKey, null), new KeyValue<>(recordKey, null));
        }
        Inspection look = INSPECTION.read(value);
        TlsRptRecord before = TLSRPT_RECORD.readOrNull(current.get(recordKey));
        if (before != null && look.inspectedAt().isBefore(before.inspectedAt())) {
            return List.of();
        }
        return List.of(
                new KeyValue<>(latestKey, value),
                new KeyValue<>(recordKey, TLSRPT_RECORD.write(TlsRptRecord.after(before, look))));
    }

    /// The latest one that the topic still keeps.
    byte @Nullable [] of(String domain, Instant now) {
        byte[] latest = store.get().get(StoreKey.of(LATEST, domain));
        return latest == null || gone(INSPECTION.read(latest).inspectedAt(), now) ? null : latest;
    }

    /// The same, read.
    @Nullable
    Inspection latest(String domain, Instant now) {
        return INSPECTION.readOrNull(of(domain, now));
    }

    /// What is known of the TLSRPT record; absent when nobody has looked for as long as the topic keeps looks.
    @Nullable
    TlsRptRecord record(String domain, Instant now) {
        TlsRptRecord seen = TLSRPT_RECORD.readOrNull(store.get().get(StoreKey.of(RECORD, domain)));
        return seen == null || gone(seen.inspectedAt(), now) ? null : seen;
    }

    private static boolean gone(Instant inspectedAt, Instant now) {
        return inspectedAt.plus(KEPT).isBefore(now);
    }
}
