package io.tlsrpt.ingest;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/// What is counted of one IMAP mailbox. The label `mailbox` is its name in the settings, so there are few of them. At
/// rest:
///
///     tlsrpt.mailbox.fetched = tlsrpt.mailbox.mails over all outcomes
final class MailboxMetrics {

    /// What came of a mail that was fetched.
    enum Fate {
        /// its reports, or why they are none, are on the broker
        KEPT,
        /// somebody's mail, left alone or moved aside
        OTHER,
        /// to be fetched again: the broker is away
        AGAIN,
        /// to be fetched again: DNS does not tell whose it is
        UNPROVEN
    }

    private final MeterRegistry meters;
    private final String mailbox;
    private final AtomicInteger up = new AtomicInteger();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger late = new AtomicInteger();
    private final AtomicInteger full = new AtomicInteger();

    MailboxMetrics(MeterRegistry meters, String mailbox) {
        this.meters = meters;
        this.mailbox = mailbox;
        Gauge.builder("tlsrpt.mailbox.up", up, AtomicInteger::get)
                .description("1 while the mailbox is open")
                .tag("mailbox", mailbox)
                .register(meters);
        Gauge.builder("tlsrpt.mailbox.open", open, AtomicInteger::get)
                .description("Mails that were fetched and wait for another try or for their mark")
                .tag("mailbox", mailbox)
                .register(meters);
        Gauge.builder("tlsrpt.mailbox.late", late, AtomicInteger::get)
                .description("Mails that could not be judged for days and are tried once a day")
                .tag("mailbox", mailbox)
                .register(meters);
        Gauge.builder("tlsrpt.mailbox.full", full, AtomicInteger::get)
                .description("1 while new mail waits because too many are open")
                .tag("mailbox", mailbox)
                .register(meters);
        counter("tlsrpt.mailbox.fetched", "Mails that were read");
        counter("tlsrpt.mailbox.failures", "Connections that could not be made or broke");
        for (Fate fate : Fate.values()) {
            mails(fate);
        }
    }

    void up(boolean isUp) {
        up.set(isUp ? 1 : 0);
    }

    void open(int openMails, int lateMails) {
        open.set(openMails);
        late.set(lateMails);
    }

    void full(boolean isFull) {
        full.set(isFull ? 1 : 0);
    }

    void fetched() {
        counter("tlsrpt.mailbox.fetched", "Mails that were read").increment();
    }

    void decided(Fate fate) {
        mails(fate).increment();
    }

    void failed() {
        counter("tlsrpt.mailbox.failures", "Connections that could not be made or broke")
                .increment();
    }

    private Counter mails(Fate fate) {
        return Counter.builder("tlsrpt.mailbox.mails")
                .description("Mails that were read, by what came of them")
                .tag("mailbox", mailbox)
                .tag("outcome", fate.name().toLowerCase(Locale.ROOT))
                .register(meters);
    }

    private Counter counter(String name, String description) {
        return Counter.builder(name)
                .description(description)
                .tag("mailbox", mailbox)
                .register(meters);
    }
}
