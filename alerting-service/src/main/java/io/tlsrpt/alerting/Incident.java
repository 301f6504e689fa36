package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Alert.Live;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The life of an alert that rests on reports about an MX: what the store `alert-states` keeps of it.
@JsonAutoDetect(
        fieldVisibility = JsonAutoDetect.Visibility.ANY,
        getterVisibility = JsonAutoDetect.Visibility.NONE,
        isGetterVisibility = JsonAutoDetect.Visibility.NONE)
final class Incident extends Life {

    /// A report for the first day after the last bad one cannot be fresh any more once this has passed since its end.
    private static final Duration OVERDUE = MxCell.FRESH;

    static final Duration STALE = Duration.ofDays(7);

    private static final int MOST_WITNESSES = 100;
    private static final int MOST_DOMAINS = 100;
    private static final int EARLIER_DAYS = 60;

    /// Worst of its days; only a retraction lowers it.
    Finding worst;

    /// Of the newest bad day.
    Finding newest;

    LocalDate firstBad;
    LocalDate lastBad;

    /// Trusted reporters that saw failures on bad days.
    List<String> witnesses = new ArrayList<>();

    /// Most failed sessions first, at most 100.
    List<String> affectedDomains = new ArrayList<>();

    int affectedDomainCount;

    /// The count when the last transition was written.
    int toldDomainCount;

    List<String> receivingIps = List.of();
    List<String> failureReasonCodes = List.of();

    /// Arrival of the last report that can tell whether it goes on.
    Instant heardAt = Instant.EPOCH;

    /// When to judge again because evidence was taken back; a replacement follows its retraction at once, so not
    /// before it.
    @Nullable
    Instant judgeAgainAt;

    /// What was presented when somebody last looked.
    @Nullable
    Live live;

    /// Arrival of the last report of failures on a bad day.
    Instant badAt = Instant.EPOCH;

    /// The last day of which nothing opens any more, by a person's word or a live look.
    @Nullable
    LocalDate settledThrough;

    /// Whether somebody has called it a false alarm: its days count for what is usual.
    boolean falseAlarm;

    /// For the summary of a recovery.
    long cleanSessions;

    /// Bad days of earlier incidents.
    List<Days> earlier = new ArrayList<>();

    /// Days from one to another, both inclusive.
    record Days(LocalDate from, LocalDate to) {

        boolean contains(LocalDate day) {
            return !day.isBefore(from) && !day.isAfter(to);
        }
    }

    Incident(Rule rule, String resultType, @Nullable String policyDomain, String mx, Finding finding) {
        super(rule, resultType, policyDomain, MxName.host(mx), null);
        this.worst = finding;
        this.newest = finding;
        this.firstBad = finding.firstDay();
        this.lastBad = finding.day();
    }

    @JsonCreator
    private Incident(
            @JsonProperty("rule") Rule rule,
            @JsonProperty("result-type") String resultType,
            @JsonProperty("policy-domain") @Nullable String policyDomain,
            @JsonProperty("receiving-mx-hostname") @Nullable String receivingMxHostname,
            @JsonProperty("worst") Finding worst,
            @JsonProperty("newest") Finding newest,
            @JsonProperty("first-bad") LocalDate firstBad,
            @JsonProperty("last-bad") LocalDate lastBad) {
        super(rule, resultType, policyDomain, receivingMxHostname, null);
        this.worst = worst;
        this.newest = newest;
        this.firstBad = firstBad;
        this.lastBad = lastBad;
    }

