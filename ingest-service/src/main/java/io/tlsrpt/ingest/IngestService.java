package io.tlsrpt.ingest;

import io.tlsrpt.dns.Resolver;
import io.tlsrpt.mail.ReportMail;
import io.tlsrpt.report.ReportReader;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.ProducerMeters;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.runtime.Service;
import io.tlsrpt.runtime.ServiceHost;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes reports by HTTPS, by mail and as files and writes them to the raw topic.
///
/// It is ready once it has found the topics on the broker as they should be, or made them, and serves through its spool
/// before that and whenever the broker is away afterwards.
public final class IngestService implements Service {

    private static final Logger LOG = LoggerFactory.getLogger(IngestService.class);
    private static final String PART = "intake";
    private static final Duration BODY_DEADLINE = Duration.ofMinutes(1);
    private static final Duration VERDICT_PATIENCE = Duration.ofMinutes(1);
    private static final Duration DRAIN_PAUSE = Duration.ofSeconds(1);
    private static final int DNS_CACHE_ENTRIES = 10_000;
    private static final Duration CONNECT_AGAIN = Duration.ofSeconds(5);

    private final Surroundings surroundings;
    private final Topics topics;
    private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("intake-timers").factory());
    private final Spool spool;
    private final Delivery delivery;
    private final SpoolDrain drain;
    private final MailReceiver receiver;
    private final List<Mailbox> mailboxes;
    private final ReportEndpoint endpoint;
    private final DomainClaims claims;
    private final DomainsDoor domainsDoor;
    private final VerdictWatch verdicts;
    private final ImportDoor importDoor;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread connecting =
            Thread.ofPlatform().daemon().name("intake-topics").unstarted(this::connect);
    private volatile @Nullable ProducerMeters producerMeters;

    /// @throws IllegalStateException when another process uses the same spool
    public IngestService(Surroundings surroundings) {
        this.surroundings = surroundings;
        Settings settings = surroundings.settings();
        this.topics = new Topics(settings.topicPrefix(), settings.retention());
        IngestMetrics metrics = new IngestMetrics(surroundings.meters());
        this.spool = new Spool(
                settings.data().resolve("spool"),
                settings.intake().spoolMaxBytes().bytes(),
                metrics);
        Properties properties = producer(settings);
        this.delivery = new Delivery(() -> measured(properties), Delivery.MAX_UNACKNOWLEDGED_BYTES);
        metrics.watch(spool, delivery);
        this.drain = new SpoolDrain(spool, delivery, DRAIN_PAUSE);
        this.claims = new DomainClaims(
                topics.domains(),
                () -> new KafkaConsumer<>(
                        new KafkaSettings(settings).consumer(settings.topicPrefix() + "domain-claims", Map.of()),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer()),
                delivery);
        metrics.watch(claims);
        Access access = new Access(surroundings.current(), settings.api().listen(), surroundings.meters());
        this.domainsDoor = new DomainsDoor(claims, access, metrics, surroundings.clock());
        Intake intake = new Intake(
                topics,
                settings.intake(),
                ours(metrics),
                new ReportReader(ReportReader.Limits.DEFAULT),
                delivery,
                spool,
                metrics);
        MailSink mails = new MailIntake(
                intake,
                resolver(settings.dns(), DNS_CACHE_ENTRIES),
                () -> surroundings.current().get().mail().dkim(),
                mailLimits(settings),
                metrics);
        this.receiver = new MailReceiver(
                settings.mail().smtp(),
                () -> surroundings.current().get().rua(),
                mails,
                new SmtpMetrics(surroundings.meters()),
                surroundings.clock());
        this.mailboxes = settings.mail().mailboxes().stream()
                .map(mailbox -> new Mailbox(
                        mailbox,
                        settings.data().resolve("mailboxes"),
                        settings.mail().smtp().maxMessage().asInt(),
                        mails,
                        timers,
                        new MailboxMetrics(surroundings.meters(), mailbox.name()),
                        surroundings.clock()))
                .toList();
        Body.Reader bodies = new Body.Reader(settings.intake().maxBody().asInt(), BODY_DEADLINE, bodyBudget(settings));
        this.endpoint = new ReportEndpoint(
                () -> surroundings.current().get().intake(), intake, bodies, metrics, surroundings.clock());
        this.verdicts = new VerdictWatch(
                topics.verdicts().name(),
                () -> new KafkaConsumer<>(
                        new KafkaSettings(settings)
                                .consumer(
                                        settings.topicPrefix() + "import-verdicts",
                                        Map.of("default.api.timeout.ms", "10000")),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer()));
        this.importDoor = new ImportDoor(
                settings.data().resolve("import"),
                settings.intake(),
                intake,
                mails,
                spool,
                verdicts,
                VERDICT_PATIENCE,
                access,
                metrics,
                surroundings.clock());
    }

    private KafkaProducer<String, byte[]> measured(Properties properties) {
        KafkaProducer<String, byte[]> producer =
                new KafkaProducer<>(properties, new StringSerializer(), new ByteArraySerializer());
        producerMeters = new ProducerMeters(producer, surroundings.meters());
        return producer;
    }

    /// A sender waits no longer for us than `intake.ack-timeout`, so the producer blocks for less; what it could not
    /// deliver
    /// in a few times that is in the spool already and need not stay in memory.
    private static Properties producer(Settings settings) {
        long ackTimeout = settings.intake().ackTimeout().toMillis();
        Properties properties = new KafkaSettings(settings).producer(settings.topicPrefix() + "ingest");
        properties.putIfAbsent("max.block.ms", Long.toString(Math.max(1, ackTimeout / 2)));
        properties.putIfAbsent("request.timeout.ms", "5000");
        properties.putIfAbsent("delivery.timeout.ms", "10000");
        properties.putIfAbsent("buffer.memory", Integer.toString(Delivery.MAX_UNACKNOWLEDGED_BYTES));
        properties.putIfAbsent("reconnect.backoff.max.ms", "1000");
        return properties;
    }

    private static ReportMail.Limits mailLimits(Settings settings) {
        ReportMail.Limits usual = ReportMail.Limits.DEFAULT;
        return new ReportMail.Limits(
                usual.maxParts(),
                usual.maxDepth(),
                usual.maxReports(),
                settings.intake().maxBody().asInt(),
                usual.maxHeaderBytes());
    }

    private OurDomains ours(IngestMetrics metrics) {
        Supplier<Settings> current = surroundings.current();
        // Its resolver remembers nothing: how long an answer about a stranger's domain holds is decided here.
        RuaRecords records = new RuaRecords(
                resolver(surroundings.settings().dns(), 0),
                () -> current.get().rua(),
                claims::withdraw,
                surroundings.clock());
        return new OurDomains(
                () -> current.get().domains(),
                new DnsDiscovery(() -> current.get().discovery(), claims, records, metrics, surroundings.clock()));
    }

    private static Resolver resolver(Settings.Dns dns, int cacheEntries) {
        return new Resolver(new Resolver.Options(
                dns.servers().stream()
                        .map(server -> new InetSocketAddress(server.host(), server.port()))
                        .toList(),
                dns.timeout(),
                cacheEntries));
    }

    private static long bodyBudget(Settings settings) {
        return Math.max(
                4 * settings.intake().maxBody().bytes(), Runtime.getRuntime().maxMemory() / 8);
    }

    @Override
    public String name() {
        return "ingest-service";
    }

    @Override
    public List<Routes> routes() {
        Settings settings = surroundings.settings();
        return List.of(
                new Routes(
                        "intake", settings.intake().listen(), settings.intake().tls(), endpoint::routing),
                new Routes("api", settings.api().listen(), settings.api().tls(), importDoor::routing),
                new Routes("api", settings.api().listen(), settings.api().tls(), domainsDoor::routing));
    }

    @Override
    public Map<String, HostPort> addresses() {
        return receiver.addresses();
    }

    @Override
    public void start() {
        receiver.start();
        surroundings.health().notReady(PART, "the broker was not reached yet");
        importDoor.start();
        drain.start();
        connecting.start();
    }

    /// Looks for the broker until it is there and its topics stand; meanwhile the spool takes what comes.
    private void connect() {
        Health health = surroundings.health();
        try {
            while (closing.getCount() > 0) {
                try {
                    setUpTopics();
                    delivery.open();
                    claims.start();
                    health.notReady(PART, "the discovered domains are being read");
                    while (!claims.awaitWhole(CONNECT_AGAIN) && closing.getCount() > 0) {
                        LOG.atWarn().log("the discovered domains are not read yet");
                    }
                    mailboxes.forEach(Mailbox::start);
                    health.ready(PART);
                    return;
                } catch (RuntimeException unusable) {
                    health.notReady(PART, "reports wait in the spool: " + ServiceHost.why(unusable));
                    LOG.atError().setCause(unusable).log("the topics cannot be used; reports wait in the spool");
                }
                if (closing.await(CONNECT_AGAIN.toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
    }

    private void setUpTopics() {
        Settings settings = surroundings.settings();
        Properties admin = new KafkaSettings(settings).admin(settings.topicPrefix() + "ingest-topics");
        admin.put("default.api.timeout.ms", "5000");
        admin.put("request.timeout.ms", "5000");
        TopicSetup.ensure(
                admin,
                topics,
                settings.kafka().newTopicPartitions(),
                settings.kafka().newTopicCopies());
    }

    @Override
    public void close() {
        receiver.close();
        closing.countDown();
        connecting.interrupt();
        mailboxes.parallelStream().forEach(Mailbox::close);
        timers.shutdownNow();
        verdicts.close();
        claims.close();
        drain.close();
        ProducerMeters metered = producerMeters;
        if (metered != null) {
            metered.close();
        }
        delivery.close();
        spool.close();
    }
}
