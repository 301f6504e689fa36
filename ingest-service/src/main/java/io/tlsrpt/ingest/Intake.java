package io.tlsrpt.ingest;

import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.report.ContentDigest;
import io.tlsrpt.report.Inflation;
import io.tlsrpt.report.Leniency;
import io.tlsrpt.report.Plausibility;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.report.ReportKey;
import io.tlsrpt.report.ReportReader;
import io.tlsrpt.report.TlsReport;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.EventSize;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one door: every document of every channel is unwrapped, read, judged and written here, and nowhere else.
///
/// A document is kept before its sender hears anything: in the raw topic when it is a report, in the rejected topic
/// with the reason when it is none. "Kept" means acknowledged by the broker or, where the channel cannot wait
/// ([#take]), forced to the disk of this machine.
final class Intake {

    private static final Logger LOG = LoggerFactory.getLogger(Intake.class);
    private static final Duration BACKFILL_AGE = Duration.ofDays(3);
    /// Of a refused document, which may be as long as the longest body that the settings allow; a longer one would not
    /// fit the rejected topic.
    private static final int MOST_KEPT_BYTES = 10 * 1024 * 1024;

    /// What is known of a sender whose report could not be read, or who need not be known.
    private static final Proof.Finding NOBODY = new Proof.Finding(Authentication.NONE, null, null, null, false);

    private static final Duration RETRY_AFTER = Duration.ofMinutes(1);

    private final Topics topics;
    private final Settings.Intake settings;
    private final Duration retention;
    private final OurDomains ours;
    private final ReportReader reader;
    private final Delivery delivery;
    private final Spool spool;
    private final IngestMetrics metrics;
    private final RejectedQuota quota;

    /// A document of a few KiB may inflate to 10 MiB and be several times that as a report: this many at a time.
    private final Semaphore atATime = new Semaphore(2 * Runtime.getRuntime().availableProcessors());

    /// Likewise for channels that can wait: they hold on while the broker is slow, and posts must not wait behind them.
    private final Semaphore unhurried = new Semaphore(2 * Runtime.getRuntime().availableProcessors());

    Intake(
            Topics topics,
            Settings.Intake settings,
            OurDomains ours,
            ReportReader reader,
            Delivery delivery,
            Spool spool,
            IngestMetrics metrics) {
        this.topics = topics;
        this.settings = settings;
        this.retention = topics.retention();
        this.ours = ours;
        this.reader = reader;
        this.delivery = delivery;
        this.spool = spool;
        this.metrics = metrics;
        this.quota = new RejectedQuota(settings.rejectedQuota().bytes(), System::nanoTime);
    }

    private sealed interface Judgement {}

    /// Nothing to keep: DNS cannot tell yet who signed it, or its sender is over every quota.
    private record Unkept(Outcome outcome) implements Judgement {}

    /// The record that keeps a document, and what its sender hears once it is kept.
    private sealed interface Keeping extends Judgement {

        ProducerRecord<String, byte[]> record();

        /// @param position absent when the spool has it
        Outcome kept(@Nullable RawPosition position);

        record Report(ProducerRecord<String, byte[]> record, String reportKey, boolean canary) implements Keeping {
            @Override
            public Outcome kept(@Nullable RawPosition position) {
                return position == null
                        ? new Outcome.Spooled(reportKey, canary)
                        : new Outcome.Accepted(reportKey, position, canary);
            }
        }

        record Refusal(ProducerRecord<String, byte[]> record, Outcome.Refused outcome) implements Keeping {
            @Override
            public Outcome kept(@Nullable RawPosition position) {
                return outcome;
            }
        }
    }

    /// Takes a document of a sender who cannot wait and does not come back: when the broker does not acknowledge it
    /// within
    /// `intake.ack-timeout`, it is spooled. Blocks at most about that long.
    Outcome take(Submission submission) {
        metrics.received(submission.source());
        long start = System.nanoTime();
        long deadline = start + settings.ackTimeout().toNanos();
        Outcome outcome;
        try {
            outcome = take(submission, deadline);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            outcome = new Outcome.Busy("the service is stopping", RETRY_AFTER);
        }
        decided(submission, outcome, start);
        return outcome;
    }

