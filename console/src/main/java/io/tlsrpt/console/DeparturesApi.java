package io.tlsrpt.console;

import io.tlsrpt.console.ApiRoutes.Endpoint;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.AlertMatch;
import io.tlsrpt.topics.Departure;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Silence;
import io.tlsrpt.topics.Topics;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Domains that are to be forgotten (`docs/openapi.yaml`). The departure is written to `tlsrpt.departures`, for each
/// service takes the domain out of what it alone writes. Silences are written here, so they change here.
final class DeparturesApi {

    private static final Logger LOG = LoggerFactory.getLogger(DeparturesApi.class);

    private static final int MOST_NAME = 255;

    private static final JsonSerde<Departure> DEPARTURE = new JsonSerde<>(Departure.class);
    private static final JsonSerde<Silence> SILENCE = new JsonSerde<>(Silence.class);

    private final Views views;
    private final TopicWriter writer;
    private final Topics topics;
    private final Supplier<Settings> settings;
    private final Clock clock;

    /// @param settings as they are now
    DeparturesApi(Views views, TopicWriter writer, Topics topics, Supplier<Settings> settings, Clock clock) {
        this.views = views;
        this.writer = writer;
        this.topics = topics;
        this.settings = settings;
        this.clock = clock;
    }

    List<Endpoint> endpoints() {
        return List.of(Endpoint.post("/api/v1/domains/{domain}/purge", Set.of("anyway"), this::purge));
    }

    private Supplier<Answer> purge(Parameters parameters) {
        String domain = parameters.domain();
        boolean anyway = "true".equals(parameters.oneOf("anyway", List.of("true", "false")));
        Visible visible = parameters.visible();
        String by = parameters.caller().name();
        return () -> {
            if (!visible.everything()) {
                // alerts and reports about several domains change with it
                return visible.refused();
            }
            if (domain.isBlank() || domain.length() > MOST_NAME) {
                return Answer.problem(400, "Bad Request", "a domain has 1 to " + MOST_NAME + " characters");
            }
            String taken = anyway ? null : taken(domain);
            if (taken != null) {
                return Answer.problem(409, "Conflict", taken);
            }
            return depart(domain, by);
        };
    }

    /// Why reports about the domain that arrive later would be counted as before; absent where they would not.
    private @Nullable String taken(String domain) {
        Settings current = settings.get();
        String entry = current.domains().stream()
                .filter(configured -> configured.matches(domain))
                .map(Settings.Domain::name)
                .findFirst()
                .orElse(null);
        if (entry != null) {
            return "it is still ours: " + entry + " stands under domains: in the configuration. Take it out first, or"
                    + " what arrives later is counted again";
        }
        DomainClaim claim = views.domains().claim(domain);
        if (claim != null && (claim.accepted() || current.discovery().enabled())) {
            return "it is still ours: it was discovered and is " + claim.state() + ". Take the claim back first, by"
                    + " …/forget, or what arrives later is counted again";
        }
        return current.domains().isEmpty() && !current.discovery().enabled()
                ? "nothing stands under domains: in the configuration, so reports about every domain are taken and what"
                        + " arrives later is counted again. List yours there first"
                : null;
    }

    private Answer depart(String domain, String by) {
        Instant now = clock.instant();
        Map<String, List<String>> silences = new LinkedHashMap<>();
        silences.put("removed", new ArrayList<>());
        silences.put("changed", new ArrayList<>());
        for (Silence silence : views.silences().all()) {
            List<String> named = silence.match().domains();
            if (named != null && named.contains(domain)) {
                List<String> others =
                        named.stream().filter(other -> !other.equals(domain)).toList();
                writer.write(
                        topics.silences(),
                        silence.silenceId(),
                        others.isEmpty() ? null : SILENCE.write(about(silence, others)),
                        null);
                silences.getOrDefault(others.isEmpty() ? "removed" : "changed", new ArrayList<>())
                        .add(silence.silenceId());
            }
        }
        Departure departure = new Departure(domain, now, by);
        writer.write(topics.departures(), domain, DEPARTURE.write(departure), null);
        LOG.atInfo().addKeyValue("departed-at", now).addKeyValue("by", by).log("a domain is to be forgotten");
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("departure", departure);
        answer.put("silences", silences);
        return Answer.json(202, answer);
    }

    private static Silence about(Silence silence, List<String> domains) {
        AlertMatch match = silence.match();
        return new Silence(
                silence.silenceId(),
                new AlertMatch(
                        match.alertIds(),
                        domains,
                        match.receivingMxHostnames(),
                        match.submitters(),
                        match.labels(),
                        match.rules(),
                        match.severities(),
                        match.classes()),
                silence.startsAt(),
                silence.endsAt(),
                silence.by(),
                silence.comment(),
                silence.createdAt());
    }
}
