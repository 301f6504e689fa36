package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonIgnore;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Alert.Word;
import io.tlsrpt.topics.AlertAction;
import io.tlsrpt.topics.Json;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The life of one alert, whatever rule it comes from. The identity never changes; the rest is the incident it is in,
/// or
/// was in last.
@JsonAutoDetect(
        fieldVisibility = JsonAutoDetect.Visibility.ANY,
        getterVisibility = JsonAutoDetect.Visibility.NONE,
        isGetterVisibility = JsonAutoDetect.Visibility.NONE)
abstract class Life {

    /// What opens again so soon is the same trouble, and nobody is made to wait for it.
    static final Duration REOPEN = Duration.ofDays(3);

    /// Between two records of an alert that tell nothing new but numbers; shorter while it is young, when the reports
    /// of
    /// a day come in together.
    private static final Duration UPDATE = Duration.ofMinutes(1);

    private static final Duration YOUNG_UPDATE = Duration.ofSeconds(10);
    private static final Duration YOUNG = Duration.ofMinutes(10);
    private static final int MOST_NOTES = 20;

    final Rule rule;
    final @Nullable String resultType;

    /// Absent when the fault is shared by several domains.
    final @Nullable String policyDomain;

    final @Nullable String receivingMxHostname;
    final @Nullable String submitter;

    @JsonIgnore
    final String alertId;

    /// How often it has opened, this incident included.
    int opening;

    boolean firing;
    boolean reopened;
    int transition;
    Instant openedAt = Instant.EPOCH;
    Instant writtenAt = Instant.EPOCH;

    @Nullable
    Instant resolvedAt;

    @Nullable
    Resolution resolution;

    @Nullable
    Word acknowledged;

    /// Oldest first.
    List<Word> notes = new ArrayList<>();

    /// What was done last: a repetition of it changes nothing.
    @Nullable
    String lastAction;

    /// Why it ended, in words for the summary; absent where the resolution says all.
    @Nullable
    String ending;

    /// Whether something has changed since the last record.
    boolean changed;

    /// When an application that has begun anew found this alert written: all before is in it already.
    @Nullable
    Instant takenOverUntil;

    Life(
            Rule rule,
            @Nullable String resultType,
            @Nullable String policyDomain,
            @Nullable String receivingMxHostname,
            @Nullable String submitter) {
        this.rule = rule;
        this.resultType = resultType;
        this.policyDomain = policyDomain;
        this.receivingMxHostname = receivingMxHostname;
        this.submitter = submitter;
        this.alertId = alertId(rule, resultType, policyDomain, receivingMxHostname, submitter);
    }

    static String alertId(
            Rule rule,
            @Nullable String resultType,
            @Nullable String policyDomain,
            @Nullable String receivingMxHostname,
            @Nullable String submitter) {
        String identity = Json.MAPPER.writeValueAsString(List.of(
                rule.word(),
                resultType == null ? "" : resultType,
                policyDomain == null ? "" : policyDomain,
                receivingMxHostname == null ? "" : receivingMxHostname,
                submitter == null ? "" : submitter));
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(identity.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException notInThisJava) {
            throw new IllegalStateException(notInThisJava);
        }
    }

    /// Worst of this incident.
    abstract Severity severity();

    String incidentId() {
        return alertId + "-" + opening;
    }

    boolean isOf(Rule some, String type) {
        return rule == some && type.equals(resultType);
    }

    /// Starts a new incident.
    void begin(boolean again, Instant now) {
        opening++;
        firing = true;
        reopened = again;
        transition = 0;
        openedAt = now;
        resolvedAt = null;
        resolution = null;
        acknowledged = null;
        notes = new ArrayList<>();
        ending = null;
    }

    /// Goes on as an alert stands in its topic: how often it has opened, its transition, what people said.
    ///
    /// @param judgedUntil what arrived until then was judged in another house, see [MovedIn]
    void goOnFrom(Alert alert, Instant judgedUntil) {
        opening = opening(alert.incidentId());
        firing = alert.firing();
        reopened = Boolean.TRUE.equals(alert.reopened());
        transition = alert.transition();
        openedAt = alert.openedAt();
        writtenAt = alert.updatedAt();
        takenOverUntil = alert.updatedAt().isAfter(judgedUntil) ? alert.updatedAt() : judgedUntil;
        acknowledged = alert.acknowledged();
        notes = new ArrayList<>(Objects.requireNonNullElse(alert.notes(), List.of()));
        if (!alert.firing()) {
            Resolution why = Resolution.ofWord(alert.resolveReason());
            resolve(
                    why == null ? Resolution.STALE : why,
                    Objects.requireNonNullElse(alert.resolvedAt(), alert.updatedAt()));
        }
    }

    private static int opening(String incidentId) {
        String number = incidentId.substring(incidentId.lastIndexOf('-') + 1);
        return number.matches("\\d{1,9}") ? Integer.parseInt(number) : 1;
    }

    void resolve(Resolution why, Instant now) {
        firing = false;
        resolution = why;
        resolvedAt = now;
        changed = false;
    }

    /// Whether what happened at that time is in the alert already that was taken over.
    boolean takenOver(Instant at) {
        return takenOverUntil != null && !at.isAfter(takenOverUntil);
    }

    /// Whether what opens now is the same trouble again.
    boolean mayReopen(Instant now) {
        return resolvedAt != null && !resolvedAt.plus(REOPEN).isBefore(now);
    }

    /// What an action leads to.
    enum Followup {
        /// it is known already
        NOTHING,
        /// the alert is written again
        RECORD,
        /// somebody has taken it on
        ACKNOWLEDGED,
        /// it is over, because somebody says so
        ENDED
    }

    /// Takes in what somebody did. The same again changes nothing; an action about another incident than the present
    /// one
    /// leaves nothing but its note.
    Followup act(AlertAction action) {
        if (action.actionId().equals(lastAction)) {
            return Followup.NOTHING;
        }
        lastAction = action.actionId();
        Word word = new Word(
                CleanText.of(action.by(), AlertAction.MOST_TEXT),
                action.at(),
                action.text() == null ? null : CleanText.of(action.text(), AlertAction.MOST_TEXT));
        if (word.text() != null) {
            note(word);
        }
        if (!firing || !incidentId().equals(action.incidentId())) {
            return Followup.RECORD;
        }
        return switch (action.action()) {
            case AlertAction.ACKNOWLEDGE -> {
                acknowledged = new Word(word.by(), word.at(), null);
                yield Followup.ACKNOWLEDGED;
            }
            case AlertAction.RESOLVE -> {
                ending = "resolved by " + word.by();
                yield Followup.ENDED;
            }
            case AlertAction.FALSE_ALARM -> {
                ending = "a false alarm, says " + word.by();
                yield Followup.ENDED;
            }
            default -> Followup.RECORD;
        };
    }

    /// Keeps what somebody wrote; the oldest gives way.
    private void note(Word word) {
        notes.add(word);
        if (notes.size() > MOST_NOTES) {
            notes.removeFirst();
        }
    }

    /// When changed numbers are written at the earliest.
    Instant updateAt() {
        return writtenAt.plus(writtenAt.isBefore(openedAt.plus(YOUNG)) ? YOUNG_UPDATE : UPDATE);
    }
}
