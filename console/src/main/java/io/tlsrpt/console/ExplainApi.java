package io.tlsrpt.console;

import io.tlsrpt.alerting.Replay;
import io.tlsrpt.alerting.Why;
import io.tlsrpt.console.ApiRoutes.Endpoint;
import io.tlsrpt.runtime.AlertingSettings.Rules;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Settings.Sensitivity;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Why alerts did or did not fire, and what other rules would have made of the same reports (`docs/openapi.yaml`). Both
/// let detection run again in memory over what the views hold; see `docs/decisions/0019-detection-in-memory.md`.
final class ExplainApi {

    /// A day can be judged from three days, and 28 before them say what is usual.
    private static final int DAYS_BEFORE = 34;

    /// A fresh report covers at most eight days and ended at most three days ago.
    private static final int DAYS_JUDGED = 11;

    private static final int MX_DAYS = 31;
    private static final int MOST_CELLS = 500_000;
    private static final int MOST_NOTES = 20;
    private static final int MOST_DAYS = 90;
    private static final long DEFAULT_DAYS = 30;
    private static final long MOST_SESSIONS = 1_000_000_000;
    private static final String SENSITIVITY = "sensitivity";
    private static final String MIN_SESSIONS = "min-sessions";
    private static final JsonSerde<Alert> ALERT = new JsonSerde<>(Alert.class);

    private final Views views;
    private final Supplier<Settings> settings;
    private final Clock clock;
    private final int most;

    /// Each takes memory for all that it replays.
    private final Semaphore backtests = new Semaphore(1);
    private final Turns explanations = new Turns(2);

    /// @param settings as they are now
    ExplainApi(Views views, Supplier<Settings> settings, Clock clock) {
        this(views, settings, clock, MOST_CELLS);
    }