    private Outcome take(Submission submission, long deadline) throws InterruptedException {
        if (!atATime.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            return new Outcome.Busy("too many reports at once", RETRY_AFTER);
        }
        Keeping judgement;
        CompletableFuture<RawPosition> acknowledgement;
        try {
            switch (judge(submission)) {
                case Unkept unkept -> {
                    return unkept.outcome();
                }
                case Keeping keeping -> judgement = keeping;
            }
            if (!spool.isEmpty()) {
                return spooled(judgement);
            }
            // not until the deadline: what waits behind it needs time to be spooled as well
            acknowledgement =
                    delivery.send(judgement.record(), settings.ackTimeout().dividedBy(4));
        } finally {
            atATime.release();
        }
        try {
            return judgement.kept(acknowledgement.get(until(deadline).toNanos(), TimeUnit.NANOSECONDS));
        } catch (ExecutionException | TimeoutException away) {
            LOG.atDebug().setCause(away).log("no acknowledgement in time");
            return spooled(judgement);
        }
    }

    private Outcome spooled(Keeping judgement) {
        return spool.offer(judgement.record())
                ? judgement.kept(null)
                : new Outcome.Busy("the broker is away and the spool is full", RETRY_AFTER);
    }

    /// Takes a document of a channel that can wait and come back: nothing is spooled. Blocks while too much is under
    /// way.
    ///
    /// @return completed with [Outcome.Busy] when the broker cannot be reached
    CompletableFuture<Outcome> takeUnspooled(Submission submission) throws InterruptedException {
        return takeUnspooled(submission, this::judge);
    }

    /// Keeps something that its channel could not find a report in, with the reason; otherwise as [#takeUnspooled].
    ///
    /// @param submission the whole of it, such as a mail
    CompletableFuture<Outcome> refuse(Submission submission, Reading.Unreadable why) throws InterruptedException {
        return takeUnspooled(submission, whole -> refused(whole, whole.bytes(), why));
    }

    private CompletableFuture<Outcome> takeUnspooled(Submission submission, Function<Submission, Judgement> judging)
            throws InterruptedException {
        metrics.received(submission.source());
        long start = System.nanoTime();
        Keeping judgement;
        CompletableFuture<RawPosition> acknowledgement;
        unhurried.acquire();
        try {
            switch (judging.apply(submission)) {
                case Unkept unkept -> {
                    decided(submission, unkept.outcome(), start);
                    return CompletableFuture.completedFuture(unkept.outcome());
                }
                case Keeping keeping -> judgement = keeping;
            }
            acknowledgement =
                    delivery.send(judgement.record(), settings.ackTimeout().multipliedBy(10));
        } finally {
            unhurried.release();
        }
        return acknowledgement.handle((position, failure) -> {
            Outcome outcome = failure == null
                    ? judgement.kept(position)
                    : new Outcome.Busy("the broker cannot be reached", RETRY_AFTER);
            decided(submission, outcome, start);
            return outcome;
        });
    }

    private static Duration until(long deadline) {
        return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
    }

    private void decided(Submission submission, Outcome outcome, long start) {
        metrics.decided(submission.source(), outcome, Duration.ofNanos(System.nanoTime() - start));
        var line = switch (outcome) {
            case Outcome.Accepted accepted ->
                LOG.atDebug()
                        .addKeyValue("outcome", "accepted")
                        .addKeyValue("report-key", accepted.reportKey())
                        .addKeyValue("partition", accepted.position().partition())
                        .addKeyValue("offset", accepted.position().offset());
            case Outcome.Spooled spooled ->
                LOG.atInfo().addKeyValue("outcome", "spooled").addKeyValue("report-key", spooled.reportKey());
            case Outcome.Refused refused ->
                LOG.atInfo()
                        .addKeyValue("outcome", "refused")
                        .addKeyValue("reason", refused.reason().word())
                        .addKeyValue("report-key", refused.reportKey())
                        .addKeyValue("detail", Untrusted.shown(refused.detail()));
            case Outcome.Busy busy ->
                LOG.atWarn().addKeyValue("outcome", "busy").addKeyValue("why", busy.why());
        };
        line.addKeyValue("source", submission.source().word())
                .addKeyValue("remote", Untrusted.shown(submission.remote()))
                .log("report");
    }

    private Judgement judge(Submission submission) {
        if (submission.cut()) {
            return refused(
                    submission,
                    submission.bytes(),
                    new Reading.Unreadable(
                            RefusalReason.TOO_LARGE,
                            "over " + settings.maxBody().bytes() + " bytes as sent; only the head is kept"));
        }
        return switch (Inflation.of(submission.bytes(), settings.maxInflated().asInt())) {
            case Inflation.Refused refused ->
                refused(
                        submission,
                        refused.reason() == RefusalReason.TOO_LARGE ? refused.head() : submission.bytes(),
                        new Reading.Unreadable(refused.reason(), refused.detail()));
            case Inflation.Inflated inflated ->
                switch (reader.read(inflated.document())) {
                    case Reading.Unreadable unreadable -> refused(submission, inflated.document(), unreadable);
                    case Reading.Read read ->
                        judge(
                                submission,
                                inflated.document(),
                                read.report(),
                                both(submission.leniencies(), inflated.leniencies()),
                                read.leniencies());
                };
        };
    }

