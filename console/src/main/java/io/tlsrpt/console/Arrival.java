package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.console.InspectionView.TlsRptRecord;
import io.tlsrpt.dns.Rua;
import io.tlsrpt.report.RefusalHelp;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Inspection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// One point on the way that reports about a domain take to us, so that their absence explains itself.
///
/// @param check `record`, `rua`, `reports`, `rejected`, `adoption`, `mailbox` or `inspection`
/// @param state `ok`, `problem` or `unknown`
/// @param text what was found
/// @param fix what to do; absent when nothing is to be done
/// @param link a page that shows more
@JsonPropertyOrder({"check", "state", "text", "fix", "link"})
@JsonInclude(JsonInclude.Include.NON_NULL)
record Arrival(
        String check,
        String state,
        String text,
        @Nullable String fix,
        @Nullable String link) {

    private static final String OK = "ok";
    private static final String PROBLEM = "problem";
    private static final String UNKNOWN = "unknown";

    private static final String RECORD = "record";
    private static final String RUA = "rua";

    /// Reporters send once a day, and some of them two days late.
    private static final Duration SILENCE = Duration.ofDays(4);

    private static final int SHOWN = 5;
    private static final int SHOWN_CHARACTERS = 200;

    /// What in a look keeps it, or senders, from reading the record.
    private static final Set<String> TROUBLE =
            Set.of("dns-failed", "dnssec-bogus", "mx-lookup-failed", "port-25-blocked");

    /// What is known.
    ///
    /// @param row of the domain
    /// @param record as the looks tell; absent when nobody has looked
    /// @param look the latest
    /// @param refused the newest refused documents and entries; absent when they could not be read
    record Known(
            DomainOverview row,
            @Nullable TlsRptRecord record,
            @Nullable Inspection look,
            @Nullable List<RejectedRecord> refused,
            Settings settings,
            Instant now) {

        private boolean reported() {
            return row.lastWindow() != null;
        }
    }

    /// Every point about which there is something to say.
    static List<Arrival> of(Known known) {
        List<Arrival> points = new ArrayList<>();
        points.add(record(known));
        rua(known).forEach(points::add);
        points.add(reports(known));
        points.add(rejected(known));
        adoption(known).forEach(points::add);
        mailbox(known).forEach(points::add);
        trouble(known).forEach(points::add);
        return points;
    }

    private static Arrival record(Known known) {
        String domain = known.row().domain();
        TlsRptRecord record = known.record();
        String check = "./tlsrpt check " + domain + " looks at once";
        if (record == null) {
            return new Arrival(RECORD, UNKNOWN, "Nobody has looked for the TLSRPT record yet.", check, null);
        }
        return switch (record.state()) {
            case TlsRptRecord.FOUND ->
                record.foundWithin(Overview.FIRST_REPORT_TAKES, known.now())
                        ? new Arrival(
                                RECORD,
                                OK,
                                "The TLSRPT record was first seen less than two days ago. A reporter reads it on one day and"
                                        + " reports about that day on the next.",
                                known.reported() ? null : "Wait until two days have passed.",
                                null)
                        : new Arrival(RECORD, OK, "The TLSRPT record is published.", null, null);
            case TlsRptRecord.MISSING ->
                new Arrival(
                        RECORD,
                        PROBLEM,
                        "There is no TLSRPT record at _smtp._tls." + domain + ": nobody knows where to report to.",
                        "Publish the TXT record that ./tlsrpt record " + domain + " prints.",
                        null);
            case TlsRptRecord.BROKEN ->
                new Arrival(
                        RECORD,
                        PROBLEM,
                        "Senders ignore the TLSRPT record at _smtp._tls." + domain + ": " + broken(known.look()),
                        "Replace it by the one TXT record that ./tlsrpt record " + domain + " prints.",
                        null);
            default -> new Arrival(RECORD, UNKNOWN, "DNS did not tell whether there is a TLSRPT record.", check, null);
        };
    }

    private static String broken(@Nullable Inspection look) {
        return findings(look)
                .filter(finding -> finding.area().equals("tlsrpt-record"))
                .map(Inspection.Finding::found)
                .findFirst()
                .map(Arrival::cut)
                .orElse("it is not as RFC 8460 §3 has it");
    }

    private static Stream<Arrival> rua(Known known) {
        Inspection.TlsRpt published = known.look() == null ? null : known.look().tlsRpt();
        if (published == null || !published.state().equals("published")) {
            return Stream.empty();
        }
        List<String> addresses = Objects.requireNonNullElse(published.rua(), List.of());
        List<Rua> ours = known.settings().rua().stream().map(Rua::of).toList();
        if (ours.isEmpty()) {
            return Stream.of(new Arrival(
                    RUA,
                    UNKNOWN,
                    "Reports go to " + some(addresses) + "; whether that is here cannot be told.",
                    "Name our addresses in rua: of the configuration.",
                    null));
        }
        boolean here = addresses.stream()
                .flatMap(Arrival::read)
                .anyMatch(address -> ours.stream().anyMatch(address::sameAs));
        return Stream.of(
                here
                        ? new Arrival(RUA, OK, "Reports go to " + some(addresses) + ".", null, null)
                        : new Arrival(
                                RUA,
                                PROBLEM,
                                "Reports go to " + some(addresses) + ", and not to us ("
                                        + some(known.settings().rua()) + ").",
                                "Add our address to the rua= of the TLSRPT record at _smtp._tls."
                                        + known.row().domain() + ", or the record's to rua: of the configuration.",
                                null));
    }

    private static Stream<Rua> read(String address) {
        try {
            return Stream.of(Rua.of(address));
        } catch (IllegalArgumentException unusable) {
            return Stream.empty(); // nobody can send there, so it is not ours
        }
    }

    private static Arrival reports(Known known) {
        DomainOverview row = known.row();
        Instant last = row.lastReceivedAt();
        if (last == null) {
            return new Arrival("reports", UNKNOWN, "No report has arrived yet.", null, null);
        }
        String day = last.toString().substring(0, "2026-11-20".length());
        String text = "The latest report arrived on " + day + ", the newest day reported is " + row.lastWindow() + ".";
        return last.plus(SILENCE).isBefore(known.now())
                ? new Arrival(
                        "reports",
                        PROBLEM,
                        text + " Reporters send every day.",
                        "See whether the record still stands, and whether other domains get reports: if none does, our"
                                + " mailbox or listener is the place to look.",
                        "/reporters")
                : new Arrival("reports", OK, text, null, null);
    }

    private static Arrival rejected(Known known) {
        List<RejectedRecord> refused = known.refused();
        if (refused == null) {
            return new Arrival(
                    "rejected",
                    UNKNOWN,
                    "What was refused could not be read from the broker in time.",
                    "Ask again shortly.",
                    null);
        }
        String domain = known.row().domain();
        Map<String, Long> reasons = refused.stream()
                .filter(each -> about(each, domain))
                .collect(Collectors.groupingBy(
                        each -> Objects.requireNonNullElse(each.reason(), UNKNOWN),
                        TreeMap::new,
                        Collectors.counting()));
        if (reasons.isEmpty()) {
            long nameless = refused.stream().filter(Arrival::aboutNobody).count();
            return new Arrival(
                    "rejected",
                    OK,
                    "None of the newest refused documents is known to be about this domain"
                            + (nameless == 0 ? "." : "; " + nameless + " do not say what they are about."),
                    null,
                    nameless == 0 ? null : "/rejected");
        }
        List<Map.Entry<String, Long>> most = reasons.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(SHOWN)
                .toList();
        long all = reasons.values().stream().mapToLong(Long::longValue).sum();
        String worst = most.getFirst().getKey();
        return new Arrival(
                "rejected",
                PROBLEM,
                all + " of the newest refused documents " + (all == 1 ? "is" : "are") + " about this domain: "
                        + most.stream()
                                .map(reason -> reason.getValue() + " " + reason.getKey())
                                .collect(Collectors.joining(", "))
                        + ".",
                RefusalReason.of(worst)
                        .map(reason -> RefusalHelp.of(reason).fix())
                        .orElse(null),
                RefusalReason.of(worst).isPresent() ? "/rejected?reason=" + worst : "/rejected");
    }

    /// The report-key ends with the domains, the channel stands for one (`docs/topics.md`).
    private static boolean about(RejectedRecord refused, String domain) {
        return domain.equals(refused.channelDomain())
                || Arrays.asList(domains(refused).split(",", -1)).contains(domain);
    }

    private static boolean aboutNobody(RejectedRecord refused) {
        return refused.channelDomain() == null && domains(refused).isEmpty();
    }

    private static String domains(RejectedRecord refused) {
        String key = Objects.requireNonNullElse(refused.reportKey(), "");
        return key.substring(key.lastIndexOf('|') + 1);
    }

    private static Stream<Arrival> adoption(Known known) {
        TlsRptRecord record = known.record();
        if (known.reported()
                || record == null
                || !record.state().equals(TlsRptRecord.FOUND)
                || record.foundWithin(Overview.FIRST_REPORT_TAKES, known.now())) {
            return Stream.empty();
        }
        return Stream.of(new Arrival(
                "adoption",
                UNKNOWN,
                "Few senders report: Google, Microsoft and mail.ru do, and mail servers such as Stalwart, mox, Halon or"
                        + " Postfix where somebody switched it on. A domain that gets little mail from them may wait for"
                        + " days; some report only when something failed.",
                "Send a mail from Gmail to an address of the domain and wait two days.",
                null));
    }

    private static Stream<Arrival> mailbox(Known known) {
        List<Settings.Mail.Mailbox> mailboxes = known.settings().mail().mailboxes();
        if (known.reported() || mailboxes.isEmpty()) {
            return Stream.empty();
        }
        return Stream.of(new Arrival(
                "mailbox",
                UNKNOWN,
                "Mails with reports may lie where nobody looks: watched is "
                        + mailboxes.stream()
                                .limit(SHOWN)
                                .map(mailbox -> mailbox.folder() + " of " + mailbox.name())
                                .collect(Collectors.joining(", "))
                        + ".",
                "Look into the spam folder and at the rules of the mailbox, and let mails with report-type=tlsrpt"
                        + " through unchanged.",
                null));
    }

    private static Stream<Arrival> trouble(Known known) {
        return findings(known.look())
                .filter(finding -> TROUBLE.contains(finding.code()))
                .map(finding -> new Arrival(
                        "inspection",
                        finding.verdict().equals(Inspection.ERROR) ? PROBLEM : UNKNOWN,
                        cut(finding.subject()) + ": " + cut(finding.found()),
                        finding.fix(),
                        null))
                .limit(SHOWN);
    }

    private static Stream<Inspection.Finding> findings(@Nullable Inspection look) {
        List<Inspection.Finding> findings = look == null ? null : look.findings();
        return findings == null ? Stream.empty() : findings.stream();
    }

    private static String some(List<String> texts) {
        return texts.isEmpty()
                ? "nowhere"
                : texts.stream().limit(SHOWN).map(Arrival::cut).collect(Collectors.joining(", "))
                        + (texts.size() > SHOWN ? ", …" : "");
    }

    private static String cut(String text) {
        return text.length() > SHOWN_CHARACTERS ? text.substring(0, SHOWN_CHARACTERS) + "…" : text;
    }
}
