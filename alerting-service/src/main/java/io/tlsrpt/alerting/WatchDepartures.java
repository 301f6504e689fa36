package io.tlsrpt.alerting;

import io.tlsrpt.topics.Alert;
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
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.jspecify.annotations.Nullable;

/// Forgets a domain where its aggregates are watched, and tells everyone who judges ([Departed]). It lies in the same
/// partition as the domain's aggregates and looks, so what was sent on about it before comes before this.
@SuppressWarnings("NullAway.Init") // Streams calls init before anything else
final class WatchDepartures extends ContextualProcessor<String, @Nullable Departure, String, Clue> {

    static final Set<String> STORES =
            Set.of(WatchMx.CELLS, WatchMx.MXS, WatchReporters.DAYS, WatchReporters.ATTENDANCE);

    @Override
    public void process(Record<String, @Nullable Departure> record) {
        if (!isOurs(record)) {
            return;
        }
        String domain = record.key();
        remind(domain);
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

    /// Whether it says what it should; anybody may write to the topic.
    static boolean isOurs(Record<String, @Nullable Departure> record) {
        Departure departure = record.value();
        return departure != null && departure.policyDomain().equals(record.key());
    }

    /// Lets the alerts that name a domain be taken over where they are judged, before that forgets it: an application
    /// that began anew does not know those that have ended.
    private void remind(String domain) {
        ReadOnlyKeyValueStore<String, ValueAndTimestamp<Alert>> memory =
                context().getStateStore(Judge.MEMORY);
        try (KeyValueIterator<String, ValueAndTimestamp<Alert>> all = memory.all()) {
            while (all.hasNext()) {
                Alert alert = all.next().value.value();
                List<String> affected = alert.evidence().affectedDomains();
                String subject = Subject.of(alert);
                if (subject != null
                        && (domain.equals(alert.policyDomain()) || (affected != null && affected.contains(domain)))) {
                    context()
                            .forward(new Record<>(
                                    subject,
                                    Clue.reminder(alert.alertId()),
                                    alert.updatedAt().toEpochMilli()));
                }
            }
        }
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