    private static Set<Leniency> both(Set<Leniency> some, Set<Leniency> others) {
        Set<Leniency> all = EnumSet.noneOf(Leniency.class);
        all.addAll(some);
        all.addAll(others);
        return all;
    }

    /// @param wrapping leniencies that the document does not show and the raw record's headers tell
    private Judgement judge(
            Submission submission, byte[] document, TlsReport report, Set<Leniency> wrapping, Set<Leniency> reading) {
        boolean canary = CanaryReport.is(report, document.length);
        Proof.Finding proof = canary ? NOBODY : submission.proof().of(report);
        if (proof.later()) {
            return new Unkept(new Outcome.Busy(String.valueOf(proof.lacking()), RETRY_AFTER));
        }
        String channelDomain = submission.channelDomain() == null ? proof.channelDomain() : submission.channelDomain();
        String reportKey = ReportKey.of(report, channelDomain);
        // Nobody is asked about the domains of a report that is refused for its sender, or is our own.
        Map<String, Standing.Foreign> foreign =
                canary || proof.lacking() != null ? Map.of() : foreign(report, proof.authentication());
        if (submission.proof() instanceof Proof.Signed && proof.authentication() == Authentication.DKIM) {
            Optional<Standing.Foreign> undecided = foreign.values().stream()
                    .filter(Standing.Foreign::undecided)
                    .findFirst();
            if (undecided.isPresent()) { // a mail can come again; a post would be lost
                return new Unkept(new Outcome.Busy(undecided.get().why(), RETRY_AFTER));
            }
        }
        ReportHeaders headers =
                headers(submission, report, proof, channelDomain, List.copyOf(foreign.keySet()), wrapping);
        Optional<Reading.Unreadable> refusal = Optional.ofNullable(proof.lacking())
                .map(lacking -> new Reading.Unreadable(RefusalReason.DKIM_FAILED, lacking))
                .or(() -> Plausibility.refusal(report.dateRange(), submission.receivedAt(), retention))
                .or(() -> wholly(foreign, report, channelDomain))
                .or(() -> tooManyDetails(report, reportKey));
        if (refusal.isPresent()) {
            return refused(submission, document, headers, refusal.get(), reportKey);
        }
        if (!canary) {
            metrics.leniencies(both(wrapping, reading));
        }
        Topics.Topic raw = topics.raw();
        return new Keeping.Report(
                new ProducerRecord<>(raw.name(), null, reportKey, document, headers.write(raw.schema())),
                reportKey,
                canary);
    }

    /// The policy-domains that are not ours, with the reason.
    private Map<String, Standing.Foreign> foreign(TlsReport report, Authentication authentication) {
        Map<String, Standing> standings = ours.standings(report.policyDomains(), authentication != Authentication.NONE);
        Map<String, Standing.Foreign> foreign = new LinkedHashMap<>();
        for (String domain : report.policyDomains()) {
            if (standings.get(domain) instanceof Standing.Foreign stranger) {
                foreign.put(domain, stranger);
            }
        }
        return foreign;
    }

    /// A report of which no entry can be about us. Entries that name no domain are about the channel's.
    private static Optional<Reading.Unreadable> wholly(
            Map<String, Standing.Foreign> foreign, TlsReport report, @Nullable String channelDomain) {
        if (foreign.isEmpty() || foreign.size() < report.policyDomains().size()) {
            return Optional.empty();
        }
        boolean aboutTheChannel = channelDomain != null
                && report.policies().stream().anyMatch(entry -> entry.policy().policyDomain() == null);
        return aboutTheChannel
                ? Optional.empty()
                : Optional.of(new Reading.Unreadable(
                        RefusalReason.FOREIGN_DOMAIN,
                        "no policy-domain is ours: "
                                + foreign.entrySet().stream()
                                        .limit(3)
                                        .map(domain -> domain.getKey() + " ("
                                                + domain.getValue().why() + ")")
                                        .collect(Collectors.joining(", "))));
    }

