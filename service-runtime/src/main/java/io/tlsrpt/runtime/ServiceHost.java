package io.tlsrpt.runtime;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries services through their life: admin listener, services in order, their listeners; and back in reverse order.
/// The only class that knows signals and exit.
public final class ServiceHost implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ServiceHost.class);
    private static final Duration LOOK_INTERVAL = Duration.ofSeconds(2);
    private static final int MOST_CAUSES = 5;

    private final LiveSettings settings;
    private final Metrics metrics;
    private final Health health;
    private final Deque<Service> running = new ArrayDeque<>();
    private final List<HttpListener> listeners = new ArrayList<>();
    private final ScheduledExecutorService looker = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("settings-look").daemon().factory());
    private final Map<String, HostPort> addresses = new LinkedHashMap<>();
    private boolean closed;

    public ServiceHost(LiveSettings settings) {
        this.settings = settings;
        this.metrics = new Metrics(settings.get().data());
        this.health = new Health(metrics.registry());
    }

    /// What services are made from.
    public Surroundings surroundings() {
        return new Surroundings(settings.get(), settings, metrics.registry(), health, Clock.systemUTC());
    }

    /// Starts the services in order, then what they answer over HTTP.
    ///
    /// @throws RuntimeException of the first that cannot start; what had started is closed again
    public void start(List<? extends Service> services) {
        try {
            health.notReady("start", "starting");
            listeners.add(HttpListener.start(
                    List.of(new AdminRoutes(health, metrics.registry())
                            .at(settings.get().admin())),
                    metrics.registry()));
            Map<String, List<Routes>> byAddress = new LinkedHashMap<>();
            for (Service service : services) {
                LOG.atInfo().addKeyValue("service", service.name()).log("starting");
                running.push(service);
                service.start();
                addresses.putAll(service.addresses());
                for (Routes routes : service.routes()) {
                    byAddress
                            .computeIfAbsent(routes.address().toString(), address -> new ArrayList<>())
                            .add(routes);
                }
            }
            byAddress.values().forEach(routes -> listeners.add(HttpListener.start(routes, metrics.registry())));
            var unused = looker.scheduleWithFixedDelay(
                    this::look, LOOK_INTERVAL.toMillis(), LOOK_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
            health.ready("start");
        } catch (RuntimeException failed) {
            close();
            throw failed;
        }
    }

    public Health health() {
        return health;
    }

    /// Where `intake`, `api` or `admin` really listens.
    public HostPort address(String name) {
        return listeners.stream()
                .filter(listener -> listener.names().contains(name))
                .findFirst()
                .orElseThrow()
                .address();
    }

    /// Where a service listens for something else than HTTP, such as `smtp`; empty when none does.
    public Optional<HostPort> otherAddress(String name) {
        return Optional.ofNullable(addresses.get(name));
    }

    /// Stops taking requests, then closes the services in reverse order. Every step is tried.
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        health.notReady("start", "stopping");
        looker.shutdownNow();
        running.forEach(service -> quietly("endless answers of " + service.name(), service::quiesce));
        for (HttpListener listener : listeners.reversed()) {
            quietly("listener " + listener.address(), listener);
        }
        while (!running.isEmpty()) {
            Service service = running.pop();
            quietly(service.name(), service);
        }
        metrics.close();
        LOG.atInfo().log("stopped");
    }

    private void look() {
        try {
            settings.look();
            listeners.forEach(HttpListener::look);
        } catch (RuntimeException unexpected) {
            LOG.atError().setCause(unexpected).log("could not look for changed settings; looking again");
        }
    }

    private static void quietly(String what, AutoCloseable closable) {
        try {
            LOG.atInfo().addKeyValue("what", what).log("closing");
            closable.close();
        } catch (Exception failed) {
            LOG.atError().addKeyValue("what", what).setCause(failed).log("did not close cleanly");
        }
    }

    /// Runs services as a process of their own until SIGTERM or SIGINT: `[--config FILE]`.
    @SafeVarargs
    public static void main(String[] args, Function<Surroundings, ? extends Service>... services) {
        Path config = null;
        if (args.length == 2 && args[0].equals("--config")) {
            config = Path.of(args[1]);
        } else if (args.length != 0) {
            System.err.println("usage: [--config FILE]");
            System.exit(2);
        }
        int status = run(config, services);
        System.exit(status);
    }

    @SafeVarargs
    private static int run(@Nullable Path config, Function<Surroundings, ? extends Service>... services) {
        try {
            LiveSettings settings = LiveSettings.of(config, read -> read);
            if (settings.get().embeddedBroker()) {
                System.err.println(
                        "kafka.bootstrap-servers is required for a separate service; ./tlsrpt run brings a broker");
                return 1;
            }
            ServiceHost host = new ServiceHost(settings);
            List<Service> made = new ArrayList<>();
            for (Function<Surroundings, ? extends Service> service : services) {
                made.add(service.apply(host.surroundings()));
            }
            host.start(made);
            host.awaitSignal();
            return 0;
        } catch (SettingsFault bad) {
            System.err.println(bad.getMessage());
            return 1;
        } catch (RuntimeException failed) {
            LOG.atError().setCause(failed).log("cannot start");
            System.err.println("cannot start: " + why(failed));
            return 1;
        }
    }

    /// What a failure says, and its causes: Kafka's own says only that there is no client, its cause why.
    public static String why(Throwable failure) {
        List<String> messages = new ArrayList<>();
        for (Throwable each = failure; each != null && messages.size() < MOST_CAUSES; each = each.getCause()) {
            String message = Objects.requireNonNullElse(
                    each.getMessage(), each.getClass().getSimpleName());
            if (messages.stream().noneMatch(said -> said.contains(message))) {
                messages.add(message);
            }
        }
        return String.join(": ", messages);
    }

    /// Returns after SIGTERM or SIGINT came and everything is closed.
    public void awaitSignal() {
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("stop").unstarted(() -> {
            close();
            stopped.countDown();
        }));
        try {
            stopped.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            close();
        }
    }
}
