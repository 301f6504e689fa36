package io.tlsrpt.benchmarks;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/// Sees committed records arrive in topics that were empty before.
final class Arrivals {

    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private Arrivals() {}

    /// What arrived in one topic. The rate counts from the first arrival, so that the start of what writes them is not
    /// measured; what came with the first arrival is not counted, because nobody knows how long it took.
    private static final class Counter {
        private int count;
        private int first;
        private long firstNanos;
        private long lastNanos;

        private void add(int records) {
            if (records == 0) {
                return;
            }
            long now = System.nanoTime();
            if (count == 0) {
                first = records;
                firstNanos = now;
            }
            count += records;
            lastNanos = now;
        }

        private double perSecond() {
            return count == first ? Double.NaN : (count - first) / ((lastNanos - firstNanos) / 1e9);
        }
    }

    /// Waits until every topic has that many records.
    ///
    /// @return reports per second, by topic; NaN where all came at once
    static Map<String, Double> await(Properties consumer, List<String> topics, int records) {
        Map<String, Counter> counters = new TreeMap<>();
        topics.forEach(topic -> counters.put(topic, new Counter()));
        try (KafkaConsumer<byte[], byte[]> client =
                new KafkaConsumer<>(consumer, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            client.assign(topics.stream()
                    .flatMap(topic -> client.partitionsFor(topic).stream())
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .toList());
            Stopwatch watch = Stopwatch.start();
            while (counters.values().stream().anyMatch(counter -> counter.count < records)) {
                if (watch.seconds() > PATIENCE.toSeconds()) {
                    throw new IllegalStateException("not all of " + records + " records arrived in " + topics);
                }
                Map<String, Integer> polled = new TreeMap<>();
                for (ConsumerRecord<byte[], byte[]> record : client.poll(POLL)) {
                    polled.merge(record.topic(), 1, Integer::sum);
                }
                counters.forEach((topic, counter) -> counter.add(polled.getOrDefault(topic, 0)));
            }
        }
        Map<String, Double> rates = new TreeMap<>();
        counters.forEach((topic, counter) -> rates.put(topic, counter.perSecond()));
        return rates;
    }
}
