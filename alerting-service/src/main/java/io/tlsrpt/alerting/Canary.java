package io.tlsrpt.alerting;

import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Verdict;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sends a [CanaryReport] through each channel of `alerting.canary` now and then and waits for its verdict. When it has
/// come through all of them, the configured address is called: whoever is called raises the alarm when the calls stay
/// away, whatever broke on the way, name, proxy, certificate, mail relay, intake, broker or processor.
///
/// One instance sends. Metric `tlsrpt.canary.reports{channel,outcome}`, where
///
///     sent = returned + lost + those still under way
///
/// `tlsrpt.canary.seconds{channel}`: timer, from sending to the verdict, of those that returned,
/// and `tlsrpt.canary.pings{result}`: `arrived`, `failed`; there is one for each round that came through.
final class Canary implements AutoCloseable {

    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration TIMEOUT = Duration.ofSeconds(15);
    private static final Duration FAREWELL = Duration.ofSeconds(5);
    /// Before sending is tried again when the verdicts cannot be read.
    private static final Duration AGAIN = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(Canary.class);

    /// A way in.
    enum Channel {
        HTTPS(
                Duration.ofMinutes(15),
                "post-to as senders reach it: its name, the proxy before the intake, certificate, firewall, tokens"),
        /// A relay may make it wait, a mailbox is looked into now and then.
        MAIL(
                Duration.ofHours(1),
                "the mail-server's queue and log, mail-to among the recipients, the mailbox that is fetched");

        private final Duration patience;
        private final String lookAt;

        Channel(Duration patience, String lookAt) {
            this.patience = patience;
            this.lookAt = lookAt;
        }

        /// How long a report may be under way.
        Duration patience() {
            return patience;
        }

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Hands a report to a channel: a blocking call of bounded time.
    interface Sending {
        Attempt send(Channel channel, AlertingSettings settings, CanaryReport report, Instant now);
    }

    /// The verdicts given since this was made.
    interface Verdicts extends AutoCloseable {

        /// Those of these reports among all that came meanwhile.
        List<Verdict> of(Set<String> reportKeys);

        @Override
        void close();
    }

    /// The reports that were sent at the same time.
    private static final class Round {
        private final AlertingSettings.Canary settings;
        private int missing;

        /// @param missing reports that have not come through
        Round(AlertingSettings.Canary settings, int missing) {
            this.settings = settings;
            this.missing = missing;
        }
    }

    private record Flight(Channel channel, Instant since, Round round) {}

    private final Surroundings surroundings;
    private final BooleanSupplier leads;
    private final Sending sending;
    private final Supplier<? extends Verdicts> opening;
    private final Function<AlertingSettings.Canary, Attempt> call;
    private final Map<String, Flight> flights = new LinkedHashMap<>();
    private final ScheduledExecutorService schedule = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("canary").factory());
    private @Nullable Verdicts verdicts;
    private @Nullable Instant last;
    private Instant notBefore = Instant.MIN;

    /// @param leads whether this is the one instance that sends
    Canary(Surroundings surroundings, BooleanSupplier leads) {
        this(
                surroundings,
                leads,
                Canary::send,
                () -> new VerdictTail(surroundings.settings()),
                canary -> new OutgoingHttp(URI.create(canary.url().reveal()), canary.allowPrivateAddresses(), TIMEOUT)
                        .get(surroundings.clock().instant()));
    }

    /// With everything replaced that reaches outside.
    Canary(
            Surroundings surroundings,
            BooleanSupplier leads,
            Sending sending,
            Supplier<? extends Verdicts> opening,
            Function<AlertingSettings.Canary, Attempt> call) {
        this.surroundings = surroundings;
        this.leads = leads;
        this.sending = sending;
        this.opening = opening;
        this.call = call;
        for (Channel channel : Channel.values()) {
            for (String outcome : List.of("sent", "returned", "lost")) {
                count(channel, outcome, 0);
            }
        }
        MeterRegistry meters = surroundings.meters();
        meters.counter("tlsrpt.canary.pings", "result", "arrived");
        meters.counter("tlsrpt.canary.pings", "result", "failed");
    }

