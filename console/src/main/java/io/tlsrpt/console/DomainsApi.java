package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.console.ApiRoutes.Endpoint;
import io.tlsrpt.inspection.Readiness;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.node.ObjectNode;

/// Domains and how they fare (`docs/openapi.yaml`).
final class DomainsApi {

    private static final int MOST_DAYS = 3_660;

    /// Of the refused records, the newest of each partition.
    private static final int REFUSED_LOOKED_AT = 20;

    /// Questions over all cells of a domain that are answered at once.
    private static final int SCANS = 4;

    /// An older look says nothing about now.
    private static final Duration LOOK_HOLDS = Duration.ofDays(3);

    private static final PageLimit SUMMED = new PageLimit(500_000, 512L * 1024 * 1024, 1_000_000);
    private static final PageLimit JUDGED = new PageLimit(50_000, 64L * 1024 * 1024, 1_000_000);
    private static final int LISTED = 1_000;
    /// A page may end before it is full, rather than late.
    private static final int MOST_LOOKED_AT = 5_000;

    private static final Logger LOG = LoggerFactory.getLogger(DomainsApi.class);
    private static final JsonSerde<Aggregate> AGGREGATE = new JsonSerde<>(Aggregate.class);
    private static final JsonSerde<DomainSummary.Cell> CELL = new JsonSerde<>(DomainSummary.Cell.class);

    private final Views views;
    private final TopicReader reader;
    private final Supplier<Settings> settings;
    private final Clock clock;
    private final Overview overview;
    private final Listings listings = new Listings();
    private final Turns scans = new Turns(SCANS);