    /// What an application that begins anew finds in the topic of alerts goes on as it stands there: how often it has
    /// opened, its transition, what people said. What the alert does not tell is taken from its evidence.
    ///
    /// @param judgedUntil what arrived until then was judged in another house
    static Incident takenOver(Rule rule, String resultType, String mx, Alert alert, Instant judgedUntil) {
        Finding finding = finding(alert);
        Incident incident = new Incident(rule, resultType, alert.policyDomain(), mx, finding);
        LocalDate before = LocalDate.ofInstant(alert.openedAt(), ZoneOffset.UTC).minusDays(1);
        if (before.isBefore(incident.firstBad)) {
            incident.firstBad = before;
        }
        incident.goOnFrom(alert, judgedUntil);
        // what was heard of it since it was written is not known here; it must not end as stale for that
        incident.heardAt = alert.updatedAt().isAfter(judgedUntil) ? alert.updatedAt() : judgedUntil;
        incident.badAt = alert.updatedAt();
        incident.live = alert.evidence().live();
        Alert.Evidence evidence = alert.evidence();
        incident.affectedDomains = new ArrayList<>(Objects.requireNonNullElse(
                evidence.affectedDomains(), alert.policyDomain() == null ? List.of() : List.of(alert.policyDomain())));
        incident.affectedDomainCount =
                Objects.requireNonNullElse(evidence.affectedDomainCount(), incident.affectedDomains.size());
        incident.toldDomainCount = incident.affectedDomainCount;
        incident.receivingIps = Objects.requireNonNullElse(evidence.receivingIps(), List.of());
        incident.failureReasonCodes = Objects.requireNonNullElse(evidence.failureReasonCodes(), List.of());
        incident.witness(finding);
        return incident;
    }

    private static Finding finding(Alert alert) {
        Alert.Evidence evidence = alert.evidence();
        String branch = Objects.requireNonNullElse(evidence.branch(), "");
        int slash = branch.indexOf('/');
        boolean listened = alert.labels() != null && alert.labels().containsKey("security");
        List<String> reporters = Objects.requireNonNullElse(evidence.submitters(), List.of());
        return new Finding(
                Severity.valueOf(alert.severity().toUpperCase(Locale.ROOT)),
                slash < 0 ? branch : branch.substring(0, slash),
                branch.equals("never") ? Call.Picture.NEVER : listened ? Call.Picture.ONE_PATH : null,
                Objects.requireNonNullElse(alert.policyType(), "sts"),
                evidence.window(),
                slash < 0 ? 1 : Assessment.LONG_WINDOW,
                true,
                evidence.failedSessionCount(),
                evidence.sessionCount(),
                reporters,
                reporters.size(),
                evidence.baselineFailed(),
                evidence.baselineSessions(),
                evidence.probability(),
                List.of());
    }

    /// Whether this domain is told as its own or as one of those that it affects.
    boolean names(String domain) {
        return domain.equals(policyDomain) || affectedDomains.contains(domain);
    }

    /// Its result type, which these alerts always have.
    String type() {
        return Objects.requireNonNull(resultType);
    }

    @Override
    Severity severity() {
        return worst.severity();
    }

    /// Starts an incident with its first bad day.
    void open(Finding finding, boolean again, Instant now) {
        if (opening > 0 && resolution != Resolution.RETRACTED && !falseAlarm) {
            earlier.add(new Days(firstBad, lastBad));
            earlier.removeIf(days -> days.to().isBefore(finding.day().minusDays(EARLIER_DAYS)));
        }
        begin(again, now);
        heardAt = now;
        badAt = now;
        judgeAgainAt = null;
        live = null;
        falseAlarm = false;
        worst = finding;
        newest = finding;
        firstBad = finding.firstDay();
        lastBad = finding.day();
        witnesses = new ArrayList<>();
        affectedDomains = new ArrayList<>();
        affectedDomainCount = 0;
        toldDomainCount = 0;
        witness(finding);
    }

    /// Takes in another bad day, or more of a known one.
    ///
    /// @return whether it is worse than all before
    boolean extend(Finding finding) {
        boolean raised = finding.worseThan(worst);
        if (raised) {
            worst = finding;
        }
        if (finding.trusted() && !newest.trusted()) {
            // what strangers claimed no longer matters, nor do their days
            affectedDomains.clear();
            affectedDomainCount = 0;
            changed = true;
            newest = finding;
            firstBad = finding.firstDay();
            lastBad = finding.day();
        } else if (counts(finding.trusted())) {
            if (!finding.day().isBefore(lastBad)) {
                changed |= !finding.equals(newest);
                newest = finding;
                lastBad = finding.day();
            }
            if (finding.firstDay().isBefore(firstBad)) {
                firstBad = finding.firstDay();
            }
        }
        witness(finding);
        return raised;
    }