    @SuppressWarnings("FutureReturnValueIgnored") // run() cannot throw
    void start() {
        schedule.scheduleWithFixedDelay(this::run, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void run() {
        try {
            tick();
        } catch (RuntimeException unforeseen) {
            LOG.atError().setCause(unforeseen).log("the canary stumbled and goes on");
        }
    }

    /// One look at what is due and what came back.
    void tick() {
        AlertingSettings settings = surroundings.current().get().alerting();
        AlertingSettings.Canary wanted = settings.canary();
        Instant now = surroundings.clock().instant();
        if (wanted != null && leads.getAsBoolean() && due(wanted, now)) {
            sendRound(settings, wanted, now);
        }
        Verdicts open = verdicts;
        if (open != null) {
            receive(open);
            giveUp(surroundings.clock().instant());
            if (flights.isEmpty()) {
                stopReading();
            }
        }
    }

    /// The first one waits until everything here is up, the front door too.
    private boolean due(AlertingSettings.Canary wanted, Instant now) {
        return last == null
                ? surroundings.health().isReady() && !now.isBefore(notBefore)
                : !now.isBefore(last.plus(wanted.every())) && !now.isBefore(notBefore);
    }

    private void sendRound(AlertingSettings settings, AlertingSettings.Canary wanted, Instant now) {
        if (verdicts == null) {
            try {
                verdicts = opening.get();
            } catch (KafkaException away) {
                notBefore = now.plus(AGAIN);
                LOG.atWarn().setCause(away).log("no canary is sent now: its verdict could not be read");
                return;
            }
        }
        last = now;
        List<Channel> channels = new ArrayList<>();
        if (wanted.postTo() != null) {
            channels.add(Channel.HTTPS);
        }
        if (wanted.mailTo() != null) {
            channels.add(Channel.MAIL);
        }
        Round round = new Round(wanted, channels.size());
        for (Channel channel : channels) {
            CanaryReport report = CanaryReport.of(
                    "canary-" + channel.word() + "-" + UUID.randomUUID(), LocalDate.ofInstant(now, ZoneOffset.UTC));
            count(channel, "sent", 1);
            Attempt attempt = sending.send(channel, settings, report, now);
            if (attempt.result() == Result.DELIVERED) {
                flights.put(report.reportKey(), new Flight(channel, now, round));
            } else {
                lost(channel, report.reportKey(), "not taken: " + attempt.detail());
            }
        }
    }

    private void receive(Verdicts open) {
        List<Verdict> received;
        try {
            received = open.of(Set.copyOf(flights.keySet()));
        } catch (KafkaException broken) {
            LOG.atWarn().setCause(broken).log("the verdicts of canaries cannot be read");
            flights.forEach((key, flight) -> lost(flight.channel(), key, "its verdict cannot be read"));
            flights.clear();
            return;
        }
        for (Verdict verdict : received) {
            Flight flight = flights.remove(verdict.reportKey());
            if (flight == null) { // a second copy of it
                continue;
            }
            if (verdict.verdict().equals(Verdict.ACCEPTED)) {
                returned(verdict.reportKey(), flight);
            } else {
                lost(
                        flight.channel(),
                        verdict.reportKey(),
                        "verdict " + verdict.verdict() + (verdict.reason() == null ? "" : " " + verdict.reason()));
            }
        }
    }

    private void returned(String key, Flight flight) {
        Duration took = Duration.between(flight.since(), surroundings.clock().instant());
        count(flight.channel(), "returned", 1);
        surroundings
                .meters()
                .timer("tlsrpt.canary.seconds", "channel", flight.channel().word())
                .record(took);
        LOG.atInfo()
                .addKeyValue("channel", flight.channel().word())
                .addKeyValue("report-key", key)
                .addKeyValue("seconds", took.toSeconds())
                .log("canary came through");
        flight.round().missing--;
        if (flight.round().missing == 0) {
            call(flight.round().settings);
        }
    }

    private void call(AlertingSettings.Canary settings) {
        Attempt outcome = call.apply(settings);
        boolean arrived = outcome.result() == Result.DELIVERED;
        surroundings
                .meters()
                .counter("tlsrpt.canary.pings", "result", arrived ? "arrived" : "failed")
                .increment();
        if (!arrived) {
            LOG.atWarn()
                    .addKeyValue("detail", outcome.detail())
                    .log("canaries came through, but the call that says so failed");
        }
    }

    private void giveUp(Instant now) {
        flights.entrySet().removeIf(each -> {
            Flight flight = each.getValue();
            boolean late = !now.isBefore(flight.since().plus(flight.channel().patience()));
            if (late) {
                lost(
                        flight.channel(),
                        each.getKey(),
                        "taken, but no verdict within "
                                + flight.channel().patience().toMinutes() + " minutes");
            }
            return late;
        });
    }

    private void lost(Channel channel, String key, String detail) {
        count(channel, "lost", 1);
        LOG.atWarn()
                .addKeyValue("channel", channel.word())
                .addKeyValue("report-key", key)
                .addKeyValue("detail", detail)
                .addKeyValue("look-at", channel.lookAt + "; then the log of intake and processor for this report-key")
                .log("canary lost: reports may not come through");
    }

    private void count(Channel channel, String outcome, int more) {
        surroundings
                .meters()
                .counter("tlsrpt.canary.reports", "channel", channel.word(), "outcome", outcome)
                .increment(more);
    }

    private static Attempt send(Channel channel, AlertingSettings settings, CanaryReport report, Instant now) {
        AlertingSettings.Canary canary = Objects.requireNonNull(settings.canary());
        return switch (channel) {
            case HTTPS ->
                new OutgoingHttp(
                                URI.create(Objects.requireNonNull(canary.postTo())),
                                canary.allowPrivateAddresses(),
                                TIMEOUT)
                        .post(Map.of("content-type", "application/tlsrpt+gzip"), CanaryMail.zipped(report), now);
            case MAIL -> {
                AlertingSettings.MailServer server = Objects.requireNonNull(settings.mailServer());
                String to = Objects.requireNonNull(canary.mailTo());
                yield new OutgoingMail(server, TIMEOUT)
                        .send(List.of(to), CanaryMail.of(report, server.from(), to, now));
            }
        };
    }

    @Override
    public void close() {
        // on its own thread, which may be reading them now
        schedule.execute(this::stopReading);
        schedule.shutdown();
        try {
            if (!schedule.awaitTermination(FAREWELL.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.atInfo().log("a canary is being sent still and is left alone");
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    private void stopReading() {
        if (verdicts != null) {
            verdicts.close();
            verdicts = null;
        }
    }
}