    /// @param settings as they are now
    DomainsApi(Views views, TopicReader reader, Supplier<Settings> settings, Clock clock) {
        this.views = views;
        this.reader = reader;
        this.settings = settings;
        this.clock = clock;
        this.overview = new Overview(views);
    }

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.get("/api/v1/domains", Listings.parameters("q", "label", "state"), this::domains)
                        .filtered(),
                Endpoint.get("/api/v1/domains/{domain}", Set.of(), this::domain),
                Endpoint.get("/api/v1/domains/{domain}/readiness", Set.of(), this::readiness),
                Endpoint.get(
                        "/api/v1/domains/{domain}/summary",
                        Set.of("from", "to", "policy-type", "trust", "submitter", "result-type", "mx"),
                        this::summary));
    }

    private Supplier<Answer> domains(Parameters parameters) {
        String q = parameters.text("q");
        Overview.Filter filter = new Overview.Filter(
                parameters.visible()::domain,
                q == null ? null : q.toLowerCase(Locale.ROOT),
                parameters.pairs("label"),
                parameters.oneOf("state", DomainState.WORDS));
        Bytes cursor = parameters.keyCursor(Overview::isDomain);
        String after = cursor == null ? null : StoreKey.parts(cursor).getFirst();
        return listings.answer(
                parameters,
                CsvTable.DOMAINS,
                100,
                1_000,
                Map.of(),
                limit -> overview.domains(
                        settings.get().domains(), filter, after, clock.instant(), limit.scanning(MOST_LOOKED_AT)));
    }

    private Supplier<Answer> domain(Parameters parameters) {
        String name = parameters.domain();
        return () -> {
            Settings current = settings.get();
            Instant now = clock.instant();
            Optional<DomainOverview> row = overview.domain(name, current.domains(), now);
            if (row.isEmpty()) {
                return Answer.problem(404, "Not Found", "nothing is known of this domain");
            }
            Inspection look = views.inspections().latest(name, now);
            ObjectNode answer = Json.MAPPER.valueToTree(row.get());
            answer.putPOJO(
                    "arrival",
                    Arrival.of(new Arrival.Known(
                            row.get(), views.inspections().record(name, now), look, refused(), current, now)));
            if (look != null) {
                answer.put("inspected-at", look.inspectedAt().toString());
            }
            return Answer.json((Object) answer);
        };
    }

    /// What is known of the domain is told also when the broker does not answer.
    private @Nullable List<RejectedRecord> refused() {
        try {
            return reader.newestRejected(REFUSED_LOOKED_AT);
        } catch (RetriableException away) {
            LOG.atWarn()
                    .addKeyValue("error", away.getClass().getSimpleName())
                    .log("what was refused could not be read in time");
            return null;
        }
    }

    private Supplier<Answer> readiness(Parameters parameters) {
        String domain = parameters.domain();
        return scans.taking(() -> {
            LocalDate today = today();
            List<Aggregate> cells = new ArrayList<>();
            boolean whole = views.aggregates()
                    .eachCell(
                            domain,
                            today.minusDays(Readiness.DAYS_LOOKED_AT - 1L),
                            today,
                            JUDGED,
                            key -> Readiness.counts(key.policyType(), key.authentication()),
                            (key, cell) -> cells.add(AGGREGATE.read(cell)));
            if (!whole) {
                return tooMany();
            }
            Inspection look = views.inspections().latest(domain, clock.instant());
            boolean holds = look != null && look.inspectedAt().plus(LOOK_HOLDS).isAfter(clock.instant());
            return Answer.json((Object) json(domain, Readiness.of(cells, holds ? look : null, today), look));
        });
    }

    private static Map<String, Object> json(String domain, Readiness readiness, @Nullable Inspection look) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("domain", domain);
        json.put("verdict", readiness.verdict().word());
        if (look != null) {
            json.put("inspected-at", look.inspectedAt());
        }
        json.put(
                "conditions",
                readiness.conditions().stream()
                        .map(condition -> new Condition(
                                condition.name(), condition.state().word(), condition.words()))
                        .toList());
        json.put(
                "failures",
                readiness.failures().stream()
                        .limit(LISTED)
                        .map(failing ->
                                new Failing(failing.resultType(), failing.mx(), failing.sessions(), failing.lastDay()))
                        .toList());
        if (readiness.failures().size() > LISTED) {
            json.put("failures-omitted", readiness.failures().size() - LISTED);
        }
        return json;
    }

    @JsonPropertyOrder({"name", "state", "words"})
    private record Condition(String name, String state, String words) {}

    @JsonPropertyOrder({"result-type", "receiving-mx-hostname", "failed-session-count", "last-window"})
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Failing(
            String resultType, @Nullable String receivingMxHostname, long failedSessionCount, LocalDate lastWindow) {}

    private Supplier<Answer> summary(Parameters parameters) {
        String domain = parameters.domain();
        LocalDate today = today();
        Parameters.Days days = parameters.days(today.minusDays(RecentPast.DAYS - 1L), today, MOST_DAYS);
        String policyType = parameters.text("policy-type");
        String trustWord = parameters.oneOf("trust", Trust.WORDS);
        String submitter = parameters.text("submitter");
        String resultType = parameters.text("result-type");
        String mx = parameters.domain("mx");
        return scans.taking(() -> {
            Headline headline = Headline.of(
                    views.aggregates().days(domain, days.from(), days.to()).stream()
                            .flatMap(day -> day.totals().stream())
                            .toList(),
                    policyType,
                    trustWord == null ? null : Trust.named(trustWord));
            DomainSummary summary = new DomainSummary(
                    domain,
                    new DomainSummary.Wanted(
                            days.from(),
                            days.to(),
                            policyType == null ? headline.policyType() : policyType,
                            headline.trust(),
                            submitter,
                            resultType,
                            mx));
            boolean whole = views.aggregates()
                    .eachCell(
                            domain,
                            days.from(),
                            days.to(),
                            SUMMED,
                            summary::needs,
                            (key, cell) -> summary.add(key, CELL.read(cell)));
            return whole ? Answer.json(summary.summary()) : tooMany();
        });
    }

    private static Answer tooMany() {
        return Answer.problem(
                413, "Content Too Large", "too many aggregates would have to be looked at; ask for fewer days");
    }

    private LocalDate today() {
        return LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
    }
}
