package io.tlsrpt.ingest;

import io.tlsrpt.dkim.DkimResult;
import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.DomainName;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.report.TlsReport;
import io.tlsrpt.runtime.Settings;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What a channel knows of who sent a document.
sealed interface Proof {

    /// Nobody: HTTPS has no sender authentication (RFC 8460 §5.4).
    Proof NOBODY = new Channel(Authentication.NONE);

    /// The operator vouches for what comes through this channel.
    Proof OPERATOR = new Channel(Authentication.OPERATOR);

    /// What the proof says once the report has told who its author is.
    Finding of(TlsReport report);

    /// @param dkimDomain `d=` of the signature by the reporting domain
    /// @param channelDomain the signed `TLS-Report-Domain`
    /// @param lacking why a report that must be signed is not
    /// @param later whether DNS may tell otherwise later, so that nothing is decided yet (RFC 6376 §6.1.2)
    record Finding(
            Authentication authentication,
            @Nullable String dkimDomain,
            @Nullable String channelDomain,
            @Nullable String lacking,
            boolean later) {}

    /// The channel alone decides.
    record Channel(Authentication authentication) implements Proof {
        @Override
        public Finding of(TlsReport report) {
            return new Finding(authentication, null, null, null, false);
        }
    }

    /// A signature that verified when the mail came, of which only the report is left.
    record Verified(String dkimDomain) implements Proof {
        @Override
        public Finding of(TlsReport report) {
            return new Finding(Authentication.DKIM, dkimDomain, null, null, false);
        }
    }

    /// A mail: reports without a valid signature by the reporting domain are to be ignored (RFC 8460 §3). The reporting
    /// domain is that of `contact-info`; where there is none, the organization's name when it is a domain; else that of
    /// the From address.
    ///
    /// @param reportDomain of the header `TLS-Report-Domain`; believed only where it is signed
    record Signed(
            DkimResult signatures,
            Settings.Mail.Dkim rules,
            @Nullable String reportDomain) implements Proof {

        private static final String TLS_REPORT_DOMAIN = "tls-report-domain";
        private static final Finding NOBODY_SIGNED = new Finding(Authentication.NONE, null, null, null, false);

        @Override
        public Finding of(TlsReport report) {
            Optional<String> reporting = reportingDomain(report);
            Optional<DkimResult.Signature> signature =
                    reporting.flatMap(domain -> signatures.by(domain, rules.strict()));
            if (signature.isPresent()) {
                return new Finding(
                        namesItsDomain(report) ? Authentication.DKIM : Authentication.NONE,
                        signature.get().domain(),
                        signature.get().signed(TLS_REPORT_DOMAIN) ? reportDomain : null,
                        null,
                        false);
            }
            if (reporting
                    .filter(domain -> signatures.temporaryFor(domain, rules.strict()))
                    .isPresent()) {
                return new Finding(
                        Authentication.NONE, null, null, "a DKIM key could not be looked up: " + explained(), true);
            }
            return rules.mode() == Settings.Mail.DkimMode.OBSERVE
                    ? NOBODY_SIGNED
                    : new Finding(
                            Authentication.NONE,
                            null,
                            null,
                            "no valid signature by the reporting domain " + reporting.orElse("(unknown)") + ": "
                                    + explained(),
                            false);
        }

        /// Why nothing in the mail can be taken, whatever it says; absent while a signature holds or none is demanded.
        Optional<RefusalReason> refusal() {
            if (rules.mode() == Settings.Mail.DkimMode.OBSERVE
                    || !signatures.passed().isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(signatures.unsigned() ? RefusalReason.NOT_DKIM_SIGNED : RefusalReason.DKIM_FAILED);
        }

        /// Whoever has a domain can sign for a submitter that is a mere word, such as another's organization-name: such
        /// a report is taken and proves nothing.
        private static boolean namesItsDomain(TlsReport report) {
            return report.submitter().indexOf('.') > 0 && DomainName.isName(report.submitter());
        }

        private Optional<String> reportingDomain(TlsReport report) {
            if (namesItsDomain(report)) {
                return Optional.of(report.submitter());
            }
            return signatures.fromDomains().size() == 1
                    ? Optional.of(signatures.fromDomains().getFirst())
                    : Optional.empty();
        }

        /// Every signature with what became of it, for the `detail` of what is rejected.
        String explained() {
            return signatures.unsigned()
                    ? "the mail has no DKIM-Signature"
                    : signatures.signatures().stream()
                            .map(tried -> tried.verdict().word() + " (d=" + tried.domain() + " s=" + tried.selector()
                                    + ")" + (tried.detail().isEmpty() ? "" : ": " + tried.detail()))
                            .collect(Collectors.joining("; "));
        }
    }
}
