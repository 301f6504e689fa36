package io.tlsrpt.inspection;

import static io.tlsrpt.topics.Inspection.ERROR;
import static io.tlsrpt.topics.Inspection.NOTE;
import static io.tlsrpt.topics.Inspection.OK;
import static io.tlsrpt.topics.Inspection.WARNING;

import io.tlsrpt.dns.Rua;
import io.tlsrpt.dns.TlsRptRecord;
import io.tlsrpt.inspection.Facts.Policy;
import io.tlsrpt.inspection.PolicyFetch.Fetched;
import io.tlsrpt.inspection.TlsaRecords.Tlsa;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Inspection.Finding;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.TLSARecord;

/// Judges what was seen of a domain: pure, all time and trust comes from outside. How grave a fault is follows from
/// what
/// senders do about it: `error` when some of them hold mail back or this is what was promised to them, `warning` when
/// mail goes on with less protection, `note` when nothing is wrong, `unknown` when it could not be found out.
final class Verdicts {

    private static final long SHORT_MAX_AGE = Duration.ofDays(1).toSeconds();
    private static final int MOST_TLSA = 50;
    private static final int MOST_FINDINGS = 500;
    private static final List<String> WORST_FIRST = List.of(ERROR, WARNING, Inspection.UNKNOWN, NOTE, OK);

    private final Facts facts;
    private final String port25;
    private final CertificateCheck certificates;
    private final List<Finding> findings = new ArrayList<>();
    private @Nullable MtaStsPolicy policy;

    private Verdicts(Facts facts, String port25, CertificateCheck certificates) {
        this.facts = facts;
        this.port25 = port25;
        this.certificates = certificates;
    }

    /// @param port25 `open`, `blocked` or `unknown`
    /// @param trigger `watch`, `alert` or `request`
    static Inspection of(Facts facts, String port25, String trigger, CertificateCheck certificates) {
        return new Verdicts(facts, port25, certificates).inspection(trigger);
    }

    private Inspection inspection(String trigger) {
        Inspection.TlsRpt tlsRpt = tlsRpt();
        Inspection.MtaSts mtaSts = mtaSts();
        String mail = mail();
        List<Inspection.Mx> hosts = facts.hosts().stream().map(this::host).toList();
        coverage();
        if (port25.equals(Port25.BLOCKED)) {
            say(
                    FindingCode.PORT_25_BLOCKED,
                    Inspection.UNKNOWN,
                    facts.domain(),
                    null,
                    "connections to port 25 do not get out from here; what the MX hosts present is not known");
        }
        List<Finding> sorted = findings.stream()
                .sorted(Comparator.comparingInt((Finding finding) -> WORST_FIRST.indexOf(finding.verdict())))
                .limit(MOST_FINDINGS)
                .toList();
        return new Inspection(facts.domain(), facts.at(), trigger, port25, mail, tlsRpt, mtaSts, hosts, sorted);
    }

    private void say(FindingCode code, String verdict, String subject, @Nullable String mx, String found) {
        boolean toDo = verdict.equals(ERROR) || verdict.equals(WARNING) || code.equals(FindingCode.PORT_25_BLOCKED);
        boolean advice = verdict.equals(NOTE);
        String fix = code.fix();
        findings.add(new Finding(
                code.code(),
                code.area(),
                verdict,
                subject,
                mx,
                found,
                fix == null || !(toDo || advice) ? null : fix.replace("<domain>", facts.domain()),
                code.reference()));
    }

    /// Trouble in place of an answer: false signatures are an error of the domain, the rest blames nobody.
    private void broken(FindingCode otherwise, String subject, @Nullable String mx, Answer.Broken broken) {
        if (broken.security() == Security.BOGUS) {
            say(FindingCode.DNSSEC_BOGUS, ERROR, subject, mx, broken.why());
        } else {
            say(otherwise, Inspection.UNKNOWN, subject, mx, broken.why());
        }
    }

