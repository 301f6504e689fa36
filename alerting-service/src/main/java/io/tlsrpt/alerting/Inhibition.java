package io.tlsrpt.alerting;

import io.tlsrpt.topics.Alert;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.stream.Stream;

/// Which alert makes another one not worth telling. The table is built in and stands in `docs/alerting.md`; an
/// inhibitor works while it fires, whether or not anybody was told of it.
///
/// Nobody loses a page to a warning, but for two rows: what one reporter alone says is not worth a page when that
/// reporter is at fault, and nothing is silent when our own intake is broken.
final class Inhibition {

    /// The branch of a `reporter-fault` that rests on reports of which nobody knows who sent them. Anybody can forge
    /// one, so it inhibits nothing.
    static final String UNVERIFIED = "unverified";

    /// One row of the table.
    ///
    /// @param by the rule of the alert that inhibits
    /// @param rules those it inhibits; empty: any but its own
    /// @param when what must hold of the inhibitor and the inhibited besides
    private record Row(String by, List<String> rules, BiPredicate<Alert, Alert> when) {

        boolean concerns(Alert alert) {
            return rules.isEmpty() ? !alert.rule().equals(by) : rules.contains(alert.rule());
        }
    }

    private static final List<Row> TABLE = Stream.concat(
                    Stream.of(
                            new Row("reporter-fault", List.of(), Inhibition::restsOnThatReporterAlone),
                            new Row(
                                    "intake-broken",
                                    List.of("reporter-silent", "domain-silent"),
                                    (inhibitor, alert) -> true),
                            new Row(
                                    "reporter-silent",
                                    List.of("reporter-silent"),
                                    Inhibition::isTheSameReporterAtOneDomain),
                            new Row("certificate", List.of("certificate-expiry"), Inhibition::isTheSameServer),
                            new Row("starttls-regression", List.of("starttls-missing"), Inhibition::isTheSameServer),
                            new Row("dane", List.of("tlsa"), Inhibition::isTheSameServer)),
                    Stream.of("certificate", "starttls-regression", "dane")
                            .map(rule -> new Row(rule, List.of(rule), Inhibition::isOneDomainBehindThatServer)))
            .toList();

    private final Map<String, Map<String, Alert>> firing = new HashMap<>();

    /// Takes note of the latest state of an alert.
    ///
    /// @return whether it, or its end, may change what is muted
    boolean saw(Alert alert) {
        if (TABLE.stream().noneMatch(row -> row.by().equals(alert.rule()))) {
            return false;
        }
        Map<String, Alert> ofRule = firing.computeIfAbsent(alert.rule(), rule -> new HashMap<>());
        Alert before = alert.firing() ? ofRule.put(alert.alertId(), alert) : ofRule.remove(alert.alertId());
        if (before == null) {
            return alert.firing();
        }
        return !alert.firing()
                || !before.severity().equals(alert.severity())
                || !Objects.equals(before.evidence().branch(), alert.evidence().branch())
                || !Objects.equals(
                        before.evidence().affectedDomains(), alert.evidence().affectedDomains());
    }

    /// The alert is no more.
    ///
    /// @return whether that may change what is muted
    boolean gone(String alertId) {
        boolean was = false;
        for (Map<String, Alert> ofRule : firing.values()) {
            was |= ofRule.remove(alertId) != null;
        }
        return was;
    }

    void clear() {
        firing.clear();
    }

    /// The alert that makes this one not worth telling now.
    Optional<Alert> inhibitor(Alert alert) {
        for (Row row : TABLE) {
            if (row.concerns(alert)) {
                Collection<Alert> candidates =
                        firing.getOrDefault(row.by(), Map.of()).values();
                for (Alert each : candidates) {
                    if (!each.alertId().equals(alert.alertId()) && row.when().test(each, alert)) {
                        return Optional.of(each);
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static boolean restsOnThatReporterAlone(Alert fault, Alert alert) {
        return !UNVERIFIED.equals(fault.evidence().branch())
                && fault.submitter() != null
                && fault.resultType() != null
                && fault.resultType().equals(alert.resultType())
                && List.of(fault.submitter()).equals(alert.evidence().submitters());
    }

    private static boolean isTheSameReporterAtOneDomain(Alert everywhere, Alert alert) {
        return everywhere.policyDomain() == null
                && everywhere.submitter() != null
                && everywhere.submitter().equals(alert.submitter())
                && alert.policyDomain() != null
                && atLeastAsSevere(everywhere, alert);
    }

    private static boolean isOneDomainBehindThatServer(Alert shared, Alert alert) {
        List<String> affected = shared.evidence().affectedDomains();
        return shared.policyDomain() == null
                && affected != null
                && alert.policyDomain() != null
                && (alert.receivingMxHostname() == null
                        || alert.receivingMxHostname().equals(shared.receivingMxHostname()))
                && Objects.equals(shared.resultType(), alert.resultType())
                && affected.contains(alert.policyDomain())
                && atLeastAsSevere(shared, alert);
    }

    private static boolean isTheSameServer(Alert reported, Alert watched) {
        return watched.receivingMxHostname() != null
                && watched.receivingMxHostname().equals(reported.receivingMxHostname())
                && atLeastAsSevere(reported, watched);
    }

    private static boolean atLeastAsSevere(Alert one, Alert other) {
        return Telling.severity(one.severity()).compareTo(Telling.severity(other.severity())) >= 0;
    }
}
