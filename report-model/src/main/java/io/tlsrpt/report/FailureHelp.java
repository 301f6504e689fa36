package io.tlsrpt.report;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What a failure means to the people who have to deal with it: one entry per result type of RFC 8460 §4.3, one for
/// words
/// nobody knows yet, and one per rule whose alerts are not about a result type. Alerts, the API, the command line and
/// `docs/runbook.md` have their texts from here.
///
/// The texts carry the names of the host and the domain only when these are plain host names. A report is a stranger's
/// text, and the commands are there to be pasted into a shell.
///
/// @param word the result type, or the word of the rule; also the anchor in the runbook
/// @param fix how to mend it
/// @param verify a command that shows whether it is mended
public record FailureHelp(String word, Subject subject, String meaning, Urgency urgency, String fix, String verify) {

    /// What an entry is about.
    public enum Subject {
        RESULT_TYPE,
        RULE;

        /// As the API says it.
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /// How soon somebody has to act, by what senders were asked to do: the mode of the MTA-STS policy, a TLSA record,
    /// or no
    /// policy at all.
    public record Urgency(String enforce, String testing, String none, String tlsa, String noPolicyFound) {

        private static final String HELD =
                "Now: senders that obey the policy hold the mail and bounce it after some days.";
        private static final String OPEN = "Now: senders that need not encrypt send the mail in plain text.";
        private static final String DANE_ALONE = "Only senders that obey DANE are concerned; for them as under tlsa.";

        private static final Urgency CERTIFICATE = new Urgency(
                HELD,
                "Soon: mail is delivered still; it would not be under enforce.",
                "When convenient: mail is delivered, encrypted for a server that nobody verifies.",
                HELD,
                "When convenient: mail is delivered, encrypted for a server that nobody verifies.");

        private static final Urgency PLAIN_TEXT = new Urgency(
                "Now: senders that obey the policy hold the mail, all others send it in plain text.",
                OPEN,
                OPEN,
                "Now: senders that obey DANE hold the mail, all others send it in plain text.",
                OPEN);

        private static final Urgency DANE = new Urgency(
                DANE_ALONE,
                DANE_ALONE,
                DANE_ALONE,
                "Now: senders that obey DANE hold the mail and bounce it after some days; none falls back to plain text.",
                DANE_ALONE);

        private static final Urgency POLICY = new Urgency(
                "Within days: senders go on with the policy that they have cached; when max_age is over they deliver"
                        + " unprotected.",
                "Soon: mail is delivered still, but it cannot become enforce before this is mended.",
                "When convenient: the policy asks for nothing.",
                "Within days: senders that obey DANE are not concerned, the others as under enforce.",
                "Within days: senders without a cached policy deliver unprotected.");

        private static final Urgency SIGHT =
                always("Within days: no mail is in danger by this, but what fails meanwhile may not be seen.");

        private static final Urgency BLIND = always("Now: while it lasts, no failure is seen and no alert opens.");

        private static final Urgency UNKNOWN = always("Soon: how bad it is only the reporter can tell.");

        private static Urgency always(String words) {
            return new Urgency(words, words, words, words, words);
        }
    }

    private static final String MX = "<mx>";
    private static final String DOMAIN = "<domain>";

    /// Letters, digits and inner hyphens, two labels at least, the last one not a number (RFC 1123 §2.1): nothing that
    /// a
    /// shell or a program's options could take for anything but a name.
    private static final Pattern HOST_NAME = Pattern.compile("(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+"
            + "(?!\\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?");

    private static final String CONNECT = "openssl s_client -starttls smtp -connect <mx>:25 -servername <mx>";
    private static final String CERTIFICATE = CONNECT + " </dev/null 2>/dev/null | openssl x509 -noout ";
    private static final String VERIFY = CONNECT + " -verify_hostname <mx> -verify_return_error -brief </dev/null";
    private static final String TLSA = "_25._tcp.<mx> TLSA";
    private static final String POLICY = "https://mta-sts.<domain>/.well-known/mta-sts.txt";

    private static final FailureHelp UNKNOWN = new FailureHelp(
            "other",
            Subject.RESULT_TYPE,
            "A reporter names a failure that RFC 8460 does not list. Some of its sessions failed; how bad that is only the"
                    + " reporter can tell.",
            Urgency.UNKNOWN,
            "Look at the reason codes in the evidence and at the reporter's documentation, then test the server. Ask the"
                    + " contact named in the report if the word stays unclear.",
            VERIFY);

