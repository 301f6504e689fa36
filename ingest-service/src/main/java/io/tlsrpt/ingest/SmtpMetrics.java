package io.tlsrpt.ingest;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.tlsrpt.runtime.ReloadingKeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/// What the SMTP and LMTP listeners count. Every connection ends in one way, every mail that came to its end has one
/// answer:
///
///     tlsrpt.smtp.connections = tlsrpt.smtp.ended + tlsrpt.smtp.open
///     tlsrpt.smtp.mails       = tlsrpt.smtp.answered          (at rest)
final class SmtpMetrics {

    /// How a connection ended. All but the first two were turned away.
    enum Ended {
        QUIT,
        /// the peer closed it, or it broke
        GONE,
        TOO_MANY,
        TOO_MANY_FROM_ONE,
        SLOW,
        TOO_MUCH_TALK,
        BAD_COMMANDS,
        NOT_SMTP,
        HANDSHAKE,
        /// something was said in plaintext after `STARTTLS`
        INJECTION,
        /// far over the size limit, and still no end
        ENDLESS,
        /// we stop
        STOPPING,
        /// a fault of ours
        INTERNAL
    }

    /// What the end of a mail was answered with.
    enum Answer {
        KEPT,
        TRY_AGAIN,
        NO_ROOM
    }

    /// What was refused of an envelope.
    enum Refused {
        RECIPIENT,
        TOO_MANY_RECIPIENTS,
        TOO_LARGE
    }

    private final MeterRegistry meters;
    private final AtomicInteger open = new AtomicInteger();

    SmtpMetrics(MeterRegistry meters) {
        this.meters = meters;
        Gauge.builder("tlsrpt.smtp.open", open, AtomicInteger::get)
                .description("SMTP and LMTP connections at this moment")
                .register(meters);
        for (Source source : List.of(Source.SMTP, Source.LMTP)) {
            for (Ended how : Ended.values()) {
                counter(source, how);
            }
        }
    }

    private Counter counter(Source source, Ended how) {
        return Counter.builder("tlsrpt.smtp.ended")
                .description("SMTP and LMTP connections by how they ended")
                .tag("source", source.word())
                .tag("how", word(how))
                .register(meters);
    }

    /// @param keyStore of both listeners, whose certificate shows as that of `smtp`
    void watch(ReloadingKeyStore keyStore) {
        keyStore.watch("smtp", meters);
    }

    void connected(Source source) {
        open.incrementAndGet();
        Counter.builder("tlsrpt.smtp.connections")
                .description("SMTP and LMTP connections")
                .tag("source", source.word())
                .register(meters)
                .increment();
    }

    void ended(Source source, Ended how) {
        open.decrementAndGet();
        counter(source, how).increment();
    }

    void mail(Source source, boolean tls) {
        Counter.builder("tlsrpt.smtp.mails")
                .description("Mails received to their end")
                .tag("source", source.word())
                .tag("tls", tls ? "yes" : "no")
                .register(meters)
                .increment();
    }

    void answered(Source source, Answer answer, Duration took) {
        Counter.builder("tlsrpt.smtp.answered")
                .description("Mails by what their end was answered with")
                .tag("source", source.word())
                .tag("answer", word(answer))
                .register(meters)
                .increment();
        Timer.builder("tlsrpt.smtp.seconds")
                .description("From the end of a mail to its answer")
                .tag("source", source.word())
                .register(meters)
                .record(took);
    }

    void refused(Source source, Refused what) {
        Counter.builder("tlsrpt.smtp.refused")
                .description("Senders and recipients that were refused")
                .tag("source", source.word())
                .tag("what", word(what))
                .register(meters)
                .increment();
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
