package io.tlsrpt.alerting;

import io.tlsrpt.report.ResultType;
import io.tlsrpt.topics.Alert.Help;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What each result type means, how urgent it is, how to mend it, and a command that shows whether it is mended: one
/// entry per word of RFC 8460 §4.3 and one for words nobody knows yet.
///
/// The commands carry the names of the host and the domain only when these are plain host names. A report is a
/// stranger's text, and the commands are there to be pasted into a shell.
final class HelpCatalogue {

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

    private static final Map<ResultType, Help> ENTRIES = Map.ofEntries(
            Map.entry(
                    ResultType.STARTTLS_NOT_SUPPORTED,
                    new Help(
                            "The server did not offer STARTTLS. Senders that must encrypt (MTA-STS enforce, DANE) hold"
                                    + " the mail and bounce it after some days; all others send it in plain text."
                                    + " Urgent where it used to work: either TLS is off at the server, or something"
                                    + " between the reporter and the server strips it.",
                            "Look at the server first: was TLS switched off by a change or an upgrade, or has it failed"
                                    + " to load its key or certificate? If the server offers STARTTLS to you, look at"
                                    + " the path: a firewall with SMTP inspection (it often answers"
                                    + " 250-XXXXXXXA), a load balancer, one back end of several. If only one reporter"
                                    + " sees it, treat it as a possible downgrade attack near that reporter.",
                            CONNECT + " -brief </dev/null")),
            Map.entry(
                    ResultType.CERTIFICATE_HOST_MISMATCH,
                    new Help(
                            "The certificate does not carry the name the sender looked for. Under MTA-STS enforce or"
                                    + " DANE the mail is not delivered now; it queues and bounces after some days.",
                            "Issue a certificate whose subjectAltName lists the MX host name exactly as it stands in DNS"
                                    + " (the common name does not count). After a rename, check that the MX records,"
                                    + " the mx: lines of the MTA-STS policy and the certificate agree, and that every"
                                    + " address of the host presents the same certificate.",
                            CERTIFICATE + "-subject -ext subjectAltName")),
            Map.entry(
                    ResultType.CERTIFICATE_EXPIRED,
                    new Help(
                            "The certificate of the mail server has expired. Under MTA-STS enforce the mail is not"
                                    + " delivered now; it queues and bounces after some days.",
                            "Renew the certificate and reload the mail server: a renewal without a reload is the usual"
                                    + " cause. Check every address behind the name, one back end may have been left"
                                    + " out. With DANE publish the new TLSA record before the new certificate.",
                            CERTIFICATE + "-subject -dates")),
            Map.entry(
                    ResultType.CERTIFICATE_NOT_TRUSTED,
                    new Help(
                            "Senders cannot build a chain from the certificate to an authority they trust. Under"
                                    + " MTA-STS enforce the mail is not delivered now; it queues and bounces after"
                                    + " some days.",
                            "Most often the intermediate certificate is missing: configure the full chain, not the"
                                    + " leaf alone. Otherwise the certificate is self-signed or from a private or"
                                    + " distrusted authority: get one from a public authority. The reason codes in the"
                                    + " evidence say which.",
                            VERIFY)),
            Map.entry(
                    ResultType.VALIDATION_FAILURE,
                    new Help(
                            "TLS failed for a reason that has no word of its own: no common protocol version or cipher,"
                                    + " a broken handshake, a name that is not in the MTA-STS policy. Some mail may not"
                                    + " be delivered; the reason codes in the evidence say more.",
                            "Read the reason codes. Offer TLS 1.2 and 1.3 with common ciphers, check that each MX host"
                                    + " is listed in the MTA-STS policy, and look into the server's log at the time of"
                                    + " the report. A single reporter without any other may have the fault itself.",
                            VERIFY)),
            Map.entry(
                    ResultType.TLSA_INVALID,
                    new Help(
                            "No TLSA record fits the certificate the server presents. Every DANE sender holds the mail"
                                    + " now and bounces it after some days; nobody falls back to plain text. Urgent.",
                            "Usually the certificate was renewed with a new key and the TLSA record still names the old"
                                    + " one. Publish the record of the key in use (3 1 1 and the SHA-256 of the public"
                                    + " key, which the command shows) and keep the old one until its TTL has passed;"
                                    + " next time publish first, renew afterwards.",
                            "dig +short " + TLSA + "; " + CONNECT + " </dev/null 2>/dev/null"
                                    + " | openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER"
                                    + " | openssl dgst -sha256")),
            Map.entry(
                    ResultType.DNSSEC_INVALID,
                    new Help(
                            "The DNS answers for the domain or its MX host do not validate (DNSSEC). Validating senders"
                                    + " cannot reach it at all: mail queues and bounces after some days. Urgent, and"
                                    + " it rarely concerns mail alone.",
                            "Check the chain of trust: the DS record at the parent against the keys of the zone (a key"
                                    + " rollover half done), signatures that have run out (a signer that stopped),"
                                    + " name servers that answer differently.",
                            "delv " + TLSA + "; delv <domain> MX")),
            Map.entry(
                    ResultType.DANE_REQUIRED,
                    new Help(
                            "A sender insists on DANE for this destination and found no usable TLSA record. That"
                                    + " sender's mail is not delivered.",
                            "If you mean to offer DANE, publish a signed TLSA record for each MX host and see that the"
                                    + " zones of both the domain and the MX host are signed. If DANE was withdrawn on"
                                    + " purpose, tell the reporter named in the evidence to drop its rule.",
                            "delv " + TLSA)),
            Map.entry(
                    ResultType.STS_POLICY_FETCH_ERROR,
                    new Help(
                            "Senders could not fetch the MTA-STS policy. Mail still flows: they use the policy they"
                                    + " have cached and, without one, deliver unprotected. Mend it within days, before"
                                    + " the caches run out (max_age).",
                            "The policy must come with status 200, without a redirect, as text/plain, within a minute,"
                                    + " over valid HTTPS, at exactly this address. Check the web server, the address"
                                    + " records of mta-sts.<domain> over IPv4 and IPv6, and rules that shut out"
                                    + " strangers or programs.",
                            "curl -sSi --max-time 60 " + POLICY)),
            Map.entry(
                    ResultType.STS_POLICY_INVALID,
                    new Help(
                            "Senders fetched the MTA-STS policy and could not make sense of it, so new senders deliver"
                                    + " unprotected. Mail still flows. Mend it within days.",
                            "The file needs version: STSv1, mode: enforce, testing or none, max_age: in seconds"
                                    + " (0 to 31557600) and one mx: line per host name or pattern (RFC 8461 §3.2)."
                                    + " After mending it change the id in the _mta-sts TXT record.",
                            "curl -sS " + POLICY + "; dig +short _mta-sts.<domain> TXT")),
            Map.entry(
                    ResultType.STS_WEBPKI_INVALID,
                    new Help(
                            "The web server of the MTA-STS policy presents a certificate that senders refuse. They use"
                                    + " the policy they have cached and, without one, deliver unprotected. Mail still"
                                    + " flows. Mend it within days.",
                            "Give mta-sts.<domain> a certificate of a public authority for exactly that name with the"
                                    + " full chain, and reload the web server. Where the policy is hosted by a"
                                    + " provider, the provider's certificate must carry your name.",
                            "openssl s_client -connect mta-sts.<domain>:443 -servername mta-sts.<domain>"
                                    + " -verify_hostname mta-sts.<domain> -verify_return_error -brief </dev/null")));