    private static final List<FailureHelp> ENTRIES = List.of(
            new FailureHelp(
                    ResultType.STARTTLS_NOT_SUPPORTED.word(),
                    Subject.RESULT_TYPE,
                    "The server did not offer STARTTLS. Senders that must encrypt (MTA-STS enforce, DANE) hold"
                            + " the mail and bounce it after some days; all others send it in plain text."
                            + " Urgent where it used to work: either TLS is off at the server, or something"
                            + " between the reporter and the server strips it.",
                    Urgency.PLAIN_TEXT,
                    "Look at the server first: was TLS switched off by a change or an upgrade, or has it failed"
                            + " to load its key or certificate? If the server offers STARTTLS to you, look at"
                            + " the path: a firewall with SMTP inspection (it often answers"
                            + " 250-XXXXXXXA), a load balancer, one back end of several. If only one reporter"
                            + " sees it, treat it as a possible downgrade attack near that reporter.",
                    CONNECT + " -brief </dev/null"),
            new FailureHelp(
                    ResultType.CERTIFICATE_HOST_MISMATCH.word(),
                    Subject.RESULT_TYPE,
                    "The certificate does not carry the name the sender looked for. Under MTA-STS enforce or"
                            + " DANE the mail is not delivered now; it queues and bounces after some days.",
                    Urgency.CERTIFICATE,
                    "Issue a certificate whose subjectAltName lists the MX host name exactly as it stands in DNS"
                            + " (the common name does not count). After a rename, check that the MX records,"
                            + " the mx: lines of the MTA-STS policy and the certificate agree, and that every"
                            + " address of the host presents the same certificate.",
                    CERTIFICATE + "-subject -ext subjectAltName"),
            new FailureHelp(
                    ResultType.CERTIFICATE_EXPIRED.word(),
                    Subject.RESULT_TYPE,
                    "The certificate of the mail server has expired. Under MTA-STS enforce the mail is not"
                            + " delivered now; it queues and bounces after some days.",
                    Urgency.CERTIFICATE,
                    "Renew the certificate and reload the mail server: a renewal without a reload is the usual"
                            + " cause. Check every address behind the name, one back end may have been left"
                            + " out. With DANE publish the new TLSA record before the new certificate.",
                    CERTIFICATE + "-subject -dates"),
            new FailureHelp(
                    ResultType.CERTIFICATE_NOT_TRUSTED.word(),
                    Subject.RESULT_TYPE,
                    "Senders cannot build a chain from the certificate to an authority they trust. Under"
                            + " MTA-STS enforce the mail is not delivered now; it queues and bounces after"
                            + " some days.",
                    Urgency.CERTIFICATE,
                    "Most often the intermediate certificate is missing: configure the full chain, not the"
                            + " leaf alone. Otherwise the certificate is self-signed or from a private or"
                            + " distrusted authority: get one from a public authority. The reason codes in the"
                            + " evidence say which.",
                    VERIFY),
            new FailureHelp(
                    ResultType.VALIDATION_FAILURE.word(),
                    Subject.RESULT_TYPE,
                    "TLS failed for a reason that has no word of its own: no common protocol version or cipher,"
                            + " a broken handshake, a name that is not in the MTA-STS policy. Some mail may not"
                            + " be delivered; the reason codes in the evidence say more.",
                    Urgency.CERTIFICATE,
                    "Read the reason codes. Offer TLS 1.2 and 1.3 with common ciphers, check that each MX host"
                            + " is listed in the MTA-STS policy, and look into the server's log at the time of"
                            + " the report. A single reporter without any other may have the fault itself.",
                    VERIFY),
            new FailureHelp(
                    ResultType.TLSA_INVALID.word(),
                    Subject.RESULT_TYPE,
                    "No TLSA record fits the certificate the server presents. Every DANE sender holds the mail"
                            + " now and bounces it after some days; nobody falls back to plain text. Urgent.",
                    Urgency.DANE,
                    "Usually the certificate was renewed with a new key and the TLSA record still names the old"
                            + " one. Publish the record of the key in use (3 1 1 and the SHA-256 of the public"
                            + " key, which the command shows) and keep the old one until its TTL has passed;"
                            + " next time publish first, renew afterwards.",
                    "dig +short " + TLSA + "; " + CONNECT + " </dev/null 2>/dev/null"
                            + " | openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER"
                            + " | openssl dgst -sha256"),
            new FailureHelp(
                    ResultType.DNSSEC_INVALID.word(),
                    Subject.RESULT_TYPE,
                    "The DNS answers for the domain or its MX host do not validate (DNSSEC). Validating senders"
                            + " cannot reach it at all: mail queues and bounces after some days. Urgent, and"
                            + " it rarely concerns mail alone.",
                    Urgency.DANE,
                    "Check the chain of trust: the DS record at the parent against the keys of the zone (a key"
                            + " rollover half done), signatures that have run out (a signer that stopped),"
                            + " name servers that answer differently.",
                    "delv " + TLSA + "; delv <domain> MX"),
            new FailureHelp(
                    ResultType.DANE_REQUIRED.word(),
                    Subject.RESULT_TYPE,
                    "A sender insists on DANE for this destination and found no usable TLSA record. That"
                            + " sender's mail is not delivered.",
                    Urgency.DANE,
                    "If you mean to offer DANE, publish a signed TLSA record for each MX host and see that the"
                            + " zones of both the domain and the MX host are signed. If DANE was withdrawn on"
                            + " purpose, tell the reporter named in the evidence to drop its rule.",
                    "delv " + TLSA),
            new FailureHelp(
                    ResultType.STS_POLICY_FETCH_ERROR.word(),
                    Subject.RESULT_TYPE,
                    "Senders could not fetch the MTA-STS policy. Mail still flows: they use the policy they"
                            + " have cached and, without one, deliver unprotected. Mend it within days, before"
                            + " the caches run out (max_age).",
                    Urgency.POLICY,
                    "The policy must come with status 200, without a redirect, as text/plain, within a minute,"
                            + " over valid HTTPS, at exactly this address. Check the web server, the address"
                            + " records of mta-sts.<domain> over IPv4 and IPv6, and rules that shut out"
                            + " strangers or programs.",
                    "curl -sSi --max-time 60 " + POLICY),
            new FailureHelp(
                    ResultType.STS_POLICY_INVALID.word(),
                    Subject.RESULT_TYPE,
                    "Senders fetched the MTA-STS policy and could not make sense of it, so new senders deliver"
                            + " unprotected. Mail still flows. Mend it within days.",
                    Urgency.POLICY,
                    "The file needs version: STSv1, mode: enforce, testing or none, max_age: in seconds"
                            + " (0 to 31557600) and one mx: line per host name or pattern (RFC 8461 §3.2)."
                            + " After mending it change the id in the _mta-sts TXT record.",
                    "curl -sS " + POLICY + "; dig +short _mta-sts.<domain> TXT"),
            new FailureHelp(
                    ResultType.STS_WEBPKI_INVALID.word(),
                    Subject.RESULT_TYPE,
                    "The web server of the MTA-STS policy presents a certificate that senders refuse. They use"
                            + " the policy they have cached and, without one, deliver unprotected. Mail still"
                            + " flows. Mend it within days.",
                    Urgency.POLICY,
                    "Give mta-sts.<domain> a certificate of a public authority for exactly that name with the"
                            + " full chain, and reload the web server. Where the policy is hosted by a"
                            + " provider, the provider's certificate must carry your name.",
                    "openssl s_client -connect mta-sts.<domain>:443 -servername mta-sts.<domain>"
                            + " -verify_hostname mta-sts.<domain> -verify_return_error -brief </dev/null"),
            UNKNOWN,
            new FailureHelp(
                    "reporter-fault",
                    Subject.RULE,
                    "One reporter sees the same failure at many domains, and others that looked there on the"
                            + " same day do not. Its own clock, resolver or list of authorities is likely at"
                            + " fault. Mail from other senders is not affected; mail from this one may wait.",
                    Urgency.SIGHT,
                    "Verify one of the domains yourself. If it is clean, tell the reporter (contact-info of its"
                            + " reports) and, until it is mended, add an entry under alerting.ignore. If it is"
                            + " not clean, the reporter was right and the others have not noticed yet.",
                    "./tlsrpt check <domain>"),
            new FailureHelp(
                    "rejections",
                    Subject.RULE,
                    "Most of what arrived in this name was refused and is not counted. It is kept for 30 days."
                            + " Anybody can send mail in anybody's name, so it may be a forgery; a body changed"
                            + " on the way is the usual cause.",
                    Urgency.SIGHT,
                    "List what was refused and read the reason. DKIM body hash: exempt the mailbox of the"
                            + " reports from banners, footers and link rewriting, or have the border verify."
                            + " Then retry what was refused: ./tlsrpt rejected retry.",
                    "./tlsrpt rejected list"),
            new FailureHelp(
                    "reporter-silent",
                    Subject.RULE,
                    "A reporter that wrote regularly has stopped. No mail is in danger, but what it would have"
                            + " reported is not seen. Nothing is taken for mended because nobody complains.",
                    Urgency.SIGHT,
                    "If it is one domain: does mail from that sender still reach it? If it is all its domains:"
                            + " was the mail refused or put into spam on the way to the mailbox of the reports?"
                            + " Else it is the reporter's own trouble, and it ends when it writes again.",
                    "./tlsrpt rejected list"),
            new FailureHelp(
                    "domain-silent",
                    Subject.RULE,
                    "All who reported regularly about the domain have stopped. Usually its TLSRPT record is"
                            + " gone or points elsewhere: failures would not be reported either.",
                    Urgency.SIGHT,
                    "Publish the TXT record at _smtp._tls.<domain> with v=TLSRPTv1 and the rua of this"
                            + " installation; ./tlsrpt record <domain> shows it. If the domain receives no mail"
                            + " any more, take it out of domains.",
                    "dig +short TXT _smtp._tls.<domain>"),
            new FailureHelp(
                    "intake-broken",
                    Subject.RULE,
                    "Reports that come every day have stopped coming, from several reporters or from all. The"
                            + " way in is broken: while it is, no failure is seen and no alert opens. Reporters"
                            + " do not send again for long.",
                    Urgency.BLIND,
                    "Follow the way from outside: the rua of the records, its MX, the mailbox (full? password?"
                            + " filter?), the HTTPS address (certificate, proxy, firewall), then the logs of"
                            + " intake. Post a report by hand and see it arrive.",
                    "./tlsrpt tail verdicts"),
            new FailureHelp(
                    "certificate-expiry",
                    Subject.RULE,
                    "The certificate that <mx> presents runs out soon or is wrong already. Once it is, senders"
                            + " that must verify do not deliver.",
                    Urgency.CERTIFICATE,
                    "Renew the certificate and reload the mail server, at every address of the host.",
                    CERTIFICATE + "-subject -dates"),
            new FailureHelp(
                    "starttls-missing",
                    Subject.RULE,
                    "<mx> offers no STARTTLS when looked at. Senders that must encrypt hold the mail, all others"
                            + " send it in plain text.",
                    Urgency.PLAIN_TEXT,
                    "Switch TLS on at the server, at every address of the host, and look for a firewall that"
                            + " takes STARTTLS away.",
                    CONNECT + " -brief </dev/null"),
            new FailureHelp(
                    "tlsrpt-record",
                    Subject.RULE,
                    "The TLSRPT record of <domain> is missing, broken, or names other addresses than ours: its"
                            + " reports do not come here.",
                    Urgency.SIGHT,
                    "Publish one TXT record at _smtp._tls.<domain>; ./tlsrpt record <domain> shows it.",
                    "dig +short TXT _smtp._tls.<domain>"),
            new FailureHelp(
                    "mta-sts",
                    Subject.RULE,
                    "The MTA-STS record or policy of <domain> is broken, cannot be fetched, does not cover an"
                            + " MX, or has changed without a new id. Senders use what they have cached, then"
                            + " deliver unprotected; an MX that is not covered gets no mail under enforce.",
                    Urgency.POLICY,
                    "Mend the policy file or its web server, and change the id in the _mta-sts TXT record with"
                            + " every change of the policy.",
                    "curl -sS " + POLICY + "; dig +short _mta-sts.<domain> TXT"),
            new FailureHelp(
                    "tlsa",
                    Subject.RULE,
                    "The TLSA records of <mx> do not match the certificate it presents, or their zone does not"
                            + " validate. Senders that use DANE do not deliver.",
                    Urgency.DANE,
                    "Publish the TLSA record of the certificate in use, and keep the old one for two TTLs when"
                            + " it changes. Where DNSSEC is broken, mend the signatures or the DS record.",
                    "delv +short " + TLSA));

