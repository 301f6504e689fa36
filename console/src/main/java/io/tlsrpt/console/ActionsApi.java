package io.tlsrpt.console;

import io.tlsrpt.console.ApiRoutes.Endpoint;
import io.tlsrpt.report.DomainName;
import io.tlsrpt.report.FailureClass;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Caller;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import io.tlsrpt.topics.AlertMatch;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Silence;
import io.tlsrpt.topics.Topics;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.node.ObjectNode;

/// Everything that people do about alerts over HTTP (`docs/openapi.yaml`). What they do about an alert is written to
/// `tlsrpt.alert-actions`, for detection alone changes alerts; silences are written as they are. An answer that says so
/// comes after the broker has it.
final class ActionsApi {

    private static final Logger LOG = LoggerFactory.getLogger(ActionsApi.class);

    private static final String NOBODY_NAMED = "api";
    private static final int MOST_NAME = 200;
    private static final int MOST_SILENCES = 1_000;
    private static final int MOST_FORGOTTEN = 100;
    private static final int MOST_MATCHES = 100;
    private static final Duration LONGEST_SILENCE = Duration.ofDays(90);

    private static final List<String> SEVERITIES = List.of("critical", "warning", "info");
    private static final List<String> CLASSES =
            Arrays.stream(FailureClass.values()).map(FailureClass::word).toList();
    private static final Set<String> MATCHERS = Set.of(
            "alert-ids", "domains", "receiving-mx-hostnames", "submitters", "labels", "rules", "severities", "classes");

    private static final JsonSerde<Alert> ALERT = new JsonSerde<>(Alert.class);
    private static final JsonSerde<AlertAction> ACTION = new JsonSerde<>(AlertAction.class);
    private static final JsonSerde<Silence> SILENCE = new JsonSerde<>(Silence.class);

    private final Views views;
    private final TopicWriter writer;
    private final Topics topics;
    private final Clock clock;

    ActionsApi(Views views, TopicWriter writer, Topics topics, Clock clock) {
        this.views = views;
        this.writer = writer;
        this.topics = topics;
        this.clock = clock;
    }

    List<Endpoint> endpoints() {
        return List.of(
                act("acknowledge", AlertAction.ACKNOWLEDGE),
                act("resolve", AlertAction.RESOLVE),
                act("note", AlertAction.NOTE),
                act("false-alarm", AlertAction.FALSE_ALARM),
                Endpoint.get("/api/v1/silences", Set.of("state"), this::silences)
                        .filtered(),
                Endpoint.post("/api/v1/silences", Set.of("preview"), this::silence)
                        .filtered(),
                Endpoint.delete("/api/v1/silences/{id}", this::unsilence).filtered());
    }

    private Endpoint act(String word, String action) {
        return Endpoint.post("/api/v1/alerts/{id}/" + word, Set.of(), acting(action))
                .filtered();
    }

    private ApiRoutes.Question acting(String action) {
        return parameters -> {
            JsonBody body = parameters.body(Set.of("by", "text", "incident-id"));
            String by = by(parameters.caller(), body);
            String text = body.text("text", AlertAction.MOST_TEXT);
            String incident = body.line("incident-id", MOST_NAME);
            if (action.equals(AlertAction.NOTE) && !body.has("text")) {
                body.fault("text", "the note");
            }
            String id = parameters.segment("id");
            Visible visible = parameters.visible();
            return () -> act(action, id, incident, by, text, visible);
        };
    }

    /// Who does it. Where callers are known, what they call themselves counts no longer.
    private static String by(Caller caller, JsonBody body) {
        String said = body.line("by", MOST_NAME);
        return caller.authentication() == Caller.Authentication.NONE
                ? Objects.requireNonNullElse(said, NOBODY_NAMED)
                : caller.name();
    }

    private Answer act(
            String action, String id, @Nullable String incident, String by, @Nullable String text, Visible visible) {
        Alert alert = ALERT.readOrNull(views.alerts().alert(id));
        if (alert == null || visible.alert(alert).isEmpty()) {
            return Answer.problem(404, "Not Found", "there is no alert with this id");
        }
        if (!visible.wholly(alert)) {
            return visible.refused();
        }
        if (incident != null && !incident.equals(alert.incidentId())) {
            return Answer.problem(409, "Conflict", "the incident is now " + alert.incidentId());
        }
        if (!alert.firing() && !action.equals(AlertAction.NOTE)) {
            return Answer.problem(409, "Conflict", "the alert is resolved already; a note can still be added");
        }
        AlertAction done = AlertAction.on(alert, UUID.randomUUID().toString(), action, by, clock.instant(), text);
        writer.write(topics.alertActions(), alert.alertId(), ACTION.write(done), alert::partition);
        LOG.atInfo()
                .addKeyValue("action", action)
                .addKeyValue("incident", alert.incidentId())
                .addKeyValue("by", by)
                .log("somebody acted on an alert");
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("action-id", done.actionId());
        answer.put("incident-id", done.incidentId());
        return Answer.json(202, answer);
    }

    private Supplier<Answer> silences(Parameters parameters) {
        String state = parameters.oneOf("state", List.of("active", "pending", "expired"));
        Visible visible = parameters.visible();
        return () -> {
            Instant now = clock.instant();
            List<ObjectNode> rows = views.silences().shown(now).stream()
                    .filter(visible::silence)
                    .map(silence -> shown(silence, now))
                    .filter(row ->
                            state == null || state.equals(row.path("state").asString("")))
                    .toList();
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("complete", true);
            answer.put("rows", rows);
            return Answer.json((Object) answer);
        };
    }