    private static final Help UNKNOWN = new Help(
            "A reporter names a failure that RFC 8460 does not list. Some of its sessions failed; how bad that is only the"
                    + " reporter can tell.",
            "Look at the reason codes in the evidence and at the reporter's documentation, then test the server. Ask the"
                    + " contact named in the report if the word stays unclear.",
            VERIFY);

    private static final Map<Rule, Help> OF_RULES = Map.ofEntries(
            Map.entry(
                    Rule.REPORTER_FAULT,
                    new Help(
                            "One reporter sees the same failure at many domains, and others that looked there on the"
                                    + " same day do not. Its own clock, resolver or list of authorities is likely at"
                                    + " fault. Mail from other senders is not affected; mail from this one may wait.",
                            "Verify one of the domains yourself. If it is clean, tell the reporter (contact-info of its"
                                    + " reports) and, until it is mended, add an entry under alerting.ignore. If it is"
                                    + " not clean, the reporter was right and the others have not noticed yet.",
                            "./tlsrpt check <domain>")),
            Map.entry(
                    Rule.REJECTIONS,
                    new Help(
                            "Most of what arrived in this name was refused and is not counted. It is kept for 30 days."
                                    + " Anybody can send mail in anybody's name, so it may be a forgery; a body changed"
                                    + " on the way is the usual cause.",
                            "List what was refused and read the reason. DKIM body hash: exempt the mailbox of the"
                                    + " reports from banners, footers and link rewriting, or have the border verify."
                                    + " Then retry what was refused: ./tlsrpt rejected retry.",
                            "./tlsrpt rejected list")),
            Map.entry(
                    Rule.REPORTER_SILENT,
                    new Help(
                            "A reporter that wrote regularly has stopped. No mail is in danger, but what it would have"
                                    + " reported is not seen. Nothing is taken for mended because nobody complains.",
                            "If it is one domain: does mail from that sender still reach it? If it is all its domains:"
                                    + " was the mail refused or put into spam on the way to the mailbox of the reports?"
                                    + " Else it is the reporter's own trouble, and it ends when it writes again.",
                            "./tlsrpt rejected list")),
            Map.entry(
                    Rule.DOMAIN_SILENT,
                    new Help(
                            "All who reported regularly about the domain have stopped. Usually its TLSRPT record is"
                                    + " gone or points elsewhere: failures would not be reported either.",
                            "Publish the TXT record at _smtp._tls.<domain> with v=TLSRPTv1 and the rua of this"
                                    + " installation; ./tlsrpt record <domain> shows it. If the domain receives no mail"
                                    + " any more, take it out of domains.",
                            "dig +short TXT _smtp._tls.<domain>")),
            Map.entry(
                    Rule.INTAKE_BROKEN,
                    new Help(
                            "Reports that come every day have stopped coming, from several reporters or from all. The"
                                    + " way in is broken: while it is, no failure is seen and no alert opens. Reporters"
                                    + " do not send again for long.",
                            "Follow the way from outside: the rua of the records, its MX, the mailbox (full? password?"
                                    + " filter?), the HTTPS address (certificate, proxy, firewall), then the logs of"
                                    + " intake. Post a report by hand and see it arrive.",
                            "./tlsrpt tail verdicts")),
            Map.entry(
                    Rule.CERTIFICATE_EXPIRY,
                    new Help(
                            "The certificate that <mx> presents runs out soon or is wrong already. Once it is, senders"
                                    + " that must verify do not deliver.",
                            "Renew the certificate and reload the mail server, at every address of the host.",
                            CERTIFICATE + "-subject -dates")),
            Map.entry(
                    Rule.STARTTLS_MISSING,
                    new Help(
                            "<mx> offers no STARTTLS when looked at. Senders that must encrypt hold the mail, all others"
                                    + " send it in plain text.",
                            "Switch TLS on at the server, at every address of the host, and look for a firewall that"
                                    + " takes STARTTLS away.",
                            CONNECT + " -brief </dev/null")),
            Map.entry(
                    Rule.TLSRPT_RECORD,
                    new Help(
                            "The TLSRPT record of <domain> is missing, broken, or names other addresses than ours: its"
                                    + " reports do not come here.",
                            "Publish one TXT record at _smtp._tls.<domain>; ./tlsrpt record <domain> shows it.",
                            "dig +short TXT _smtp._tls.<domain>")),
            Map.entry(
                    Rule.MTA_STS,
                    new Help(
                            "The MTA-STS record or policy of <domain> is broken, cannot be fetched, does not cover an"
                                    + " MX, or has changed without a new id. Senders use what they have cached, then"
                                    + " deliver unprotected; an MX that is not covered gets no mail under enforce.",
                            "Mend the policy file or its web server, and change the id in the _mta-sts TXT record with"
                                    + " every change of the policy.",
                            "curl -sS " + POLICY + "; dig +short _mta-sts.<domain> TXT")),
            Map.entry(
                    Rule.TLSA,
                    new Help(
                            "The TLSA records of <mx> do not match the certificate it presents, or their zone does not"
                                    + " validate. Senders that use DANE do not deliver.",
                            "Publish the TLSA record of the certificate in use, and keep the old one for two TTLs when"
                                    + " it changes. Where DNSSEC is broken, mend the signatures or the DS record.",
                            "delv +short " + TLSA)));