    /// All entries, with placeholders `<mx>` and `<domain>` in their texts: result types, the one for unknown words,
    /// rules.
    public static List<FailureHelp> all() {
        return ENTRIES;
    }

    /// The entry of a result type; that for unknown words where there is none.
    public static FailureHelp ofResultType(@Nullable String resultType) {
        return find(Subject.RESULT_TYPE, resultType).orElse(UNKNOWN);
    }

    /// The entry of a rule; absent for rules that judge result types, which have their own.
    public static Optional<FailureHelp> ofRule(String rule) {
        return find(Subject.RULE, rule);
    }

    private static Optional<FailureHelp> find(Subject subject, @Nullable String word) {
        return ENTRIES.stream()
                .filter(entry -> entry.subject == subject && entry.word.equals(word))
                .findFirst();
    }

    /// The same with host and domain filled in.
    ///
    /// @param mx the MX host; whatever is not a plain host name leaves the placeholder
    /// @param domain the policy domain; likewise
    public FailureHelp at(@Nullable String mx, @Nullable String domain) {
        String host = nameOr(MX, mx);
        String zone = nameOr(DOMAIN, domain);
        return new FailureHelp(
                word,
                subject,
                meaning.replace(MX, host).replace(DOMAIN, zone),
                urgency,
                fix.replace(MX, host).replace(DOMAIN, zone),
                verify.replace(MX, host).replace(DOMAIN, zone));
    }

    private static String nameOr(String placeholder, @Nullable String name) {
        if (name == null || name.length() > 253) {
            return placeholder;
        }
        String lower = name.toLowerCase(Locale.ROOT);
        return HOST_NAME.matcher(lower).matches() ? lower : placeholder;
    }
}
