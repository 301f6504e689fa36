package io.tlsrpt.ingest;

import io.tlsrpt.dkim.AuthenticationResults;
import io.tlsrpt.dkim.DkimResult;
import io.tlsrpt.dkim.DkimVerifier;
import io.tlsrpt.dns.TxtLookup;
import io.tlsrpt.mail.ReportMail;
import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.report.Leniency;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.runtime.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The way of every mail, from whichever channel, to [Intake]: its signatures are verified, the reports in its MIME
/// tree
/// found, and each handed on with what is proven of its sender. A mail that is no report, or may not be believed, is
/// kept whole with the reason.
final class MailIntake implements MailSink {

    private static final Logger LOG = LoggerFactory.getLogger(MailIntake.class);

    /// Else anybody could have a report signed by whoever bounces it to us.
    private static final Reading.Unreadable RETURNED = new Reading.Unreadable(
            RefusalReason.DKIM_FAILED,
            "the signature is that of a bounce or an automatic reply around the report, whose author did not sign");

    private final Intake intake;
    private final TxtLookup dns;
    private final Supplier<Settings.Mail.Dkim> rules;
    private final ReportMail.Limits limits;
    private final IngestMetrics metrics;

    /// The zips of a small mail may unpack to 20 MiB: this many mails at a time.
    private final Semaphore atATime = new Semaphore(2 * Runtime.getRuntime().availableProcessors());

    /// @param dns where keys are asked for
    /// @param rules asked for each mail
    MailIntake(
            Intake intake,
            TxtLookup dns,
            Supplier<Settings.Mail.Dkim> rules,
            ReportMail.Limits limits,
            IngestMetrics metrics) {
        this.intake = intake;
        this.dns = dns;
        this.rules = rules;
        this.limits = limits;
        this.metrics = metrics;
    }

    @Override
    public CompletableFuture<MailOutcome> take(Mail mail) throws InterruptedException {
        metrics.mailReceived(mail.source());
        return judged(mail).thenApply(outcome -> {
            metrics.mailDecided(mail.source(), outcome);
            if (outcome instanceof MailOutcome.TryAgain again) {
                LOG.atWarn()
                        .addKeyValue("why", Untrusted.shown(again.why()))
                        .addKeyValue("source", mail.source().word())
                        .addKeyValue("remote", Untrusted.shown(mail.remote()))
                        .log("a mail must come again");
            }
            return outcome;
        });
    }

    private CompletableFuture<MailOutcome> judged(Mail mail) throws InterruptedException {
        if (mail.cut()) {
            return together(List.of(whole(
                    mail,
                    null,
                    Proof.NOBODY,
                    new Reading.Unreadable(
                            RefusalReason.TOO_LARGE, "a mail longer than its channel takes; only its head is kept"))));
        }
        Settings.Mail.Dkim rules = this.rules.get();
        // before anything is unpacked: while DNS is slow, a mail is held as it came
        DkimResult signatures = mail.vouched() ? null : signatures(mail, rules);
        atATime.acquire();
        try {
            return read(mail, signatures, rules);
        } finally {
            atATime.release();
        }
    }

    /// @param signatures absent when the operator vouches
    private CompletableFuture<MailOutcome> read(Mail mail, @Nullable DkimResult signatures, Settings.Mail.Dkim rules)
            throws InterruptedException {
        ReportMail content = ReportMail.read(mail.bytes(), limits);
        Proof proof = Proof.OPERATOR;
        if (signatures != null) {
            metrics.dkim(signatures);
            Proof.Signed signed =
                    new Proof.Signed(signatures, rules, content.reportDomain().orElse(null));
            if (signatures.temporary()) {
                return CompletableFuture.completedFuture(
                        new MailOutcome.TryAgain("a DKIM key could not be looked up: " + signed.explained(), true));
            }
            Optional<RefusalReason> refusal = signed.refusal();
            if (refusal.isPresent() && !mayBeCanary(content)) {
                return together(List.of(
                        whole(mail, content, Proof.NOBODY, new Reading.Unreadable(refusal.get(), signed.explained()))));
            }
            proof = signed;
        }
        List<CompletableFuture<Outcome>> underWay = new ArrayList<>();
        for (ReportMail.Document document : content.documents()) {
            boolean returned = signatures != null && document.leniencies().contains(Leniency.MAIL_RETURNED);
            Submission submission = submission(
                    mail,
                    content,
                    document.bytes(),
                    document.cut(),
                    returned ? Proof.NOBODY : proof,
                    document.leniencies());
            underWay.add(
                    returned && rules.mode() == Settings.Mail.DkimMode.REQUIRE
                            ? intake.refuse(submission, RETURNED)
                            : intake.takeUnspooled(submission));
        }
        if (content.refusal().isPresent()) { // nothing found, or more than is read of one mail
            underWay.add(whole(mail, content, proof, content.refusal().get()));
        }
        return together(underWay);
    }

    /// Our own report need not be signed, and whether it is one only [Intake] can tell: there it is refused otherwise.
    private static boolean mayBeCanary(ReportMail content) {
        return content.reportDomain().filter(CanaryReport.DOMAIN::equals).isPresent();
    }

    private DkimResult signatures(Mail mail, Settings.Mail.Dkim rules) {
        DkimResult verified = new DkimVerifier(dns, new DkimVerifier.Options(rules.requireTlsrptService(), 10))
                .verify(mail.bytes(), mail.deliveredAt());
        return rules.trustedAuthservIds().isEmpty()
                ? verified
                : AuthenticationResults.added(verified, mail.bytes(), rules.trustedAuthservIds());
    }

    private CompletableFuture<Outcome> whole(
            Mail mail, @Nullable ReportMail content, Proof proof, Reading.Unreadable refusal)
            throws InterruptedException {
        return intake.refuse(submission(mail, content, mail.bytes(), mail.cut(), proof, Set.of()), refusal);
    }

    private static Submission submission(
            Mail mail, @Nullable ReportMail content, byte[] bytes, boolean cut, Proof proof, Set<Leniency> leniencies) {
        // what an operator vouches for is believed whole, its headers too
        String reportDomain =
                content != null && mail.vouched() ? content.reportDomain().orElse(null) : null;
        return new Submission(
                bytes,
                cut,
                mail.source(),
                mail.receivedAt(),
                mail.remote(),
                proof,
                mail.channelDomain() == null ? reportDomain : mail.channelDomain(),
                mail.backfill(),
                content == null ? null : content.messageId().orElse(null),
                null,
                leniencies);
    }

    private static CompletableFuture<MailOutcome> together(List<CompletableFuture<Outcome>> underWay) {
        return CompletableFuture.allOf(underWay.toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> {
                    List<Outcome> outcomes =
                            underWay.stream().map(CompletableFuture::join).toList();
                    return outcomes.stream()
                            .filter(Outcome.Busy.class::isInstance)
                            .map(Outcome.Busy.class::cast)
                            .findFirst()
                            .<MailOutcome>map(busy -> new MailOutcome.TryAgain(busy.why(), false))
                            .orElseGet(() -> new MailOutcome.Kept(outcomes));
                });
    }
}