    private HelpCatalogue() {}

    /// What an alert of a rule that judges no result type means; absent for the others.
    static @Nullable Help of(Rule rule, @Nullable String mx, @Nullable String domain) {
        Help entry = OF_RULES.get(rule);
        return entry == null ? null : filled(entry, mx, domain);
    }

    /// The entry with placeholders `<mx>` and `<domain>` in its texts.
    static Help of(@Nullable String resultType) {
        return of(resultType, null, null);
    }

    /// The entry with the host name filled in; the domain's placeholder stands.
    static Help of(@Nullable String resultType, @Nullable String mx) {
        return of(resultType, mx, null);
    }

    /// The entry with host and domain filled in.
    ///
    /// @param mx the MX host; whatever is not a plain host name leaves the placeholder
    /// @param domain the policy domain; likewise
    static Help of(@Nullable String resultType, @Nullable String mx, @Nullable String domain) {
        return filled(
                resultType == null ? UNKNOWN : ENTRIES.getOrDefault(new ResultType(resultType), UNKNOWN), mx, domain);
    }

    private static Help filled(Help entry, @Nullable String mx, @Nullable String domain) {
        String host = nameOr(MX, mx);
        String zone = nameOr(DOMAIN, domain);
        return new Help(
                entry.meaning().replace(MX, host).replace(DOMAIN, zone),
                entry.fix().replace(MX, host).replace(DOMAIN, zone),
                entry.verify().replace(MX, host).replace(DOMAIN, zone));
    }

    private static String nameOr(String placeholder, @Nullable String name) {
        if (name == null || name.length() > 253) {
            return placeholder;
        }
        String lower = name.toLowerCase(Locale.ROOT);
        return HOST_NAME.matcher(lower).matches() ? lower : placeholder;
    }
}
