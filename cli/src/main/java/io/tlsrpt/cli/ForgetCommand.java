package io.tlsrpt.cli;

import io.tlsrpt.report.DomainName;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/// `./tlsrpt forget DOMAIN`: has a domain that departed forgotten, waits until nothing of it is kept by key, and says
/// when the rest expires. It asks the API for it and reads the topics to see that it is done.
@Command(
        name = "forget",
        mixinStandardHelpOptions = true,
        description = "Purges a domain that has departed, and says when the rest of it expires.",
        footer = {
            "",
            "Gone when this ends with 0: its aggregates, report records, alerts, notifications and claim, silences that",
            "name it alone, and what the services keep to judge it. No receiver is told of anything. Documents, events",
            "and histories cannot be taken out of their topics one by one: the table says when the last of each goes.",
            "",
            "To take only the claim of a discovered domain back, and keep what was counted: domains forget."
        })
final class ForgetCommand implements Callable<Integer> {

    private static final String DOMAINS = "/api/v1/domains";
    private static final int NOTHING = 1;
    private static final int QUIET = 5;
    private static final Duration CLAIM_GOES = Duration.ofSeconds(10);

    private final Terminal terminal;
    private final LongSupplier nanoTime;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOption server = new ServerOption();

    @Parameters(paramLabel = "DOMAIN", description = "The domain itself; those below it are domains of their own.")
    private String named = "";

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "HOST:PORT",
            description = "The broker, ${DEFAULT-VALUE} by default.")
    private String bootstrapServers = Commands.Defaults.STANDALONE.bootstrapServers();

    @Option(
            names = "--topic-prefix",
            paramLabel = "PREFIX",
            description = "First part of the topics' names, ${DEFAULT-VALUE} by default.")
    private String topicPrefix = Commands.Defaults.STANDALONE.topicPrefix();

    @Option(
            names = "--command-config",
            paramLabel = "FILE",
            description = "Kafka client properties, where the broker wants to know who asks.")
    private @Nullable Path commandConfig;

    @Option(names = "--dry-run", description = "Only tell what there is of it.")
    private boolean dryRun;

    @Option(names = "--yes", description = "Do not ask, not even where nothing names it.")
    private boolean yes;

    @Option(
            names = "--even-if-ours",
            description = "Do it even if reports about it are still taken: what comes later is counted again.")
    private boolean evenIfOurs;

    @Option(
            names = "--wait",
            paramLabel = "SECONDS",
            description = "How long to wait until it is done, ${DEFAULT-VALUE} by default.")
    private long waitSeconds = 600;

    @Option(names = "--json", description = "One JSON object; asks nothing, so it wants --yes or --dry-run.")
    private boolean json;

    ForgetCommand(Terminal terminal, LongSupplier nanoTime) {
        this.terminal = terminal;
        this.nanoTime = nanoTime;
    }

    @Override
    public Integer call() {
        String domain = DomainName.canonical(named);
        if (domain.isBlank() || domain.startsWith("*.") || (!DomainName.isName(domain) && !yes)) {
            throw new ParameterException(
                    spec.commandLine(),
                    Terminal.shown(named) + " is no domain"
                            + (domain.startsWith("*.") ? ": name one, without *." : ""));
        }
        if (json && !yes && !dryRun) {
            throw new ParameterException(spec.commandLine(), "--json wants --yes or --dry-run: it cannot ask");
        }
        Topics topics = new Topics(topicPrefix, Duration.ofDays(1));
        Properties properties = properties();
        try (KafkaConsumer<byte[], byte[]> consumer =
                        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                Admin admin = Admin.create(properties)) {
            TopicScan scan = new TopicScan(consumer, new WhatNames(topics, domain));
            scan.read(this::progress);
            return forget(domain, topics, scan, admin);
        } catch (TimeoutException nobody) {
            throw new Failure("no broker answers at " + Terminal.shown(bootstrapServers)
                    + " – start tlsrpt with ./tlsrpt run, or name another with --bootstrap-servers");
        } catch (KafkaException failed) {
            throw new Failure("the broker cannot be read: " + Terminal.shown(String.valueOf(failed.getMessage())));
        }
    }

    private int forget(String domain, Topics topics, TopicScan scan, Admin admin) {
        boolean nothing = scan.live().values().stream().allMatch(count -> count == 0)
                && scan.expiring().values().stream().allMatch(each -> each.records() == 0);
        Map<String, Config> configs = configs(admin, scan);
        if (dryRun) {
            tell(domain, null, true, topics, scan, configs);
            return 0;
        }
        if (nothing && !yes) {
            terminal.error("nothing names " + Terminal.shown(domain) + " – is it spelled right? ./tlsrpt domains lists"
                    + " the domains; --yes has it forgotten nevertheless");
            return NOTHING;
        }
        if (!json) {
            tellLive(topics, scan);
        }
        if (!yes && !terminal.interactive()) {
            throw new Failure("nothing is forgotten without --yes where nobody can be asked");
        }
        if (!yes && !terminal.agrees("Forget " + Terminal.shown(domain) + "? It cannot be undone.")) {
            terminal.line("nothing was done");
            return NOTHING;
        }
        JsonNode answer;
        try (Server api = server.connect()) {
            answer = purge(api, domain, scan);
        }
        boolean complete = await(scan);
        tell(domain, answer, complete, topics, scan, configs);
        if (!complete) {
            terminal.error("not done after " + waitSeconds + " s. It goes on by itself as long as the stream processor"
                    + " and the alerting service run; the same command again shows how far it is.");
        }
        return complete ? 0 : 1;
    }

    /// The claim goes first: a report that came between would be counted after the departure, and stay.
    private JsonNode purge(Server api, String domain, TopicScan scan) {
        String path = DOMAINS + "/" + URLEncoder.encode(domain, StandardCharsets.UTF_8) + "/purge";
        Map<String, String> query = evenIfOurs ? Map.of("anyway", "true") : Map.of();
        if (api.actIfThere(DOMAINS, domain, "forget").isPresent()) {
            // the console, which is asked next, learns of it by the topic
            long end = nanoTime.getAsLong() + CLAIM_GOES.toNanos();
            while (nanoTime.getAsLong() - end < 0) {
                Optional<JsonNode> answer = api.postUnlessConflict(path, query);
                if (answer.isPresent()) {
                    return answer.get();
                }
                scan.follow();
            }
        }
        return api.send("POST", path, query, Json.MAPPER.createObjectNode());
    }

    /// Until nothing lives that names it, [#QUIET] times in a row: what was under way when it was first so comes a
    /// moment
    /// later.
    private boolean await(TopicScan scan) {
        long end = nanoTime.getAsLong() + TimeUnit.SECONDS.toNanos(waitSeconds);
        long shown = nanoTime.getAsLong();
        int quiet = 0;
        while (quiet < QUIET) {
            long left = scan.follow();
            quiet = left == 0 ? quiet + 1 : 0;
            long now = nanoTime.getAsLong();
            if (now - end > 0) {
                return false;
            }
            if (!json && left > 0 && now - shown > TimeUnit.SECONDS.toNanos(5)) {
                shown = now;
                terminal.line(left + " records to go");
            }
        }
        return true;
    }

    private long progressShown = Long.MIN_VALUE;

    private void progress(String topic, long read) {
        long now = nanoTime.getAsLong();
        if (progressShown == Long.MIN_VALUE) {
            progressShown = now;
        } else if (!json && now - progressShown > TimeUnit.SECONDS.toNanos(5)) {
            progressShown = now;
            terminal.line("reading " + Terminal.shown(topic) + ": " + read + " records");
        }
    }

    private Properties properties() {
        Properties properties = new Properties();
        if (commandConfig != null) {
            try (InputStream in = Files.newInputStream(commandConfig)) {
                properties.load(in);
            } catch (IOException unreadable) {
                throw new Failure("--command-config cannot be read: " + unreadable.getMessage());
            }
        }
        properties.put("bootstrap.servers", bootstrapServers);
        properties.put("client.id", "tlsrpt-forget");
        properties.put("isolation.level", "read_committed");
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        properties.put("allow.auto.create.topics", "false");
        properties.put("request.timeout.ms", "10000");
        properties.put("default.api.timeout.ms", "10000");
        return properties;
    }

    private static Map<String, Config> configs(Admin admin, TopicScan scan) {
        List<ConfigResource> resources = scan.expiring().keySet().stream()
                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                .toList();
        Map<String, Config> configs = new HashMap<>();
        try {
            admin.describeConfigs(resources)
                    .all()
                    .get(30, TimeUnit.SECONDS)
                    .forEach((resource, config) -> configs.put(resource.name(), config));
        } catch (ExecutionException | java.util.concurrent.TimeoutException away) {
            throw new Failure("the broker does not tell how long topics are kept: " + away.getMessage());
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new Failure("interrupted");
        }
        return configs;
    }

    /// When the last record of a topic goes.
    ///
    /// @param atLatest its time is over before; the broker deletes whole segments, and this one may have been written
    /// to for so long after it
    record Expiry(Instant from, Instant atLatest) {

        /// @return absent: never
        static @Nullable Expiry of(Instant last, long retentionMs, long segmentMs) {
            if (retentionMs < 0) {
                return null;
            }
            Instant from = last.plusMillis(retentionMs);
            return new Expiry(from, from.plusMillis(segmentMs));
        }
    }

    private static @Nullable Expiry expiry(TopicScan.Expiring expiring, @Nullable Config config) {
        Instant last = expiring.last();
        return last == null || config == null
                ? null
                : Expiry.of(last, number(config, "retention.ms"), number(config, "segment.ms"));
    }

    private static long number(Config config, String name) {
        return Long.parseLong(config.get(name).value());
    }

    private void tellLive(Topics topics, TopicScan scan) {
        List<List<String>> rows = new ArrayList<>();
        scan.live().forEach((topic, count) -> {
            if (count > 0) {
                rows.add(List.of(topic, Integer.toString(count)));
            }
        });
        if (rows.isEmpty()) {
            terminal.line("nothing under " + topics.prefix() + "* that is kept by key names it");
        } else {
            terminal.table(List.of("KEPT BY KEY", "RECORDS THAT NAME IT"), rows);
        }
    }

    private void tell(
            String domain,
            @Nullable JsonNode answer,
            boolean complete,
            Topics topics,
            TopicScan scan,
            Map<String, Config> configs) {
        if (json) {
            tellJson(domain, answer, complete, scan, configs);
            return;
        }
        if (answer != null && complete) {
            terminal.line(Terminal.shown(domain) + " is forgotten: nothing that is kept by key names it any more");
        } else if (answer == null || !complete) {
            tellLive(topics, scan);
        }
        List<List<String>> rows = new ArrayList<>();
        scan.expiring().forEach((topic, expiring) -> {
            if (expiring.records() > 0) {
                Expiry expiry = expiry(expiring, configs.get(topic));
                rows.add(List.of(
                        topic,
                        Long.toString(expiring.records()),
                        expiry == null ? "never" : shown(expiry.from()),
                        expiry == null ? "never" : shown(expiry.atLatest())));
            }
        });
        if (rows.isEmpty()) {
            terminal.line("no document, event or history names it");
        } else {
            terminal.table(List.of("KEPT BY TIME", "RECORDS THAT NAME IT", "LAST ONE EXPIRES", "GONE BY"), rows);
            terminal.line("Sooner, and what lies outside of the topics: docs/privacy.md");
        }
    }

    private static String shown(Instant instant) {
        return instant.truncatedTo(ChronoUnit.MINUTES).toString();
    }

    private void tellJson(
            String domain, @Nullable JsonNode answer, boolean complete, TopicScan scan, Map<String, Config> configs) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("domain", domain);
        if (answer != null) {
            told.put("departed-at", answer.path("departure").path("departed-at").asString(""));
            told.put("silences", answer.path("silences"));
            told.put("complete", complete);
        }
        told.put("live", scan.live());
        List<Map<String, Object>> rows = new ArrayList<>();
        scan.expiring().forEach((topic, expiring) -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("topic", topic);
            row.put("records", expiring.records());
            Expiry expiry = expiry(expiring, configs.get(topic));
            if (expiring.last() != null) {
                row.put("last-record-at", expiring.last().toString());
            }
            if (expiry != null) {
                row.put("expires-at", expiry.from().toString());
                row.put("gone-by", expiry.atLatest().toString());
            }
            rows.add(row);
        });
        told.put("expiring", rows);
        terminal.line(Server.ASCII.writeValueAsString(told));
    }
}