    /// Whether evidence of this trust decides how long it goes on: once trusted reports bear it, those of strangers do
    /// not.
    boolean counts(boolean trusted) {
        return trusted || !newest.trusted();
    }

    @Override
    void resolve(Resolution why, Instant now) {
        super.resolve(why, now);
        judgeAgainAt = null;
        if (why == Resolution.MANUAL) {
            settle(lastBad);
        } else if (why == Resolution.PROBE) {
            // of the day of the look itself nobody can tell which failures came after it
            settle(LocalDate.ofInstant(live == null ? now : live.inspectedAt(), ZoneOffset.UTC));
        }
    }

    private void settle(LocalDate day) {
        LocalDate through = day.isBefore(lastBad) ? lastBad : day;
        if (settledThrough == null || settledThrough.isBefore(through)) {
            settledThrough = through;
        }
    }

    boolean settled(LocalDate day) {
        return settledThrough != null && !day.isAfter(settledThrough);
    }

    /// Whether a finding of this incident, which is over, is known and opens nothing. A false alarm was called so at
    /// its
    /// severity: what is worse is another matter.
    boolean knows(Finding finding) {
        boolean old = !finding.day().isAfter(lastBad) || settled(finding.day());
        return resolution != Resolution.RETRACTED
                && old
                && !(falseAlarm && finding.severity().compareTo(severity()) > 0);
    }

    /// Whether a live look shows the fault.
    boolean confirmed() {
        return live != null && Boolean.TRUE.equals(live.confirms());
    }

    /// Whether this alert was open on that day, as far as the reports of that day are concerned.
    boolean bad(LocalDate day) {
        LocalDate last = resolution == Resolution.PROBE && settledThrough != null ? settledThrough : lastBad;
        return (resolution != Resolution.RETRACTED && !falseAlarm && new Days(firstBad, last).contains(day))
                || earlier.stream().anyMatch(days -> days.contains(day));
    }

    /// Whether STARTTLS is known to have worked before this incident.
    boolean wasCapable() {
        return worst.picture() != Call.Picture.NEVER;
    }

    /// From when on a reporter that saw the failure and stays silent does not hold up the recovery.
    Instant overdueAt() {
        return end(lastBad.plusDays(1)).plus(OVERDUE);
    }

    Instant staleAt() {
        return heardAt.plus(STALE);
    }

    /// When to look at it next although no report arrives.
    ///
    /// @param after what was due until then has been looked at
    /// @param kept how long a resolved alert stays
    Instant dueAfter(Instant after, Duration kept) {
        if (!firing) {
            return (resolvedAt == null ? openedAt : resolvedAt).plus(kept);
        }
        Instant due = staleAt();
        if (judgeAgainAt != null && judgeAgainAt.isBefore(due)) {
            due = judgeAgainAt;
        }
        if (changed && updateAt().isBefore(due)) {
            due = updateAt();
        }
        return overdueAt().isAfter(after) && overdueAt().isBefore(due) ? overdueAt() : due;
    }

    /// Replaces what the newest window shows, keeping the domains that were affected earlier in this incident.
    void show(Scene scene) {
        List<String> domains = new ArrayList<>(scene.domains());
        for (String domain : affectedDomains) {
            if (!domains.contains(domain)) {
                domains.add(domain);
            }
        }
        affectedDomainCount = Math.max(Math.max(affectedDomainCount, scene.domainCount()), domains.size());
        affectedDomains = new ArrayList<>(domains.subList(0, Math.min(domains.size(), MOST_DOMAINS)));
        receivingIps = scene.receivingIps();
        failureReasonCodes = scene.failureReasonCodes();
    }

    static Instant end(LocalDate day) {
        return day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
    }

    private void witness(Finding finding) {
        if (finding.trusted()) {
            for (String reporter : finding.reporters()) {
                if (witnesses.size() < MOST_WITNESSES && !witnesses.contains(reporter)) {
                    witnesses.add(reporter);
                }
            }
        }
    }
}