    private Inspection.TlsRpt tlsRpt() {
        String name = TlsRptRecord.name(facts.domain());
        if (facts.tlsRpt() instanceof Answer.Broken broken) {
            broken(FindingCode.DNS_FAILED, name, null, broken);
            return new Inspection.TlsRpt("unknown", null, null);
        }
        List<byte[]> texts = facts.tlsRpt() instanceof Answer.Found found ? SecureLookup.texts(found) : List.of();
        return switch (TlsRptRecord.of(texts)) {
            case TlsRptRecord.Published.Valid valid -> published(name, valid.record());
            case TlsRptRecord.Published.None none -> {
                boolean several = none.why() == TlsRptRecord.Absence.SEVERAL_RECORDS;
                say(
                        several ? FindingCode.TLSRPT_RECORD_SEVERAL : FindingCode.TLSRPT_RECORD_MISSING,
                        ERROR,
                        name,
                        null,
                        none.why().words());
                yield new Inspection.TlsRpt(several ? "several" : "missing", null, null);
            }
            case TlsRptRecord.Published.Invalid invalid -> {
                String text = Untrusted.shown(invalid.text());
                say(
                        FindingCode.TLSRPT_RECORD_INVALID,
                        ERROR,
                        name,
                        null,
                        invalid.why().words() + ", at character " + (invalid.at() + 1) + " of \"" + text + "\"");
                yield new Inspection.TlsRpt("invalid", text, null);
            }
        };
    }

    private Inspection.TlsRpt published(String name, TlsRptRecord record) {
        String text = Untrusted.shown(record.text());
        List<String> rua = record.rua().stream().map(Rua::text).limit(20).toList();
        if (record.warnings().isEmpty()) {
            say(
                    FindingCode.TLSRPT_RECORD_OK,
                    OK,
                    name,
                    null,
                    "asks for reports at " + Untrusted.shown(String.join(", ", rua)));
        } else {
            boolean useless = record.warnings().contains(TlsRptRecord.Warning.NO_USABLE_RUA);
            String why =
                    record.warnings().stream().map(TlsRptRecord.Warning::words).collect(Collectors.joining("; "));
            say(FindingCode.TLSRPT_RECORD_DOUBTFUL, useless ? ERROR : WARNING, name, null, why);
        }
        return new Inspection.TlsRpt("published", text, rua);
    }

    private Inspection.MtaSts mtaSts() {
        String name = MtaStsRecord.name(facts.domain());
        if (facts.mtaSts() instanceof Answer.Broken broken) {
            broken(FindingCode.DNS_FAILED, name, null, broken);
            return sts("unknown", null, null);
        }
        List<byte[]> texts = facts.mtaSts() instanceof Answer.Found found ? SecureLookup.texts(found) : List.of();
        return switch (MtaStsRecord.of(texts)) {
            case MtaStsRecord.Published.Missing missing -> {
                say(FindingCode.MTA_STS_RECORD_MISSING, NOTE, name, null, "there is no MTA-STS record");
                yield sts("missing", null, null);
            }
            case MtaStsRecord.Published.Invalid invalid -> {
                say(FindingCode.MTA_STS_RECORD_INVALID, ERROR, name, null, invalid.why());
                yield sts("invalid", null, null);
            }
            case MtaStsRecord.Published.Valid valid -> policy(valid.id());
        };
    }

    private static Inspection.MtaSts sts(String state, @Nullable String id, @Nullable String policyState) {
        return new Inspection.MtaSts(state, id, policyState, null, null, null, null, null);
    }

    /// Without a policy senders deliver as if there were no MTA-STS (RFC 8461 §3.3), which is not what the record
    /// promises.
    private Inspection.MtaSts policy(String id) {
        String host = PolicyFetch.host(facts.domain());
        return switch (Objects.requireNonNullElse(facts.policy(), new Policy.Unknown("not looked at"))) {
            case Policy.Unknown unknown -> {
                say(FindingCode.DNS_FAILED, Inspection.UNKNOWN, host, null, unknown.why());
                yield sts("published", id, "unknown");
            }
            case Policy.NoAddress none -> {
                say(FindingCode.MTA_STS_POLICY_UNFETCHABLE, ERROR, host, null, none.why());
                yield sts("published", id, "unfetchable");
            }
            case Policy.Asked asked ->
                switch (asked.fetched()) {
                    case Fetched.Unfetchable unfetchable -> {
                        say(FindingCode.MTA_STS_POLICY_UNFETCHABLE, ERROR, host, null, unfetchable.why());
                        yield failed(id, "unfetchable", unfetchable.certificate());
                    }
                    case Fetched.NotTrusted untrusted -> {
                        say(FindingCode.MTA_STS_POLICY_UNTRUSTED, ERROR, host, null, untrusted.why());
                        yield failed(id, "untrusted", untrusted.certificate());
                    }
                    case Fetched.Body body -> policy(host, id, body);
                };
        };
    }

