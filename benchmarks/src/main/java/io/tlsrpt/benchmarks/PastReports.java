package io.tlsrpt.benchmarks;

import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.Topics;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/// What the stream-processor would have written if many reporters had reported daily about many domains: one report and
/// one cell for each day, domain and reporter, in the order of arrival.
///
/// Three cells in a hundred have failures, of one to three result types at one MX; one domain in a hundred names 1,000
/// MX hosts each time it fails. One reporter in twenty is unauthenticated.
///
/// @param seed everything follows from it
/// @param last the newest day reported
record PastReports(int domains, int days, int reporters, long seed, LocalDate last) {

    private static final double FAILING = 0.03;
    private static final int MANY_MX_EVERY = 100;
    private static final int MANY_MX = 1_000;
    private static final int UNAUTHENTICATED_EVERY = 20;
    private static final List<String> RESULT_TYPES =
            List.of("certificate-host-mismatch", "starttls-not-supported", "validation-failure");

    private static final JsonSerde<AggregateKey> KEY = new JsonSerde<>(AggregateKey.class);
    private static final JsonSerde<Aggregate> CELL = new JsonSerde<>(Aggregate.class);
    private static final JsonSerde<AcceptedReport> REPORT = new JsonSerde<>(AcceptedReport.class);

    /// As many as reports.
    int cells() {
        return Math.multiplyExact(Math.multiplyExact(domains, days), reporters);
    }

    LocalDate first() {
        return last.minusDays(days - 1L);
    }

    String domain(int number) {
        return "domain%04d.example.com".formatted(Math.floorMod(number, domains));
    }

    /// Writes all of them, with the keys, partitions and headers that the stream-processor's have.
    ///
    /// @param partitions of each topic
    void writeTo(Topics topics, int partitions, Properties producer) {
        SplittableRandom random = new SplittableRandom(seed);
        AtomicReference<Exception> failure = new AtomicReference<>();
        Callback onFailure = (metadata, failed) -> failure.compareAndSet(null, failed);
        try (KafkaProducer<String, byte[]> reports =
                        new KafkaProducer<>(producer, new StringSerializer(), new ByteArraySerializer());
                KafkaProducer<byte[], byte[]> cells =
                        new KafkaProducer<>(producer, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (LocalDate day = first(); !day.isAfter(last); day = day.plusDays(1)) {
                for (int reporter = 0; reporter < reporters; reporter++) {
                    for (int domain = 0; domain < domains; domain++) {
                        Aggregate cell = cell(day, domain, reporter, random);
                        AcceptedReport report = report(cell, random);
                        var unused = reports.send(
                                record(topics.reports(), null, report.reportKey(), REPORT.write(report)), onFailure);
                        unused = cells.send(
                                record(
                                        topics.aggregates(),
                                        Topics.partition(cell.policyDomain(), partitions),
                                        KEY.write(cell.key()),
                                        CELL.write(cell)),
                                onFailure);
                    }
                }
            }
        }
        if (failure.get() != null) {
            throw new IllegalStateException("a record was not acknowledged", failure.get());
        }
    }

    private static <K> ProducerRecord<K, byte[]> record(
            Topics.Topic topic, @Nullable Integer partition, K key, byte[] value) {
        return new ProducerRecord<>(topic.name(), partition, key, value, topic.newHeaders());
    }

    private Aggregate cell(LocalDate day, int domain, int reporter, SplittableRandom random) {
        String name = domain(domain);
        List<Aggregate.Failure> failures = random.nextDouble() < FAILING ? failures(name, domain, random) : List.of();
        long failed = failures.stream()
                .mapToLong(Aggregate.Failure::failedSessionCount)
                .sum();
        Instant arrived = day.plusDays(1)
                .atStartOfDay(ZoneOffset.UTC)
                .plusSeconds(3_600 + random.nextInt(6 * 3_600))
                .toInstant();
        return new Aggregate(
                day,
                name,
                "sts",
                "sender%02d.example".formatted(reporter),
                reporter % UNAUTHENTICATED_EVERY == UNAUTHENTICATED_EVERY - 1 ? "none" : "dkim",
                (long) Math.exp(random.nextDouble(12)),
                failed,
                1,
                "enforce",
                failures,
                arrived,
                arrived,
                end(day),
                false);
    }

    private static List<Aggregate.Failure> failures(String name, int domain, SplittableRandom random) {
        List<Aggregate.Failure> failures = new ArrayList<>();
        if (domain % MANY_MX_EVERY == 0) {
            for (int mx = 0; mx < MANY_MX; mx++) {
                failures.add(failure("certificate-host-mismatch", "mx%04d.%s".formatted(mx, name), random));
            }
        } else {
            for (String resultType : RESULT_TYPES.subList(0, 1 + random.nextInt(RESULT_TYPES.size()))) {
                failures.add(failure(resultType, "mx1." + name, random));
            }
        }
        return failures;
    }

    private static Aggregate.Failure failure(String resultType, String mx, SplittableRandom random) {
        return new Aggregate.Failure(
                resultType, mx, 1 + random.nextInt(50), 1, List.of("192.0.2." + random.nextInt(256)), List.of());
    }

    private static AcceptedReport report(Aggregate cell, SplittableRandom random) {
        Instant start = cell.window().atStartOfDay(ZoneOffset.UTC).toInstant();
        String reportId = start + "_" + cell.policyDomain();
        return new AcceptedReport(
                cell.submitter() + "|" + reportId + "|" + start + "|" + cell.policyDomain(),
                0,
                cell.submitter(),
                "Sender " + cell.submitter() + " Inc.",
                "smtp-tls-reporting@" + cell.submitter(),
                reportId,
                start,
                end(cell.window()),
                List.of(cell.policyDomain()),
                List.of(new AcceptedReport.Entry(
                        cell.policyDomain(),
                        cell.policyType(),
                        cell.policyMode(),
                        cell.totalSuccessfulSessionCount(),
                        cell.totalFailureSessionCount())),
                cell.authentication(),
                "smtp",
                cell.lastReceivedAt(),
                false,
                List.of(),
                new RawPosition(random.nextInt(4), random.nextInt(Integer.MAX_VALUE)),
                null);
    }

    private static Instant end(LocalDate day) {
        return day.plusDays(1)
                .atStartOfDay(ZoneOffset.UTC)
                .minus(Duration.ofSeconds(1))
                .toInstant();
    }
}
