package io.tlsrpt.console;

import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.Caller;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertMatch;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Silence;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/// What one caller is shown: everything, or what is about domains that carry the caller's labels.
final class Visible {

    private static final JsonSerde<AcceptedReport> REPORT = new JsonSerde<>(AcceptedReport.class);
    private static final JsonSerde<Alert> ALERT = new JsonSerde<>(Alert.class);

    private final Caller caller;
    private final Access access;

    Visible(Caller caller, Access access) {
        this.caller = caller;
        this.access = access;
    }

    /// Whether nothing is kept from the caller.
    boolean everything() {
        return caller.seesAll();
    }

    /// Whether what is about this domain is shown, by the settings as they are now.
    ///
    /// @param policyDomain in lower case
    boolean domain(String policyDomain) {
        return access.shows(caller, policyDomain);
    }

    /// Whether a report is shown: when every domain that it names is.
    boolean report(AcceptedReport report) {
        List<String> domains = report.policyDomains();
        return everything()
                || (domains != null && !domains.isEmpty() && domains.stream().allMatch(this::domain));
    }

    /// A report as it stands on its topic.
    Optional<byte[]> report(byte[] value) {
        return everything() || report(REPORT.read(value)) ? Optional.of(value) : Optional.empty();
    }

    /// An alert as it stands on its topic, or a transition of one.
    Optional<byte[]> alert(byte[] value) {
        return everything() ? Optional.of(value) : alert(ALERT.read(value)).map(ALERT::write);
    }

    /// An alert as the caller is shown it. One about a domain is shown with that domain; one about several, such as
    /// those
    /// of an MX, when any of them is, and then it names no others. One about no domain is for those who see everything.
    Optional<Alert> alert(Alert alert) {
        if (everything()) {
            return Optional.of(alert);
        }
        List<String> affected = affected(alert).stream().filter(this::domain).toList();
        boolean shown = alert.policyDomain() == null ? !affected.isEmpty() : domain(alert.policyDomain());
        return shown ? Optional.of(alert.naming(affected)) : Optional.empty();
    }

    /// Whether an alert is about nothing that the caller is not shown, so that it is the caller's to act on.
    boolean wholly(Alert alert) {
        Set<String> domains = new LinkedHashSet<>(affected(alert));
        if (alert.policyDomain() != null) {
            domains.add(alert.policyDomain());
        }
        Integer count = alert.evidence().affectedDomainCount();
        return everything()
                || (!domains.isEmpty()
                        && domains.stream().allMatch(this::domain)
                        && (count == null || count <= affected(alert).size()));
    }

    private static List<String> affected(Alert alert) {
        List<String> affected = alert.evidence().affectedDomains();
        return affected == null ? List.of() : affected;
    }

    /// Whether a silence is shown: when it is limited to the caller's labels.
    boolean silence(Silence silence) {
        Map<String, String> labels = silence.match().labels();
        return everything() || (labels != null && caller.sees(labels));
    }

    /// The labels that everything shown to the caller has.
    Map<String, String> labels() {
        return caller.labels();
    }

    /// Of what is meant, that with the caller's labels.
    AlertMatch within(AlertMatch match) {
        if (everything()) {
            return match;
        }
        Map<String, String> labels = new TreeMap<>(match.labels() == null ? Map.of() : match.labels());
        labels.putAll(caller.labels());
        return new AlertMatch(
                match.alertIds(),
                match.domains(),
                match.receivingMxHostnames(),
                match.submitters(),
                labels,
                match.rules(),
                match.severities(),
                match.classes());
    }

    /// A record of a topic that is followed, as the caller is shown it.
    ///
    /// @param domains that it is about
    Optional<JsonNode> record(LiveTopic topic, Set<String> domains, JsonNode record) {
        if (everything()) {
            return Optional.of(record);
        }
        return switch (topic) {
            case ALERTS -> alert(Json.MAPPER.treeToValue(record, Alert.class)).map(Json.MAPPER::valueToTree);
            case EVENTS, AGGREGATES, VERDICTS ->
                !domains.isEmpty() && domains.stream().allMatch(this::domain) ? Optional.of(record) : Optional.empty();
        };
    }

    /// What is about more than the caller is shown is not the caller's to do.
    Answer refused() {
        return Answer.refused(access.beyond(caller));
    }
}
