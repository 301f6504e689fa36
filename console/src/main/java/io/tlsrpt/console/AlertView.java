package io.tlsrpt.console;

import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.JsonSerde;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// The alerts, firing ones before resolved ones, each newest change first.
///
/// Entries: `alert, state, updated-at (newest first), alert-id` → the alert as it stands on the topic; `id, alert-id` →
/// the key of that entry.
final class AlertView implements View {

    static final String STORE = "alerts-by-state";

    private static final String ALERT = "alert";
    private static final String ID = "id";
    private static final int MOST_FIRING = 10_000;

    private static final JsonSerde<Alert> VALUE = new JsonSerde<>(Alert.class);

    private final Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store;

    AlertView(Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store) {
        this.store = store;
    }

    /// Which alerts are asked for; an absent member matches all.
    ///
    /// @param domain the alert's policy-domain or one of its affected-domains
    /// @param labels the alert has all of these
    /// @param id what the alert-id begins with
    record Filter(
            @Nullable String state,
            @Nullable String domain,
            Map<String, String> labels,
            @Nullable String id) {

        private boolean matches(Bytes key, byte[] value) {
            if (id != null && !StoreKey.parts(key).getLast().startsWith(id)) {
                return false;
            }
            if (domain == null && labels.isEmpty()) {
                return true;
            }
            Alert alert = VALUE.read(value);
            return (domain == null || domains(alert).contains(domain)) && hasLabels(alert);
        }

        private boolean hasLabels(Alert alert) {
            Map<String, String> has = alert.labels() == null ? Map.of() : alert.labels();
            return labels.entrySet().stream().allMatch(label -> label.getValue().equals(has.get(label.getKey())));
        }
    }

    @Override
    public List<KeyValue<Bytes, byte @Nullable []>> changes(
            ReadOnlyKeyValueStore<Bytes, byte[]> current, byte[] keyBytes, byte @Nullable [] value) {
        Bytes idKey = StoreKey.of(ID, new String(keyBytes, StandardCharsets.UTF_8));
        List<KeyValue<Bytes, byte @Nullable []>> changes = new ArrayList<>();
        byte[] before = current.get(idKey);
        if (before != null) {
            changes.add(new KeyValue<>(Bytes.wrap(before), null));
        }
        if (value == null) {
            changes.add(new KeyValue<>(idKey, null));
        } else {
            Alert alert = VALUE.read(value);
            Bytes key = StoreKey.of(ALERT, alert.state(), StoreKey.newestFirst(alert.updatedAt()), alert.alertId());
            changes.add(new KeyValue<>(key, value));
            changes.add(new KeyValue<>(idKey, key.get()));
        }
        return changes;
    }

    byte @Nullable [] alert(String alertId) {
        byte[] key = store.get().get(StoreKey.of(ID, alertId));
        return key == null ? null : store.get().get(Bytes.wrap(key));
    }

    Page alerts(Filter filter, @Nullable Bytes cursor, PageLimit limit) {
        StoreKey.Range all = ofState(filter.state());
        return Page.of(
                store.get().range(cursor == null ? all.first() : cursor, all.last()),
                cursor,
                limit,
                alert -> filter.matches(alert.key, alert.value) ? alert.value : null);
    }

    /// The keys that a page of alerts can end with.
    ///
    /// @param state absent: of either
    static StoreKey.Range ofState(@Nullable String state) {
        return state == null ? StoreKey.Range.of(ALERT) : StoreKey.Range.of(ALERT, state);
    }

    /// What fires for a domain.
    ///
    /// @param worstSeverity `critical`, `warning` or `info`
    record Firing(int count, String worstSeverity) {

        private static final List<String> WORST_FIRST = List.of("critical", "warning", "info");

        private Firing and(Firing other) {
            return new Firing(
                    count + other.count,
                    WORST_FIRST.indexOf(worstSeverity) <= WORST_FIRST.indexOf(other.worstSeverity)
                            ? worstSeverity
                            : other.worstSeverity);
        }
    }

    /// What fires for each domain; an alert for a shared MX counts for every domain it names.
    Map<String, Firing> firingByDomain() {
        Map<String, Firing> firing = new HashMap<>();
        eachFiring(alert ->
                domains(alert).forEach(domain -> firing.merge(domain, new Firing(1, alert.severity()), Firing::and)));
        return firing;
    }

    /// The firing alerts that are wanted, newest change first.
    List<Alert> firing(Predicate<Alert> wanted) {
        List<Alert> firing = new ArrayList<>();
        eachFiring(alert -> {
            if (wanted.test(alert)) {
                firing.add(alert);
            }
        });
        return firing;
    }

    private void eachFiring(Consumer<Alert> each) {
        try (KeyValueIterator<Bytes, byte[]> alerts =
                store.get().range(StoreKey.first(ALERT, Alert.FIRING), StoreKey.after(ALERT, Alert.FIRING))) {
            for (int i = 0; i < MOST_FIRING && alerts.hasNext(); i++) {
                each.accept(VALUE.read(alerts.next().value));
            }
        }
    }

    private static Set<String> domains(Alert alert) {
        Set<String> domains = new LinkedHashSet<>();
        if (alert.policyDomain() != null) {
            domains.add(alert.policyDomain());
        }
        if (alert.evidence().affectedDomains() != null) {
            domains.addAll(alert.evidence().affectedDomains());
        }
        return domains;
    }
}
