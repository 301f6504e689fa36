package io.tlsrpt.alerting;

import io.tlsrpt.alerting.DetectionMetrics.Rejected;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.ReportHeaders;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.jspecify.annotations.Nullable;

/// Sends what was refused to its reporter, to our domains it is about, and to where silence is judged. Only headers and
/// key are looked at; the document, however large, goes no further.
@SuppressWarnings("NullAway.Init") // Streams calls init before anything else
final class WatchRejected implements Processor<@Nullable String, byte @Nullable [], String, Clue> {

    /// A report is about one domain, rarely about a few.
    private static final int MOST_DOMAINS = 20;

    private static final int MOST_KEY = 4_096;

    private final Supplier<Settings> settings;
    private final DetectionMetrics metrics;
    private ProcessorContext<String, Clue> context;
    private OurDomains ourDomains;

    private WatchRejected(Supplier<Settings> settings, DetectionMetrics metrics) {
        this.settings = settings;
        this.metrics = metrics;
    }

    @Override
    public void init(ProcessorContext<String, Clue> given) {
        context = given;
        ourDomains = new OurDomains(settings, context);
    }

    @Override
    public void process(Record<@Nullable String, byte @Nullable []> record) {
        Headers headers = record.headers();
        String word = ReportHeaders.text(headers, ReportHeaders.REASON);
        RefusalReason reason = word == null ? null : RefusalReason.of(word).orElse(null);
        if (reason == null) {
            metrics.rejected(Rejected.UNKNOWN_REASON);
            return;
        }
        if ("true".equals(ReportHeaders.text(headers, "backfill"))) {
            metrics.rejected(Rejected.BACKFILL);
            return;
        }
        long arrived = arrived(record);
        List<String> domains = domains(record.key(), headers, Instant.ofEpochMilli(arrived));
        String submitter = cleaned(ReportHeaders.text(headers, "submitter"), 255);
        if (submitter == null && domains.isEmpty()) {
            metrics.rejected(Rejected.NAMELESS);
            return;
        }
        metrics.rejected(Rejected.WATCHED);
        Clue clue = Clue.of(new Refusal(
                submitter,
                reason.word(),
                cleaned(ReportHeaders.text(headers, ReportHeaders.DETAIL), 200),
                cleaned(ReportHeaders.text(headers, "source"), 20),
                domains));
        // without the headers of the rejected record, which may be large
        for (String domain : domains) {
            context.forward(new Record<>(Subject.intake(domain), clue, arrived));
        }
        if (submitter != null) {
            context.forward(new Record<>(Subject.reporter(submitter), clue, arrived));
            if (!domains.isEmpty()) {
                context.forward(new Record<>(Subject.SILENCE, clue, arrived));
            }
        }
    }

    /// When the document arrived: a processor that reads an old one again refuses it again, today.
    private static long arrived(Record<@Nullable String, byte @Nullable []> record) {
        String receivedAt = ReportHeaders.text(record.headers(), "received-at");
        if (receivedAt == null) {
            return record.timestamp();
        }
        try {
            return Math.clamp(Instant.parse(receivedAt).toEpochMilli(), 0, record.timestamp());
        } catch (DateTimeException | ArithmeticException notOurs) {
            return record.timestamp();
        }
    }

    /// Ours, as far as the report-key, or else the channel, names them.
    private List<String> domains(@Nullable String key, Headers headers, Instant now) {
        List<String> named = List.of();
        if (key != null && key.length() <= MOST_KEY) {
            String last = key.substring(key.lastIndexOf('|') + 1);
            named = Arrays.asList((last.startsWith("@") ? last.substring(1) : last).split(",", -1));
        }
        String channel = ReportHeaders.text(headers, "channel-domain");
        List<String> ours = ours(named, now);
        return ours.isEmpty() && channel != null ? ours(List.of(channel), now) : ours;
    }

    private List<String> ours(List<String> named, Instant now) {
        return named.stream()
                .filter(domain -> domain.indexOf('.') > 0 && domain.length() <= 253 && ourDomains.has(domain, now))
                .distinct()
                .limit(MOST_DOMAINS)
                .toList();
    }

    private static @Nullable String cleaned(@Nullable String text, int most) {
        return text == null || text.isEmpty() ? null : CleanText.of(text, most);
    }

    static ProcessorSupplier<@Nullable String, byte @Nullable [], String, Clue> supplier(
            Supplier<Settings> settings, DetectionMetrics metrics) {
        return () -> new WatchRejected(settings, metrics);
    }
}
