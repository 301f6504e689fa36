package io.tlsrpt.alerting;

import io.tlsrpt.topics.Alert;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// An alert in words for people: what every receiver shows, each in its own way.
///
/// Much of it was written by strangers. All of it is bounded, on one line and without invisible or direction-turning
/// characters; what a receiver takes for markup is still in it, and is the receiver's to escape.
///
/// @param title severity, state and subject, at most 150 characters
/// @param summary at most 1,000 characters
/// @param facts at most ten
/// @param live what the servers presented when somebody last looked, at most 500 characters
/// @param meaning our own words, as are fix and verify
/// @param alertUrl of the alert; absent when it is no http or https address
record AlertText(
        String title,
        String summary,
        List<Fact> facts,
        @Nullable String live,
        @Nullable String meaning,
        @Nullable String fix,
        @Nullable String verify,
        @Nullable String alertUrl,
        @Nullable String runbookUrl) {

    /// The longest title.
    static final int MAX_TITLE = 150;

    private static final int MAX_SUMMARY = 1_000;
    private static final int MAX_VALUE = 200;
    private static final int MAX_LIVE = 500;
    private static final int MAX_HELP = 1_200;
    private static final int MAX_URL = 1_000;
    private static final int MOST_FACTS = 10;
    private static final int MOST_LISTED = 5;

    /// A label of ours and a value, at most 200 characters.
    record Fact(String label, String value) {}

    static AlertText of(Alert alert) {
        Alert.Help help = alert.help();
        Alert.Live live = alert.evidence().live();
        return new AlertText(
                title(alert),
                CleanText.of(alert.summary(), MAX_SUMMARY),
                facts(alert),
                live == null ? null : CleanText.of(live.summary(), MAX_LIVE),
                help == null ? null : CleanText.of(help.meaning(), MAX_HELP),
                help == null ? null : CleanText.of(help.fix(), MAX_HELP),
                help == null ? null : CleanText.of(help.verify(), MAX_HELP),
                link(alert.url()),
                link(alert.runbookUrl()));
    }

    /// "2 alerts firing, 1 resolved"; for a single one its title.
    static String headline(List<Alert> alerts) {
        if (alerts.size() == 1) {
            return title(alerts.getFirst());
        }
        long firing = alerts.stream().filter(Alert::firing).count();
        long resolved = alerts.size() - firing;
        String worst = alerts.stream()
                .filter(Alert::firing)
                .map(alert -> Telling.severity(alert.severity()))
                .max(Enum::compareTo)
                .map(severity -> "[" + severity.name().toLowerCase(Locale.ROOT) + "] ")
                .orElse("[resolved] ");
        return worst
                + (firing == 0
                        ? resolved + " alerts resolved"
                        : firing
                                + (firing == 1 ? " alert fires" : " alerts fire")
                                + (resolved == 0 ? "" : ", " + resolved + " resolved"));
    }

    private static String title(Alert alert) {
        String state = alert.firing() ? alert.severity() : "resolved";
        String about = alert.receivingMxHostname() != null
                ? alert.receivingMxHostname()
                : alert.policyDomain() != null ? alert.policyDomain() : alert.submitter();
        return CleanText.of(
                "[" + state + "] " + (alert.resultType() == null ? alert.rule() : alert.resultType())
                        + (about == null ? "" : ": " + about),
                MAX_TITLE);
    }

    private static List<Fact> facts(Alert alert) {
        Alert.Evidence evidence = alert.evidence();
        List<Fact> facts = new ArrayList<>();
        if (!alert.firing() && alert.resolvedAt() != null) {
            facts.add(new Fact(
                    "Resolved",
                    time(alert.resolvedAt()) + (alert.resolveReason() == null ? "" : ", " + reason(alert))));
        }
        facts.add(new Fact("Since", time(alert.openedAt()) + (alert.reopened() == null ? "" : ", again")));
        Alert.Word taken = alert.acknowledged();
        if (taken != null) {
            facts.add(new Fact("Acknowledged", taken.by() + (taken.text() == null ? "" : ": " + taken.text())));
        }
        add(facts, "Domains", domains(alert), evidence.affectedDomainCount());
        if (evidence.sessionCount() > 0) {
            facts.add(new Fact(
                    "Sessions",
                    String.format(
                            Locale.ROOT,
                            "%,d of %,d failed on %s; %,d of %,d in the weeks before",
                            evidence.failedSessionCount(),
                            evidence.sessionCount(),
                            evidence.window(),
                            evidence.baselineFailed(),
                            evidence.baselineSessions())));
        }
        add(facts, "Reporters", reporters(alert), null);
        add(facts, "MX addresses", evidence.receivingIps(), null);
        add(facts, "Reasons given", evidence.failureReasonCodes(), null);
        Map<String, String> labels = alert.labels();
        if (labels != null) {
            add(
                    facts,
                    "Labels",
                    labels.entrySet().stream()
                            .map(label -> label.getKey() + "=" + label.getValue())
                            .toList(),
                    null);
        }
        facts.add(new Fact("Incident", alert.incidentId()));
        return facts.stream()
                .limit(MOST_FACTS)
                .map(fact -> new Fact(fact.label(), CleanText.of(fact.value(), MAX_VALUE)))
                .toList();
    }

    private static @Nullable List<String> domains(Alert alert) {
        List<String> affected = alert.evidence().affectedDomains();
        return affected != null || alert.policyDomain() == null ? affected : List.of(alert.policyDomain());
    }

    private static @Nullable List<String> reporters(Alert alert) {
        List<String> submitters = alert.evidence().submitters();
        return submitters != null || alert.submitter() == null ? submitters : List.of(alert.submitter());
    }

    private static void add(List<Fact> facts, String label, @Nullable List<String> values, @Nullable Integer count) {
        if (values == null || values.isEmpty()) {
            return;
        }
        int all = count == null ? values.size() : Math.max(count, values.size());
        String shown = values.stream()
                .limit(MOST_LISTED)
                .map(value -> CleanText.of(value, MAX_VALUE / MOST_LISTED * 2))
                .collect(Collectors.joining(", "));
        facts.add(new Fact(label, all <= MOST_LISTED ? shown : "(" + all + ") " + shown + ", …"));
    }

    private static String time(java.time.Instant at) {
        return at.truncatedTo(ChronoUnit.MINUTES).toString().replace('T', ' ').replace(":00Z", " UTC");
    }

    private static String reason(Alert alert) {
        return switch (String.valueOf(alert.resolveReason())) {
            case "recovered" -> "reports show it works again";
            case "stale" -> "no reports any more: no data, not a recovery";
            case "manual" -> "by hand";
            case "retracted" -> "the reports behind it were replaced";
            case "probe" -> "a live look found it mended";
            default -> String.valueOf(alert.resolveReason());
        };
    }

    /// The address if it is one that may be followed: http or https, plain ASCII, nothing that ends a link.
    static @Nullable String link(@Nullable String url) {
        if (url == null || url.length() > MAX_URL || !url.matches("https?://[!#-;=?-\\[\\]_a-z~]+")) {
            return null;
        }
        try {
            return new URI(url).getHost() == null ? null : url;
        } catch (URISyntaxException malformed) {
            return null;
        }
    }
}