    private static ObjectNode shown(Silence silence, Instant now) {
        ObjectNode row = Json.MAPPER.valueToTree(silence);
        String state =
                now.isBefore(silence.startsAt()) ? "pending" : now.isBefore(silence.endsAt()) ? "active" : "expired";
        return row.put("state", state);
    }

    private Supplier<Answer> silence(Parameters parameters) {
        boolean preview = "true".equals(parameters.oneOf("preview", List.of("true", "false")));
        JsonBody body = parameters.body(Set.of("match", "starts-at", "ends-at", "duration", "by", "comment"));
        Visible visible = parameters.visible();
        AlertMatch match = visible.within(match(body.object("match", MATCHERS), visible));
        if (match.meansAll()) {
            body.fault("match", "at least one matcher: all alerts are never silenced");
        }
        String by = by(parameters.caller(), body);
        String comment = body.text("comment", AlertAction.MOST_TEXT);
        if (!body.has("comment") && !preview) {
            body.fault("comment", "why");
        }
        Instant now = clock.instant();
        Instant starts = Objects.requireNonNullElse(body.time("starts-at"), now);
        Instant until = body.time("ends-at");
        Duration lasts = body.duration("duration");
        if (body.has("ends-at") == body.has("duration")) {
            body.fault("ends-at", "either this or duration");
        }
        Instant ends = until != null ? until : starts.plus(lasts == null ? Duration.ofSeconds(1) : lasts);
        if (!ends.isAfter(starts) || !ends.isAfter(now)) {
            body.fault("ends-at", "a time after starts-at and after now");
        } else if (ends.isAfter(starts.plus(LONGEST_SILENCE)) || starts.isAfter(now.plus(LONGEST_SILENCE))) {
            body.fault("ends-at", "at most " + LONGEST_SILENCE.toDays() + " days, which begin within as many");
        }
        Silence wanted = new Silence(
                UUID.randomUUID().toString(),
                match,
                starts,
                ends,
                by,
                Objects.requireNonNullElse(comment, "preview"),
                now);
        return () -> preview ? Answer.json((Object) matches(wanted, visible)) : make(wanted, visible);
    }

    private static AlertMatch match(JsonBody body, Visible visible) {
        Predicate<String> anything = value -> true;
        Map<String, String> labels = body.pairs("labels");
        visible.labels().forEach((label, value) -> {
            if (!value.equals(labels.getOrDefault(label, value))) {
                body.fault("labels", label + ": " + value + ", which you are limited to");
            }
        });
        return new AlertMatch(
                body.values("alert-ids", value -> value.matches("[0-9a-f]{64}"), "an alert-id, 64 hex digits"),
                names(body.values("domains", ActionsApi::isDomain, "a domain, or *. and a domain")),
                names(body.values("receiving-mx-hostnames", anything, "a host name")),
                body.values("submitters", anything, "a submitter"),
                labels,
                body.values("rules", AlertingSettings.Rules.WORDS::contains, "one of " + AlertingSettings.Rules.WORDS),
                body.values("severities", SEVERITIES::contains, "one of " + SEVERITIES),
                body.values("classes", CLASSES::contains, "one of " + CLASSES));
    }

    private static boolean isDomain(String domain) {
        return DomainName.isName(DomainName.canonical(domain.startsWith("*.") ? domain.substring(2) : domain));
    }

    private static List<String> names(List<String> names) {
        return names.stream()
                .map(name -> name.startsWith("*.")
                        ? "*." + DomainName.canonical(name.substring(2))
                        : DomainName.canonical(name))
                .toList();
    }

    private Answer make(Silence silence, Visible visible) {
        Instant now = clock.instant();
        views.silences().over(now).stream()
                .limit(MOST_FORGOTTEN)
                .forEach(over -> writer.write(topics.silences(), over.silenceId(), null, null));
        if (views.silences().shown(now).size() >= MOST_SILENCES) {
            return Answer.problem(
                    409, "Conflict", "there are " + MOST_SILENCES + " silences; remove some, or match more with one");
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("silence", shown(silence, now));
        answer.putAll(matches(silence, visible));
        writer.write(topics.silences(), silence.silenceId(), SILENCE.write(silence), null);
        LOG.atInfo()
                .addKeyValue("silence", silence.silenceId())
                .addKeyValue("ends", silence.endsAt())
                .addKeyValue("by", silence.by())
                .log("somebody made a silence");
        return Answer.json(201, answer);
    }

    /// The firing alerts that it is about, whenever it starts.
    private Map<String, Object> matches(Silence silence, Visible visible) {
        List<Alert> matches = views.alerts().firing(silence.match()::matches).stream()
                .map(visible::alert)
                .flatMap(Optional::stream)
                .toList();
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("match-count", matches.size());
        shown.put("matches", matches.stream().limit(MOST_MATCHES).toList());
        return shown;
    }

    private Supplier<Answer> unsilence(Parameters parameters) {
        String id = parameters.segment("id");
        Visible visible = parameters.visible();
        return () -> {
            Silence silence = views.silences().silence(id);
            if (silence == null || !visible.silence(silence)) {
                return Answer.problem(404, "Not Found", "there is no silence with this id");
            }
            writer.write(topics.silences(), id, null, null);
            LOG.atInfo()
                    .addKeyValue("silence", id)
                    .addKeyValue("by", parameters.caller().name())
                    .log("somebody ended a silence");
            return Answer.json(SILENCE.write(silence));
        };
    }
}