    private static Inspection.MtaSts failed(String id, String state, @Nullable X509Certificate certificate) {
        return new Inspection.MtaSts(
                "published",
                id,
                state,
                null,
                null,
                null,
                null,
                certificate == null ? null : CertificateCheck.shown(certificate));
    }

    private Inspection.MtaSts policy(String host, String id, Fetched.Body body) {
        Inspection.Certificate certificate = CertificateCheck.shown(body.certificate());
        String sha256 = sha256(body.bytes());
        return switch (MtaStsPolicy.of(body.bytes())) {
            case MtaStsPolicy.Reading.Invalid invalid -> {
                say(FindingCode.MTA_STS_POLICY_INVALID, ERROR, host, null, invalid.why());
                yield new Inspection.MtaSts("published", id, "invalid", null, null, null, sha256, certificate);
            }
            case MtaStsPolicy.Reading.Valid valid -> {
                MtaStsPolicy read = valid.policy();
                policy = read;
                judge(host, read, body.mediaType());
                yield new Inspection.MtaSts(
                        "published", id, "valid", read.mode(), read.maxAge(), read.mx(), sha256, certificate);
            }
        };
    }

    private void judge(String host, MtaStsPolicy read, @Nullable String mediaType) {
        List<String> doubts = read.warnings().stream()
                .map(MtaStsPolicy.Warning::words)
                .collect(Collectors.toCollection(ArrayList::new));
        if (!isPlainText(mediaType)) {
            doubts.add("its media type is " + (mediaType == null ? "absent" : Untrusted.shown(mediaType))
                    + ", and should be text/plain");
        }
        if (!doubts.isEmpty()) {
            say(FindingCode.MTA_STS_POLICY_DOUBTFUL, WARNING, host, null, String.join("; ", doubts));
        }
        if (!read.mode().equals(MtaStsPolicy.ENFORCE)) {
            say(FindingCode.MTA_STS_NOT_ENFORCED, NOTE, host, null, "mode " + read.mode());
        }
        // a policy on its way out has to be short (RFC 8461 §8.3)
        if (read.maxAge() < SHORT_MAX_AGE && !read.mode().equals(MtaStsPolicy.NONE)) {
            say(
                    FindingCode.MTA_STS_MAX_AGE_SHORT,
                    WARNING,
                    host,
                    null,
                    "senders forget the policy after " + read.maxAge() + " s");
        }
        if (doubts.isEmpty()) {
            say(
                    FindingCode.MTA_STS_OK,
                    OK,
                    host,
                    null,
                    "mode " + read.mode() + ", max_age " + read.maxAge() + ", mx "
                            + Untrusted.shown(String.join(", ", read.mx())));
        }
    }