    /// @param most aggregates to look at for one answer
    ExplainApi(Views views, Supplier<Settings> settings, Clock clock, int most) {
        this.views = views;
        this.settings = settings;
        this.clock = clock;
        this.most = most;
    }

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.get("/api/v1/explain", Set.of("domain", "mx", "day"), this::explain),
                Endpoint.post("/api/v1/backtest", Set.of(), this::backtest));
    }

    private Supplier<Answer> explain(Parameters parameters) {
        String given = parameters.domain("domain");
        String domain = given == null ? parameters.required("domain") : given;
        String mx = parameters.domain("mx");
        LocalDate day = parameters.text("day") == null ? null : parameters.day("day", today());
        return explanations.taking(() -> explain(domain, mx, day));
    }

    private Answer explain(String domain, @Nullable String mx, @Nullable LocalDate asked) {
        LocalDate day = asked;
        if (day == null) {
            List<AggregateView.Day> newest = views.aggregates().newest(domain, 1);
            if (newest.isEmpty()) {
                return Answer.problem(404, "Not Found", "there is no report about this domain");
            }
            day = newest.getFirst().window();
        }
        LocalDate judged = day;
        LocalDate from = judged.minusDays(DAYS_BEFORE);
        LocalDate to = judged.plusDays(DAYS_JUDGED);
        Set<String> mxs = mx == null ? mxs(domain, judged) : Set.of(mx.equals(domain) ? Replay.nameless(domain) : mx);
        Optional<ArrivedCells> found = ArrivedCells.behind(views, domain, mxs, from, to, most);
        if (found.isEmpty()) {
            return tooMany();
        }
        ArrivedCells cells = found.get();
        Instant end = to.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
        Instant until = end.isBefore(clock.instant()) ? end : clock.instant();
        Replay replay = cells.replay(settings.get(), until);

        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("domain", domain);
        answer.put("day", judged);
        answer.put("cells", cells.count());
        answer.put("domains", cells.domainCount());
        answer.put("notes", notes(domain, judged, cells, replay, until));
        answer.put(
                "mxs",
                mxs.stream()
                        .map(name -> explained(name, domain, judged, replay))
                        .toList());
        return Answer.json((Object) answer);
    }

    private Set<String> mxs(String domain, LocalDate judged) {
        Set<String> mxs = new TreeSet<>(Set.of(Replay.nameless(domain)));
        views.aggregates().eachCell(domain, judged.minusDays(MX_DAYS), judged, cell -> {
            mxs.addAll(Replay.mxs(cell));
            return true;
        });
        return mxs;
    }

    private static List<String> notes(String domain, LocalDate day, ArrivedCells cells, Replay replay, Instant until) {
        List<String> notes = new ArrayList<>();
        if (!replay.ours(domain, until)) {
            notes.add(domain + " is not ours: what is reported about it is kept, and never judged");
        }
        Predicate<Aggregate> ofDay =
                cell -> cell.policyDomain().equals(domain) && cell.window().equals(day);
        List<Aggregate> reported = cells.where(ofDay);
        if (reported.isEmpty()) {
            notes.add("no report about " + domain + " covers " + day);
        }
        for (Aggregate cell : reported) {
            String name = cell.submitter() + " (" + cell.policyType() + ", " + cell.authentication() + "): ";
            replay.notes(cell).stream()
                    .limit(Math.max(0, MOST_NOTES - notes.size()))
                    .forEach(note -> notes.add(name + note));
        }
        return notes;
    }

    private Map<String, Object> explained(String name, String domain, LocalDate day, Replay replay) {
        Map<String, Object> mx = new LinkedHashMap<>();
        if (!name.equals(Replay.nameless(domain))) {
            mx.put("mx", name);
        }
        mx.put(
                "results",
                replay.explain(name, day).stream().map(this::withAlert).toList());
        return mx;
    }

    /// With what became of its alert, where people and live looks count too.
    private ObjectNode withAlert(Why why) {
        ObjectNode row = Json.MAPPER.valueToTree(why);
        Alert alert =
                why.alertId() == null ? null : ALERT.readOrNull(views.alerts().alert(why.alertId()));
        if (alert != null) {
            ObjectNode now = row.putObject("alert");
            now.put("incident-id", alert.incidentId());
            now.put("state", alert.state());
            now.put("severity", alert.severity());
            if (alert.resolveReason() != null) {
                now.put("resolve-reason", alert.resolveReason());
            }
        }
        return row;
    }

    private Supplier<Answer> backtest(Parameters parameters) {
        JsonBody body = parameters.body(Set.of("days", "rules"));
        long days = Objects.requireNonNullElse(body.number("days", 1, MOST_DAYS), DEFAULT_DAYS);
        Set<String> known = new TreeSet<>(Rules.WORDS);
        known.add(SENSITIVITY);
        known.add(MIN_SESSIONS);
        JsonBody rules = body.object("rules", known);
        Map<String, Boolean> switched = new TreeMap<>();
        for (String rule : Rules.WORDS) {
            Boolean on = rules.flag(rule);
            if (on != null) {
                switched.put(rule, on);
            }
        }
        Long minSessions = rules.number(MIN_SESSIONS, 0, MOST_SESSIONS);
        Sensitivity sensitivity = sensitivity(rules);
        return () -> {
            Settings present = settings.get();
            Rules now = present.alerting().rules();
            Rules changed = now.with(
                    rule -> switched.getOrDefault(rule, now.on(rule)),
                    sensitivity == null ? now.sensitivity() : sensitivity,
                    minSessions == null ? now.minSessions() : minSessions);
            if (!backtests.tryAcquire()) {
                return Answer.unavailable("another backtest runs; one at a time");
            }
            try {
                return backtest(
                        (int) days, present, present.with(present.alerting().with(changed)));
            } finally {
                backtests.release();
            }
        };
    }

    private static @Nullable Sensitivity sensitivity(JsonBody rules) {
        String word = rules.line(SENSITIVITY, 10);
        Optional<Sensitivity> known = Arrays.stream(Sensitivity.values())
                .filter(each -> each.name().toLowerCase(Locale.ROOT).equals(word))
                .findFirst();
        if (word != null && known.isEmpty()) {
            rules.fault(SENSITIVITY, "quiet, normal or eager");
        }
        return known.orElse(null);
    }

    private Answer backtest(int days, Settings present, Settings changed) {
        Instant now = clock.instant();
        LocalDate from = today().minusDays(days + (long) MX_DAYS);
        Optional<ArrivedCells> found = ArrivedCells.all(views, from, today(), most);
        if (found.isEmpty()) {
            return tooMany();
        }
        ArrivedCells cells = found.get();
        Instant since = now.minus(Duration.ofDays(days));
        BacktestOutcome outcome = BacktestOutcome.of(
                cells.replay(present, now).transitions(),
                cells.replay(changed, now).transitions(),
                since);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("days", days);
        answer.put("cells", cells.count());
        answer.put("domains", cells.domainCount());
        answer.put("present", BacktestOutcome.totals(outcome.present()));
        answer.put("changed", BacktestOutcome.totals(outcome.changed()));
        List<BacktestOutcome.Opened> added = outcome.added();
        List<BacktestOutcome.Opened> gone = outcome.gone();
        answer.put("added-count", added.size());
        answer.put("gone-count", gone.size());
        answer.put("added", added.stream().limit(BacktestOutcome.MOST_SHOWN).toList());
        answer.put("gone", gone.stream().limit(BacktestOutcome.MOST_SHOWN).toList());
        return Answer.json((Object) answer);
    }

    private Answer tooMany() {
        return Answer.problem(
                413,
                "Content Too Large",
                "more than " + String.format(Locale.ROOT, "%,d", most)
                        + " aggregates would have to be looked at; ask for fewer days or one MX");
    }

    private LocalDate today() {
        return LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
    }
}