    private static Optional<Reading.Unreadable> tooManyDetails(TlsReport report, String reportKey) {
        long events = EventSize.upperBound(report, reportKey);
        return events <= EventSize.MAX_REPORT_BYTES
                ? Optional.empty()
                : Optional.of(new Reading.Unreadable(
                        RefusalReason.TOO_MANY_DETAILS,
                        "its events would take up to " + events + " bytes; at most " + EventSize.MAX_REPORT_BYTES
                                + " are taken"));
    }

    private Judgement refused(Submission submission, byte[] bytes, Reading.Unreadable refusal) {
        return refused(
                submission,
                bytes,
                headers(
                        submission,
                        null,
                        submission.proof() instanceof Proof.Channel channel
                                ? new Proof.Finding(channel.authentication(), null, null, null, false)
                                : NOBODY,
                        submission.channelDomain(),
                        List.of(),
                        submission.leniencies()),
                refusal,
                null);
    }

    private Judgement refused(
            Submission submission,
            byte[] bytes,
            ReportHeaders known,
            Reading.Unreadable refusal,
            @Nullable String reportKey) {
        Topics.Topic rejected = topics.rejected();
        var headers = known.write(rejected.schema());
        ReportHeaders.put(headers, ReportHeaders.REASON, refusal.reason().word());
        int most = refusal.reason() == RefusalReason.TOO_LARGE ? Submission.HEAD_BYTES : MOST_KEPT_BYTES;
        byte[] value = bytes.length > most ? Arrays.copyOf(bytes, Submission.HEAD_BYTES) : bytes;
        Outcome.Refused outcome = new Outcome.Refused(refusal.reason(), refusal.detail(), reportKey);
        RejectedQuota.Keep keep = quota.ask(strangers(submission, known), value.length);
        metrics.quota(keep);
        if (keep == RejectedQuota.Keep.NOTHING) {
            return new Unkept(outcome);
        }
        String detail = refusal.detail();
        if (keep == RejectedQuota.Keep.HEAD && value.length > RejectedQuota.HEAD_BYTES) {
            value = Arrays.copyOf(value, RejectedQuota.HEAD_BYTES);
            detail += " (only the head is kept: this sender is over intake.rejected-quota)";
        }
        ReportHeaders.put(headers, ReportHeaders.DETAIL, detail);
        if (submission.cut() || value.length < bytes.length) {
            ReportHeaders.put(headers, ReportHeaders.CUT, "true");
        }
        return new Keeping.Refusal(new ProducerRecord<>(rejected.name(), null, reportKey, value, headers), outcome);
    }

    /// Whose quota a refusal counts against: nobody's when the operator brought it. A peer on this machine
    /// is a proxy or relay of the operator's, which many strangers share.
    private static List<String> strangers(Submission submission, ReportHeaders known) {
        if (submission.proof().equals(Proof.OPERATOR)) {
            return List.of();
        }
        List<String> strangers = new ArrayList<>();
        String remote = submission.remote();
        if (remote != null
                && submission.source() != Source.IMAP
                && !remote.startsWith("127.")
                && !remote.equals("::1")) {
            strangers.add("remote " + network(remote));
        }
        if (known.submitter() != null) {
            strangers.add("submitter " + known.submitter());
        }
        return strangers;
    }

    /// An IPv6 peer has a /64 of addresses to choose from.
    private static String network(String remote) {
        try {
            InetAddress address = InetAddress.ofLiteral(remote);
            return address instanceof Inet6Address
                    ? Arrays.toString(Arrays.copyOf(address.getAddress(), 8))
                    : address.getHostAddress();
        } catch (IllegalArgumentException noAddress) {
            return remote;
        }
    }

    private static ReportHeaders headers(
            Submission submission,
            @Nullable TlsReport report,
            Proof.Finding proof,
            @Nullable String channelDomain,
            List<String> foreign,
            Set<Leniency> wrapping) {
        boolean backfill = switch (submission.backfill()) {
            case YES -> true;
            case NO -> false;
            case BY_AGE ->
                report != null
                        && report.dateRange()
                                .end()
                                .isBefore(submission.receivedAt().minus(BACKFILL_AGE));
        };
        return new ReportHeaders(
                submission.source().word(),
                submission.receivedAt(),
                submission.remote(),
                proof.authentication(),
                proof.dkimDomain(),
                report == null ? null : report.submitter(),
                report == null ? null : ContentDigest.sha256(report),
                channelDomain,
                foreign,
                backfill,
                submission.messageId(),
                submission.traceparent(),
                wrapping.stream().map(Leniency::word).sorted().toList());
    }
}
