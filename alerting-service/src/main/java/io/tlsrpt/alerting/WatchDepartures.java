package io.tlsrpt.alerting;

import io.tlsrpt.topics.Departure;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/// Forgets a domain where its aggregates are watched, and tells everyone who judges ([Departed]). It lies in the same
/// partition as the domain's aggregates and looks, so what was sent on about it before comes before this.
@SuppressWarnings("NullAway.Init") // Streams calls init before anything else
final class WatchDepartures extends ContextualProcessor<String, @Nullable Departure, String, Clue> {

    static final Set<String> STORES =
            Set.of(WatchMx.CELLS, WatchMx.MXS, WatchReporters.DAYS, WatchReporters.ATTENDANCE);

    @Override
    public void process(Record<String, @Nullable Departure> record) {
        if (record.value() == null || !record.value().policyDomain().equals(record.key())) {
            return; // another's
        }
        String domain = record.key();
        List<String> mxs = WatchMx.forget(
                domain, context().getStateStore(WatchMx.CELLS), context().getStateStore(WatchMx.MXS));
        List<String> submitters = WatchReporters.forget(
                domain,
                context().getStateStore(WatchReporters.DAYS),
                context().getStateStore(WatchReporters.ATTENDANCE));
        context()
                .forward(new Record<>(
                        Subject.DEPARTED, Clue.of(new Departed(domain, mxs, submitters)), record.timestamp()));
    }

    /// Deletes all that lies under a domain.
    ///
    /// @return what was there
    static <V> List<KeyValue<String, V>> take(String domain, KeyValueStore<String, V> store) {
        List<KeyValue<String, V>> taken = new ArrayList<>();
        try (KeyValueIterator<String, V> entries = store.prefixScan(StoreKey.prefix(domain), new StringSerializer())) {
            entries.forEachRemaining(taken::add);
        }
        taken.forEach(entry -> store.delete(entry.key));
        return taken;
    }

    /// Names once each, in order.
    static List<String> names(List<String> names) {
        return List.copyOf(new TreeSet<>(names));
    }
}