    private static boolean isPlainText(@Nullable String mediaType) {
        return mediaType != null
                && mediaType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT).equals("text/plain");
    }

    private String mail() {
        String domain = facts.domain();
        return switch (facts.mx()) {
            case Answer.Broken broken -> {
                broken(FindingCode.MX_LOOKUP_FAILED, domain, null, broken);
                yield "unknown";
            }
            case Answer.None none -> withoutMx(domain, none);
            case Answer.Found found -> mail(domain, found);
        };
    }

    private String withoutMx(String domain, Answer.None none) {
        boolean addressed =
                facts.hosts().stream().anyMatch(host -> !host.addresses().isEmpty());
        if (addressed) {
            say(
                    FindingCode.MX_MISSING,
                    WARNING,
                    domain,
                    null,
                    "there is no MX record; senders take the domain's own address");
            return "implicit";
        }
        String found =
                none.nameExists() ? "there is neither an MX record nor an address" : "the domain does not exist in DNS";
        say(FindingCode.MX_MISSING, ERROR, domain, null, found);
        return "missing";
    }

    private String mail(String domain, Answer.Found found) {
        if (found.security() == Security.UNKNOWN) {
            say(
                    FindingCode.DNSSEC_UNKNOWN,
                    Inspection.UNKNOWN,
                    domain,
                    null,
                    "the trust anchors cannot be validated with the DNS servers asked; no answer is judged by DNSSEC");
        }
        List<MXRecord> records = found.records(MXRecord.class, Integer.MAX_VALUE);
        boolean none = records.stream().anyMatch(record -> record.getTarget().labels() <= 1);
        if (none && records.size() == 1) {
            say(FindingCode.MX_NULL, NOTE, domain, null, "the domain takes no mail (null MX)");
            return "none";
        }
        if (none) {
            say(FindingCode.MX_NULL_NOT_ALONE, ERROR, domain, null, "a null MX stands beside other MX records");
        } else {
            say(
                    FindingCode.MX_OK,
                    OK,
                    domain,
                    null,
                    facts.hosts().stream().map(Facts.Host::name).collect(Collectors.joining(", ")));
        }
        if (facts.uninspected() > 0) {
            say(
                    FindingCode.MX_TOO_MANY,
                    NOTE,
                    domain,
                    null,
                    facts.uninspected() + " more MX hosts were not looked at; the limit is "
                            + DomainInspection.MOST_HOSTS);
        }
        return "mx";
    }

    /// Every MX host should be one of the policy's, and every pattern of some use.
    private void coverage() {
        MtaStsPolicy read = policy;
        if (read == null
                || read.mode().equals(MtaStsPolicy.NONE)
                || facts.hosts().isEmpty()) {
            return;
        }
        for (Facts.Host host : facts.hosts()) {
            if (!read.covers(host.name())) {
                say(
                        FindingCode.MTA_STS_MX_UNCOVERED,
                        read.mode().equals(MtaStsPolicy.ENFORCE) ? ERROR : WARNING,
                        host.name(),
                        host.name(),
                        "no pattern of the policy matches this MX host"
                                + (read.mode().equals(MtaStsPolicy.ENFORCE) ? ": senders will not deliver to it" : ""));
            }
        }
        if (facts.uninspected() > 0) {
            return;
        }
        for (String pattern : read.mx()) {
            if (facts.hosts().stream().noneMatch(host -> MtaStsPolicy.matches(pattern, host.name()))) {
                say(
                        FindingCode.MTA_STS_PATTERN_UNUSED,
                        NOTE,
                        PolicyFetch.host(facts.domain()),
                        null,
                        "no MX host matches mx: " + Untrusted.shown(pattern));
            }
        }
    }

    private Inspection.Mx host(Facts.Host host) {
        String name = host.name();
        for (Answer answer : List.of(host.ipv4(), host.ipv6())) {
            if (answer instanceof Answer.Broken broken) {
                broken(FindingCode.DNS_FAILED, name, name, broken);
            }
        }
        if (host.alias() != null && !name.equals(facts.domain())) {
            say(FindingCode.MX_IS_ALIAS, WARNING, name, name, "an alias for " + Untrusted.shown(host.alias()));
        }
        if (host.ipv4() instanceof Answer.None && host.ipv6() instanceof Answer.None && !name.equals(facts.domain())) {
            say(FindingCode.MX_WITHOUT_ADDRESS, ERROR, name, name, "the MX host has no address");
        }
        if (host.uninspected() > 0) {
            say(
                    FindingCode.MX_TOO_MANY,
                    NOTE,
                    name,
                    name,
                    host.uninspected() + " more addresses were not looked at; the limit is "
                            + DomainInspection.MOST_ADDRESSES);
        }
        List<Tlsa> usable = new ArrayList<>();
        Inspection.Tlsa tlsa = tlsa(host, usable);
        List<Inspection.Address> addresses = host.addresses().stream()
                .map(address -> address(host, address, usable))
                .toList();
        MtaStsPolicy read = policy;
        return new Inspection.Mx(
                name,
                host.preference(),
                host.security().word(),
                read == null ? null : read.covers(name),
                tlsa,
                addresses);
    }

    /// @param usable filled with the records that senders use
    private Inspection.Tlsa tlsa(Facts.Host host, List<Tlsa> usable) {
        String subject = TlsaRecords.name(host.base());
        return switch (host.tlsa()) {
            case Answer.None none -> {
                say(
                        FindingCode.TLSA_MISSING,
                        NOTE,
                        subject,
                        host.name(),
                        "there are no TLSA records (DANE is not used)");
                yield new Inspection.Tlsa("missing", null);
            }
            case Answer.Broken broken -> {
                // senders who ask hold their mail back (RFC 7672 §2.1.2), and they ask where the address is signed
                if (broken.security() != Security.BOGUS && host.security() == Security.SECURE) {
                    say(
                            FindingCode.DNS_FAILED,
                            ERROR,
                            subject,
                            host.name(),
                            broken.why() + ": senders that use DANE wait");
                } else {
                    broken(FindingCode.DNS_FAILED, subject, host.name(), broken);
                }
                yield new Inspection.Tlsa(broken.security().word(), null);
            }
            case Answer.Found found -> {
                List<Tlsa> records = found.records(TLSARecord.class, MOST_TLSA).stream()
                        .map(Tlsa::of)
                        .toList();
                if (found.security() == Security.SECURE) {
                    usable.addAll(records.stream()
                            .filter(record -> TlsaRecords.unusable(record) == null)
                            .toList());
                    unusable(subject, host, records, usable.isEmpty());
                    Answer mx = facts.mx();
                    if (mx instanceof Answer.Found && mx.security() == Security.INSECURE) {
                        say(
                                FindingCode.TLSA_MX_NOT_SECURE,
                                NOTE,
                                subject,
                                host.name(),
                                "the records are signed, but the MX records of " + facts.domain()
                                        + " are not: few senders use them");
                    }
                } else if (found.security() == Security.INSECURE) {
                    say(
                            FindingCode.TLSA_NOT_SECURE,
                            WARNING,
                            subject,
                            host.name(),
                            "the records are not signed by DNSSEC: senders ignore them");
                }
                yield new Inspection.Tlsa(
                        found.security().word(),
                        records.stream().map(Verdicts::cut).toList());
            }
        };
    }

    private static String cut(Tlsa tlsa) {
        String text = tlsa.text();
        return text.length() > 1_000 ? text.substring(0, 1_000) + "…" : text;
    }

    /// With records but none that can be used, senders encrypt and check nothing (RFC 7672 §2.2).
    private void unusable(String subject, Facts.Host host, List<Tlsa> records, boolean all) {
        for (Tlsa record : records) {
            String why = TlsaRecords.unusable(record);
            if (why != null) {
                say(
                        FindingCode.TLSA_UNUSABLE,
                        all ? ERROR : WARNING,
                        subject,
                        host.name(),
                        "\"" + cut(record) + "\": " + why);
            }
        }
    }

    private Inspection.Address address(Facts.Host host, Facts.Address address, List<Tlsa> usable) {
        String ip = address.ip().getHostAddress();
        String subject = host.name() + " " + ip;
        Presented presented = address.presented();
        if (presented == null) {
            String why = "an address that the internet cannot reach; it was not looked at";
            say(FindingCode.MX_ADDRESS_PRIVATE, WARNING, subject, host.name(), why);
            return new Inspection.Address(ip, Presented.UNKNOWN, why, null, null, null, null);
        }
        boolean dane = !usable.isEmpty();
        // signed records that nobody can use still make senders insist on TLS (RFC 7672 §2.2)
        boolean insisted = host.tlsa() instanceof Answer.Found && host.tlsa().security() == Security.SECURE;
        String grave = enforced(host) || insisted ? ERROR : WARNING;
        String detail = presented.detail();
        switch (presented.starttls()) {
            case Presented.UNKNOWN ->
                say(
                        FindingCode.MX_UNREACHABLE,
                        port25.equals(Port25.OPEN) ? WARNING : Inspection.UNKNOWN,
                        subject,
                        host.name(),
                        detail == null ? "not reached" : detail);
            case Presented.MISSING ->
                say(
                        FindingCode.STARTTLS_MISSING,
                        grave,
                        subject,
                        host.name(),
                        "STARTTLS is not offered" + (detail == null ? "" : ": " + detail));
            case Presented.FAILED ->
                say(
                        FindingCode.STARTTLS_FAILED,
                        grave,
                        subject,
                        host.name(),
                        "STARTTLS is offered and fails" + (detail == null ? "" : ": " + detail));
            default ->
                say(
                        FindingCode.STARTTLS_OK,
                        OK,
                        subject,
                        host.name(),
                        "STARTTLS works" + (presented.tlsVersion() == null ? "" : " with " + presented.tlsVersion()));
        }
        if (presented.chain().isEmpty()) {
            return new Inspection.Address(ip, presented.starttls(), detail, presented.tlsVersion(), null, null, null);
        }
        TlsaRecords.Match match = dane ? match(subject, host, presented.chain(), usable) : null;
        String pkix = certificates.pkix(presented.chain(), host.name(), facts.at());
        certificate(subject, host, presented.chain().getFirst(), pkix, match);
        return new Inspection.Address(
                ip,
                presented.starttls(),
                detail,
                presented.tlsVersion(),
                pkix,
                match == null ? null : match.fits(),
                CertificateCheck.shown(presented.chain().getFirst()));
    }

    private TlsaRecords.Match match(String subject, Facts.Host host, List<X509Certificate> chain, List<Tlsa> usable) {
        Set<String> names = new LinkedHashSet<>(List.of(host.base()));
        if (facts.mx().security() == Security.SECURE) {
            names.add(facts.domain());
        }
        TlsaRecords.Match match = TlsaRecords.match(usable, chain, names, facts.at());
        if (!match.fits()) {
            say(FindingCode.TLSA_MISMATCH, ERROR, subject, host.name(), String.valueOf(match.why()));
        } else {
            say(FindingCode.TLSA_OK, OK, subject, host.name(), "the TLSA records fit the certificate");
            if (!match.unmatched().isEmpty()) {
                say(
                        FindingCode.TLSA_ROLLOVER,
                        NOTE,
                        subject,
                        host.name(),
                        match.unmatched().stream()
                                .limit(5)
                                .map(text -> text.length() > 150 ? text.substring(0, 150) + "…" : text)
                                .collect(Collectors.joining("\", \"", "not for this certificate: \"", "\"")));
            }
        }
        return match;
    }

    /// What senders that obey MTA-STS say of it. Under DANE alone it does not count (RFC 7671 §5.1), without either no
    /// sender looks.
    private void certificate(
            String subject, Facts.Host host, X509Certificate leaf, String pkix, TlsaRecords.@Nullable Match match) {
        FindingCode code = switch (pkix) {
            case CertificateCheck.EXPIRED -> FindingCode.CERTIFICATE_EXPIRED;
            case CertificateCheck.NOT_YET_VALID -> FindingCode.CERTIFICATE_NOT_YET_VALID;
            case CertificateCheck.HOST_MISMATCH -> FindingCode.CERTIFICATE_HOST_MISMATCH;
            case CertificateCheck.NOT_TRUSTED -> FindingCode.CERTIFICATE_NOT_TRUSTED;
            default -> FindingCode.CERTIFICATE_OK;
        };
        Inspection.Certificate shown = CertificateCheck.shown(leaf);
        List<String> names = shown.names() == null ? List.of() : shown.names();
        String found = switch (code) {
            case CERTIFICATE_EXPIRED -> "expired on " + shown.notAfter() + "; issuer " + shown.issuer();
            case CERTIFICATE_NOT_YET_VALID -> "valid from " + shown.notBefore() + " only; issuer " + shown.issuer();
            case CERTIFICATE_HOST_MISMATCH ->
                names.isEmpty()
                        ? "the certificate has no DNS name; issuer " + shown.issuer()
                        : "the certificate is for "
                                + names.stream().limit(5).collect(Collectors.joining(", "))
                                + (names.size() > 5 ? " and others" : "") + ", not for " + host.name();
            case CERTIFICATE_NOT_TRUSTED -> "no chain to a trusted authority; issuer " + shown.issuer();
            default -> "valid until " + shown.notAfter() + "; issuer " + shown.issuer();
        };
        String verdict;
        if (code.equals(FindingCode.CERTIFICATE_OK)) {
            verdict = OK;
        } else if (enforced(host)) {
            verdict = ERROR;
        } else if (testing(host)) {
            verdict = WARNING;
        } else {
            boolean unasked = match != null
                    && match.fits()
                    && (match.byLeaf() || code.equals(FindingCode.CERTIFICATE_NOT_TRUSTED));
            verdict = unasked ? NOTE : WARNING;
        }
        say(code, verdict, subject, host.name(), found);
    }

    private boolean enforced(Facts.Host host) {
        MtaStsPolicy read = policy;
        return read != null && read.mode().equals(MtaStsPolicy.ENFORCE) && read.covers(host.name());
    }

    private boolean testing(Facts.Host host) {
        MtaStsPolicy read = policy;
        return read != null && read.mode().equals(MtaStsPolicy.TESTING) && read.covers(host.name());
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException(missing);
        }
    }
}
