package io.tlsrpt.console;

import io.tlsrpt.console.ApiRoutes.Endpoint;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.JsonSerde;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;

/// Domains and how they fare (`docs/openapi.yaml`).
final class DomainsApi {

    private static final int MOST_DAYS = 3_660;
    private static final int MOST_CELLS = 500_000;

    /// A page may end before it is full, rather than late.
    private static final int MOST_LOOKED_AT = 5_000;

    private static final JsonSerde<DomainSummary.Cell> CELL = new JsonSerde<>(DomainSummary.Cell.class);

    private final Views views;
    private final Supplier<Settings> settings;
    private final Clock clock;
    private final Overview overview;
    private final Listings listings = new Listings();
    private final int most;

    /// @param settings as they are now
    DomainsApi(Views views, Supplier<Settings> settings, Clock clock) {
        this(views, settings, clock, MOST_CELLS);
    }

    /// @param most aggregates to look at for one answer
    DomainsApi(Views views, Supplier<Settings> settings, Clock clock, int most) {
        this.views = views;
        this.settings = settings;
        this.clock = clock;
        this.overview = new Overview(views);
        this.most = most;
    }

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.get("/api/v1/domains", Listings.parameters("q", "label", "state"), this::domains)
                        .filtered(),
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

    private Supplier<Answer> summary(Parameters parameters) {
        String domain = parameters.domain();
        LocalDate today = today();
        Parameters.Days days = parameters.days(today.minusDays(RecentPast.DAYS - 1L), today, MOST_DAYS);
        String policyType = parameters.text("policy-type");
        String trustWord = parameters.oneOf("trust", Trust.WORDS);
        String submitter = parameters.text("submitter");
        String resultType = parameters.text("result-type");
        String mx = parameters.domain("mx");
        return () -> {
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
                            most,
                            summary::needs,
                            (key, cell) -> summary.add(key, CELL.read(cell)));
            return whole ? Answer.json(summary.summary()) : tooMany();
        };
    }

    private Answer tooMany() {
        return Answer.problem(
                413,
                "Content Too Large",
                "more than " + String.format(Locale.ROOT, "%,d", most)
                        + " aggregates would have to be looked at; ask for fewer days");
    }

    private LocalDate today() {
        return LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
    }
}
