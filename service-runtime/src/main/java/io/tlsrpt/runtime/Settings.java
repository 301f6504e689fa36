package io.tlsrpt.runtime;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The one configuration value, the same for the separate services and for standalone. Immutable.
public record Settings(
        @Setting(
                value = "Directory of everything this machine keeps: embedded broker, spool, state stores.",
                byDefault = "./data")
        Path data,

        @Setting(value = "First part of every topic's name and of every application id.", byDefault = "tlsrpt.")
        String topicPrefix,

        @Setting(
                value =
                        "How long documents and events are kept; reports whose start-datetime is older are refused as too-old. Decades are fine for archives.",
                byDefault = "400d")
        Duration retention,

        @Setting("The domains whose reports we take. None: all are taken. Reloaded while running.")
        List<Domain> domains,

        @Setting("The broker.") Kafka kafka,
        @Setting("The front door for reports by HTTPS.") Intake intake,

        @Setting("The query API, the import door and the dashboard.")
        Api api,

        @Setting("Health and metrics.") Admin admin,
        @Setting("Rules and receivers.") Alerting alerting) {

    /// One of our domains.
    public record Domain(
            @Setting("The policy domain, or `*.example.com` for every domain below it.")
            String name,

            @Setting("Labels for routing and filtering, such as team or customer.")
            Map<String, String> labels) {}

    public record Kafka(
            @Setting(
                    "host:port of one or more brokers, separated by commas. Absent: a broker is embedded in this process (standalone only).")
            @Nullable
            String bootstrapServers,

            @Setting(value = "Where the embedded broker listens.", byDefault = "127.0.0.1:9092")
            HostPort embeddedListen,

            @Setting(
                    value =
                            "Partitions of every topic, when it is created; frozen afterwards. 0: 12 on a cluster, 4 embedded.",
                    byDefault = "0")
            int partitions,

            @Setting(
                    value = "Copies of every topic, when it is created. 0: 3 on a cluster, 1 embedded.",
                    byDefault = "0")
            int replicationFactor,

            @Setting("Passed through to every Kafka client, such as security.protocol.")
            Map<String, String> properties) {}

    public record Intake(
            @Setting(value = "Where reports are posted.", byDefault = "127.0.0.1:8080")
            HostPort listen,

            @Setting("Certificate and key for HTTPS; absent: plain HTTP, for a loopback address or behind a proxy.")
            @Nullable
            Tls tls,

            @Setting("Path tokens; when any is set, a post without one of them is answered 404.")
            List<Token> tokens,

            @Setting("Networks in CIDR form whose posts count as vouched for by the operator.")
            List<String> trustedNetworks,

            @Setting(value = "Largest body as sent.", byDefault = "10MiB")
            ByteSize maxBody,

            @Setting(value = "Largest document after un-gzip, at most 10MiB.", byDefault = "10MiB")
            ByteSize maxInflated,

            @Setting(
                    value = "How long a post waits for the broker before it is spooled, at most 8 s.",
                    byDefault = "3s")
            Duration ackTimeout,

            @Setting(value = "Bytes the spool may hold while the broker is away; 503 beyond it.", byDefault = "1GiB")
            ByteSize spoolMaxBytes) {

        /// A token in the rua's path, `https://…/v1/tlsrpt/<token>`.
        public record Token(
                @Setting("The token, 16 to 128 characters of A-Z a-z 0-9 - _.")
                Secret token,

                @Setting("The domain this token stands for, for reports that name none.") @Nullable
                String channelDomain) {}
    }

    public record Api(
            @Setting(
                    value =
                            "Where the query API, the import door and the dashboard listen; the same address as intake shares its listener.",
                    byDefault = "127.0.0.1:8080")
            HostPort listen,

            @Setting("Certificate and key for HTTPS.") @Nullable
            Tls tls) {}

    public record Admin(
            @Setting(value = "Where /live, /ready and /metrics listen.", byDefault = "127.0.0.1:8081")
            HostPort listen) {}

    /// A PKCS#12 key store, read again when the file changes.
    public record Tls(
            @Setting("PKCS#12 file with the certificate chain and its key.")
            Path keyStore,

            @Setting("Its password; `key-store-password-file` reads it from a file.")
            Secret keyStorePassword) {}

    public record Alerting(
            @Setting(
                    value = "Address of this installation as people reach it, for links in alerts.",
                    byDefault = "http://127.0.0.1:8080")
            String publicUrl,

            @Setting("Thresholds; reloaded while running.") Rules rules,

            @Setting(
                    value =
                            "How long an alert below critical must stand before anybody is told; one that resolves earlier is never told. Critical alerts are told at once. Reloaded while running.",
                    byDefault = "5m")
            Duration warningWait,

            @Setting("Who hears of alerts; reloaded while running.")
            List<Receiver> receivers) {

        public record Rules(
                @Setting(value = "Certificate rule on or off.", byDefault = "true")
                boolean certificate,

                @Setting(value = "STARTTLS regression rule on or off.", byDefault = "true")
                boolean starttlsRegression,

                @Setting(value = "`quiet`, `normal` or `eager`.", byDefault = "normal")
                Sensitivity sensitivity,

                @Setting(value = "Sessions a domain needs on a day before it is judged.", byDefault = "0")
                long minSessions) {}

        /// A generic webhook.
        public record Receiver(
                @Setting("Its name, in logs, metrics and the notification log.")
                String name,

                @Setting("Where alerts are posted as JSON; a secret, never logged.")
                Secret url,

                @Setting(
                        "Key for the Standard Webhooks signature, `whsec_` and base64 of 24 to 64 bytes; absent: unsigned.")
                @Nullable
                Secret signingSecret,

                @Setting(value = "Lowest severity told: `info`, `warning` or `critical`.", byDefault = "warning")
                Severity minSeverity,

                @Setting(
                        value = "Whether private, loopback and link-local addresses may be called.",
                        byDefault = "false")
                boolean allowPrivateAddresses,

                @Setting(value = "How long one attempt may take.", byDefault = "15s")
                Duration timeout) {}
    }

    public enum Sensitivity {
        QUIET,
        NORMAL,
        EAGER
    }

    public enum Severity {
        INFO,
        WARNING,
        CRITICAL
    }

    /// Whether the process brings its own broker.
    public boolean embeddedBroker() {
        return kafka.bootstrapServers() == null;
    }

    /// These settings with another broker, for the embedded one once its port is known.
    public Settings withBootstrapServers(String bootstrapServers) {
        Kafka other = new Kafka(
                bootstrapServers,
                kafka.embeddedListen(),
                kafka.partitions(),
                kafka.replicationFactor(),
                kafka.properties());
        return new Settings(data, topicPrefix, retention, domains, other, intake, api, admin, alerting);
    }
}
