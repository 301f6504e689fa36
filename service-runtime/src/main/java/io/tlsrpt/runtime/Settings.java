package io.tlsrpt.runtime;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
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

        @Setting(
                "Where reporters shall send reports, as `./tlsrpt record` puts it into the TXT record: `mailto:` and `https:` addresses, the most important first. Reloaded while running.")
        List<String> rua,

        @Setting("Domains found by their own DNS record, beside those of `domains`. Reloaded while running.")
        Discovery discovery,

        @Setting("The broker.") Kafka kafka,
        @Setting("The front door for reports by HTTPS.") Intake intake,
        @Setting("Reports by mail.") Mail mail,
        @Setting("How DNS is asked.") Dns dns,

        @Setting("The query API, the import door and the dashboard.")
        Api api,

        @Setting("Health and metrics.") Admin admin,
        @Setting("Rules, receivers and live inspection.") AlertingSettings alerting) {

    private static final Pattern TOPIC_PREFIX = Pattern.compile("[a-zA-Z0-9._-]{1,64}");

    /// One of our domains.
    public record Domain(
            @Setting("The policy domain, or `*.example.com` for every domain below it.")
            String name,

            @Setting("Labels for routing and filtering, such as team or customer.")
            Map<String, String> labels,

            @Setting(
                    "`quiet`, `normal` or `eager` for this domain alone; absent: as `alerting.rules` says. At an MX that domains of ours share, `alerting.rules` counts.")
            @Nullable
            Sensitivity sensitivity,

            @Setting(
                    value = "Sessions needed on a day before this domain is judged; 0: as `alerting.rules` says.",
                    byDefault = "0")
            long minSessions,

            @Setting("Rules that do not judge this domain, by their words, such as `sts-policy`.")
            List<String> rulesOff) {

        private static final Pattern NAME = Pattern.compile(
                "(\\*\\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

        public Domain {
            require(
                    NAME.matcher(name).matches() && name.length() <= 253,
                    "name must be a lower-case domain (A-label) such as example.com or *.example.com, found \"" + name
                            + "\"");
            require(minSessions >= 0, "min-sessions must not be negative");
            rulesOff.forEach(rule -> require(
                    AlertingSettings.Rules.WORDS.contains(rule),
                    "rules-off names no rule: \"" + rule + "\"; known: "
                            + String.join(", ", AlertingSettings.Rules.WORDS)));
        }

        /// A domain about which nothing more is said.
        public Domain(String name, Map<String, String> labels) {
            this(name, labels, null, 0, List.of());
        }

        /// Whether a lower-case policy domain is this one, or below it where the name begins with `*.`.
        public boolean matches(String policyDomain) {
            return name.startsWith("*.") ? policyDomain.endsWith(name.substring(1)) : policyDomain.equals(name);
        }
    }

    public record Discovery(
            @Setting(
                    value =
                            "Whether a domain whose `_smtp._tls` record lists one of our `rua` is taken as pending: counted and shown, never alerted on until it is accepted.",
                    byDefault = "false")
            boolean enabled,

            @Setting(value = "Pending domains at a time, 1 to 10000.", byDefault = "100")
            int maxDomains,

            @Setting(
                    value =
                            "Reports taken about one pending domain in a day (UTC, of arrival), by each process; 1 to 10000.",
                    byDefault = "50")
            int maxReportsPerDay) {

        public Discovery {
            require(maxDomains >= 1 && maxDomains <= 10_000, "max-domains must be 1 to 10000");
            require(maxReportsPerDay >= 1 && maxReportsPerDay <= 10_000, "max-reports-per-day must be 1 to 10000");
        }
    }

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
            Map<String, String> properties) {

        public Kafka {
            require(partitions >= 0 && partitions <= 1000, "partitions must be 0 to 1000");
            require(replicationFactor >= 0 && replicationFactor <= 9, "replication-factor must be 0 to 9");
        }

        /// Partitions of a topic that is to be created.
        public int newTopicPartitions() {
            return partitions == 0 ? 12 : partitions;
        }

        /// Copies of a topic that is to be created.
        public int newTopicCopies() {
            return replicationFactor == 0 ? 3 : replicationFactor;
        }
    }

    public record Intake(
            @Setting(value = "Where reports are posted.", byDefault = "127.0.0.1:8080")
            HostPort listen,

            @Setting("Certificate and key for HTTPS; absent: plain HTTP, for a loopback address or behind a proxy.")
            @Nullable
            Tls tls,

            @Setting(
                    "Path tokens; when any is set, a post without one of them is answered 404. Reloaded while running.")
            List<Token> tokens,

            @Setting("Networks in CIDR form whose posts count as vouched for by the operator. Reloaded while running.")
            List<Network> trustedNetworks,

            @Setting(value = "Largest body as sent.", byDefault = "10MiB")
            ByteSize maxBody,

            @Setting(value = "Largest document after un-gzip, at most 10MiB.", byDefault = "10MiB")
            ByteSize maxInflated,

            @Setting(
                    value = "How long a post waits for the broker before it is spooled, at most 8 s.",
                    byDefault = "3s")
            Duration ackTimeout,

            @Setting(value = "Bytes the spool may hold while the broker is away; 503 beyond it.", byDefault = "1GiB")
            ByteSize spoolMaxBytes,

            @Setting(
                    value =
                            "Bytes of refused documents that are kept of one remote address and of one submitter in an hour; beyond it only heads, then nothing.",
                    byDefault = "16MiB")
            ByteSize rejectedQuota) {

        private static final long MIB = 1024 * 1024;

        public Intake {
            require(maxBody.bytes() >= 1024 && maxBody.bytes() <= 64 * MIB, "max-body must be 1KiB to 64MiB");
            require(
                    maxInflated.bytes() >= 1024 && maxInflated.bytes() <= 10 * MIB,
                    "max-inflated must be 1KiB to 10MiB");
            require(
                    ackTimeout.compareTo(Duration.ofMillis(100)) >= 0
                            && ackTimeout.compareTo(Duration.ofSeconds(8)) <= 0,
                    "ack-timeout must be 100ms to 8s: senders give up after 10 s");
        }

        private Intake withReloadable(Intake latest) {
            return new Intake(
                    listen,
                    tls,
                    latest.tokens,
                    latest.trustedNetworks,
                    maxBody,
                    maxInflated,
                    ackTimeout,
                    spoolMaxBytes,
                    rejectedQuota);
        }

        /// A token in the rua's path, `https://…/v1/tlsrpt/<token>`.
        public record Token(
                @Setting("The token, 16 to 128 characters of A-Z a-z 0-9 - _.")
                Secret token,

                @Setting("The domain this token stands for, for reports that name none.") @Nullable
                String channelDomain) {

            private static final Pattern FORM = Pattern.compile("[A-Za-z0-9_-]{16,128}");

            public Token {
                require(
                        FORM.matcher(token.reveal()).matches(),
                        "token must be 16 to 128 characters of A-Z a-z 0-9 - _");
            }
        }
    }

    public record Mail(
            @Setting("The SMTP and LMTP listeners.") Smtp smtp,

            @Setting("IMAP mailboxes that are watched.") List<Mailbox> mailboxes,

            @Setting("What a report mail's signature must be. Reloaded while running.")
            Dkim dkim) {

        public Mail {
            require(
                    mailboxes.stream().map(Mailbox::name).distinct().count() == mailboxes.size(),
                    "mailboxes must have different names");
        }

        public record Smtp(
                @Setting(value = "Whether mail is taken by SMTP.", byDefault = "true")
                boolean enabled,

                @Setting(value = "Where SMTP is spoken.", byDefault = "127.0.0.1:2525")
                HostPort listen,

                @Setting("Where LMTP is spoken, for a mail server in front; absent: nowhere.") @Nullable
                HostPort lmtpListen,

                @Setting("The name in the greeting; absent: this machine's.") @Nullable
                String hostname,

                @Setting(
                        "Certificate and key for STARTTLS, which is offered and never demanded (RFC 8460 §3); absent: not offered.")
                @Nullable
                Tls tls,

                @Setting(
                        "Addresses that reports may be sent to. None: the `mailto:` addresses of `rua`; when there are none either, every address, which only a loopback listener may do.")
                List<Recipient> recipients,

                @Setting(value = "Largest mail.", byDefault = "25MiB")
                ByteSize maxMessage,

                @Setting(value = "Connections at a time.", byDefault = "200")
                int maxConnections,

                @Setting(value = "Connections at a time from one address.", byDefault = "50")
                int maxConnectionsPerRemote,

                @Setting(value = "How long a peer may be silent.", byDefault = "1m")
                Duration timeout) {

            private static final long MIB = 1024 * 1024;

            public Smtp {
                require(
                        maxMessage.bytes() >= 16 * 1024 && maxMessage.bytes() <= 100 * MIB,
                        "max-message must be 16KiB to 100MiB");
                require(maxConnections >= 1 && maxConnections <= 10_000, "max-connections must be 1 to 10000");
                require(
                        maxConnectionsPerRemote >= 1 && maxConnectionsPerRemote <= 10_000,
                        "max-connections-per-remote must be 1 to 10000");
                require(
                        timeout.compareTo(Duration.ofSeconds(1)) >= 0 && timeout.compareTo(Duration.ofMinutes(10)) <= 0,
                        "timeout must be 1s to 10m");
            }

            private boolean beyondLoopback() {
                return (enabled && !listen.isLoopback()) || (lmtpListen != null && !lmtpListen.isLoopback());
            }
        }

        /// An address for reports.
        public record Recipient(
                @Setting(
                        "`local@domain`, or `@domain` for every address of the domain; upper and lower case are the same.")
                String address,

                @Setting("The domain this address stands for, for reports that name none.") @Nullable
                String channelDomain) {

            private static final Pattern ADDRESS = Pattern.compile("[^@\\s]{0,64}@[^@\\s]{1,253}");

            public Recipient {
                require(
                        ADDRESS.matcher(address).matches(),
                        "address must be local@domain or @domain, found \"" + address + "\"");
            }
        }

        public record Mailbox(
                @Setting("Its name, in logs, metrics and the `remote` header.")
                String name,

                @Setting("The IMAP server.") String host,

                @Setting(value = "Its port; 0: 993 for `tls`, 143 otherwise.", byDefault = "0")
                int port,

                @Setting(value = "`tls`, `starttls` or, on a trusted network only, `plain`.", byDefault = "tls")
                Security security,

                @Setting(
                        "PEM file with the certificates of the authorities that the server's certificate may come from; absent: those of the Java installation.")
                @Nullable
                Path caFile,

                @Setting("The login.") String user,

                @Setting("Its password; `password-file` reads it from a file.") @Nullable
                Secret password,

                @Setting("OAuth2 instead of a password, as Gmail and Microsoft 365 want it.") @Nullable
                OAuth2 oauth2,

                @Setting(value = "The folder that is watched.", byDefault = "INBOX")
                String folder,

                @Setting(
                        value = "What happens to a mail once its reports are kept: `mark` it seen, or `move` it.",
                        byDefault = "mark")
                Processed processed,

                @Setting(value = "Where processed mails are moved.", byDefault = "tlsrpt-processed")
                String processedFolder,

                @Setting(value = "What happens to mails that are no reports: `leave` or `move`.", byDefault = "leave")
                Others others,

                @Setting(value = "Where mails that are no reports are moved.", byDefault = "tlsrpt-other")
                String othersFolder,

                @Setting(value = "How often to look when the server does not notify.", byDefault = "1m")
                Duration pollInterval,

                @Setting(
                        value =
                                "Whether the operator vouches for everything in it, because something before it has checked signatures.",
                        byDefault = "false")
                boolean trusted,

                @Setting(
                        "Mails that came before this day, such as 2026-01-01, are vouched for by the operator, whose old signatures no key is left for, and never notify.")
                @Nullable
                LocalDate backfillBefore,

                @Setting("The domain this mailbox stands for, for reports that name none.") @Nullable
                String channelDomain) {

            private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,62}");

            public Mailbox {
                require(
                        NAME.matcher(name).matches(),
                        "name must be 1 to 63 characters of a-z 0-9 - _, found \"" + name + "\"");
                require((password == null) != (oauth2 == null), "give either password or oauth2");
                require(port >= 0 && port <= 65_535, "port must be 0 to 65535");
                require(
                        pollInterval.compareTo(Duration.ofSeconds(1)) >= 0
                                && pollInterval.compareTo(Duration.ofDays(1)) <= 0,
                        "poll-interval must be 1s to 1d");
            }
        }

        public enum Security {
            TLS,
            STARTTLS,
            PLAIN
        }

        public enum Processed {
            MARK,
            MOVE
        }

        public enum Others {
            LEAVE,
            MOVE
        }

        /// A bearer token (RFC 7628, XOAUTH2): kept in a file by another program, or asked for with a refresh token or
        /// as
        /// the client itself.
        public record OAuth2(
                @Setting("File with the access token, read for each login; something else renews it.") @Nullable
                Path accessTokenFile,

                @Setting("Where tokens are asked for (RFC 6749 §3.2), https:// only beyond loopback.") @Nullable
                String tokenUrl,

                @Setting("The client's id.") @Nullable String clientId,
                @Setting("The client's secret.") @Nullable Secret clientSecret,

                @Setting("A refresh token; absent: client credentials are used.") @Nullable
                Secret refreshToken,

                @Setting("The scope asked for.") @Nullable String scope) {

            public OAuth2 {
                require((accessTokenFile == null) != (tokenUrl == null), "give either access-token-file or token-url");
                require(tokenUrl == null || clientId != null, "token-url needs client-id");
                require(
                        tokenUrl == null || isConfidential(tokenUrl),
                        "token-url must be an https:// address, or http:// on a loopback address");
                require(
                        tokenUrl == null || clientSecret != null || refreshToken != null,
                        "token-url needs client-secret, refresh-token or both");
            }

            private static boolean isConfidential(String url) {
                try {
                    URI uri = new URI(url);
                    return uri.getHost() != null
                            && ("https".equals(uri.getScheme())
                                    || ("http".equals(uri.getScheme())
                                            && HostPort.parse(uri.getHost() + ":0")
                                                    .isLoopback()));
                } catch (URISyntaxException noAddress) {
                    return false;
                }
            }
        }

        public record Dkim(
                @Setting(
                        value =
                                "`require`: reports without a valid signature by the reporting domain are rejected (RFC 8460 §3); `observe`: they count as unauthenticated.",
                        byDefault = "require")
                DkimMode mode,

                @Setting(
                        value = "Whether the signing domain must be the reporting domain itself, not one above it.",
                        byDefault = "false")
                boolean strict,

                @Setting(
                        value = "Whether keys must be made for `tlsrpt`; hardly any sender has such a key.",
                        byDefault = "false")
                boolean requireTlsrptService,

                @Setting(
                        "Names of our own mail servers whose `Authentication-Results` are believed; the border must remove such fields from what comes in.")
                List<String> trustedAuthservIds) {}

        public enum DkimMode {
            REQUIRE,
            OBSERVE
        }

        private Mail withReloadable(Mail latest) {
            return new Mail(smtp, mailboxes, latest.dkim);
        }
    }

    public record Dns(
            @Setting("host:port of resolvers; none: those of this machine.")
            List<HostPort> servers,

            @Setting(value = "How long a lookup may take, with all its retries.", byDefault = "5s")
            Duration timeout) {

        public Dns {
            require(
                    timeout.compareTo(Duration.ofMillis(100)) >= 0 && timeout.compareTo(Duration.ofMinutes(1)) <= 0,
                    "timeout must be 100ms to 1m");
        }
    }

    public record Api(
            @Setting(
                    value =
                            "Where the query API, the import door and the dashboard listen; the same address as intake shares its listener.",
                    byDefault = "127.0.0.1:8080")
            HostPort listen,

            @Setting("Certificate and key for HTTPS.") @Nullable
            Tls tls,

            @Setting(
                    value =
                            "Lets the API listen beyond this machine although it asks nobody who they are; only where something else keeps strangers out.",
                    byDefault = "false")
            boolean allowUnauthenticated,

            @Setting(
                    "Who may ask, by a token that they show; `./tlsrpt token` makes one with its entry. With any of these, or `trusted-proxy`, nobody is answered without. Reloaded while running.")
            List<Bearer> tokens,

            @Setting(
                    "A proxy in front that knows who asks (single sign-on) and says so in headers. Reloaded while running.")
            @Nullable
            TrustedProxy trustedProxy) {

        public Api {
            boolean asks = !tokens.isEmpty() || trustedProxy != null;
            require(
                    allowUnauthenticated || asks || listen.isLoopback(),
                    "listen must be a loopback address until tokens or trusted-proxy say who may ask (./tlsrpt token makes a token); where something else keeps strangers out, set allow-unauthenticated: true");
            require(
                    !(allowUnauthenticated && asks),
                    "allow-unauthenticated: true contradicts tokens and trusted-proxy, with which everybody must say who they are; remove one");
            require(
                    tokens.stream().map(Bearer::name).distinct().count() == tokens.size(),
                    "tokens must have different names");
            require(
                    tokens.stream().map(Bearer::sha256).distinct().count() == tokens.size(),
                    "tokens must differ: two entries have the same sha256");
        }

        /// Whether everybody must say who they are, also on this machine.
        public boolean authenticates() {
            return !tokens.isEmpty() || trustedProxy != null;
        }

        /// Whether what needs a restart is the same.
        private boolean sameListener(Api other) {
            return listen.equals(other.listen) && Objects.equals(tls, other.tls);
        }

        /// Somebody who shows a token.
        ///
        /// The file has only its SHA-256. One hash is enough: a slow one, and salt, protect what people think up, and a
        /// token is 256 random bits, which nobody tries through however fast the hash is.
        public record Bearer(
                @Setting("Who has it: shown beside what they do, 1 to 64 characters.")
                String name,

                @Setting(
                        "The SHA-256 of the token, 64 hex digits in lower case; the token itself is in no file here. `sha256-file` reads it from a file.")
                Secret sha256,

                @Setting(
                        value = "`read` asks; `operate` also imports and acts on alerts, silences and domains.",
                        byDefault = "read")
                Caller.Role role,

                @Setting("Only domains whose `labels` have all of these are shown; none: every domain.")
                Map<String, String> labels) {

            private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}][\\p{L}\\p{N} ._@+-]{0,63}");
            private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");

            public Bearer {
                require(
                        NAME.matcher(name).matches(),
                        "name must be 1 to 64 letters, digits, blanks and . _ @ + -, found \"" + name + "\"");
                require( // not repeated: somebody may have put the token itself here
                        SHA_256.matcher(sha256.reveal()).matches(),
                        "sha256 must be 64 hex digits in lower case, the SHA-256 of the token; ./tlsrpt token makes both");
            }
        }

        public record TrustedProxy(
                @Setting(
                        "Networks in CIDR form that the proxy connects from, such as 10.0.0.5/32. Whoever can connect from there is believed; the headers of all others are ignored.")
                List<Network> networks,

                @Setting(
                        value = "The header with the user's name; the proxy must remove it from what comes in.",
                        byDefault = "X-Forwarded-User")
                String userHeader,

                @Setting(
                        value = "The header with the user's groups, separated by commas.",
                        byDefault = "X-Forwarded-Groups")
                String groupsHeader,

                @Setting(
                        "What members of a group may; the first entry that fits counts, and a user without one is refused. None: every user asks.")
                List<Group> groups) {

            private static final Pattern HEADER = Pattern.compile("[A-Za-z0-9-]{1,64}");

            public TrustedProxy {
                require(!networks.isEmpty(), "networks must name where the proxy connects from");
                require(
                        HEADER.matcher(userHeader).matches()
                                && HEADER.matcher(groupsHeader).matches()
                                && !userHeader.equalsIgnoreCase(groupsHeader),
                        "user-header and groups-header must be two names of headers, of A-Z a-z 0-9 -");
                require(
                        groups.stream().map(Group::name).distinct().count() == groups.size(),
                        "groups must have different names");
            }

            public record Group(
                    @Setting("The group as the header names it; `*` is every user.")
                    String name,

                    @Setting(
                            value = "`read` asks; `operate` also imports and acts on alerts, silences and domains.",
                            byDefault = "read")
                    Caller.Role role,

                    @Setting("Only domains whose `labels` have all of these are shown; none: every domain.")
                    Map<String, String> labels) {}
        }
    }

    public record Admin(
            @Setting(value = "Where /live, /ready and /metrics listen.", byDefault = "127.0.0.1:8081")
            HostPort listen) {}

    /// A PKCS#12 key store, read again when the file changes.
    public record Tls(
            @Setting("PKCS#12 file with the certificate chain and its key.")
            Path keyStore,

            @Setting("Its password; `key-store-password-file` reads it from a file.")
            Secret keyStorePassword) {}

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

    public Settings {
        require(
                TOPIC_PREFIX.matcher(topicPrefix).matches(),
                "topic-prefix must be 1 to 64 characters of a-z A-Z 0-9 . _ -, found \"" + topicPrefix + "\"");
        require(
                retention.compareTo(Duration.ofDays(1)) >= 0 && retention.compareTo(Duration.ofDays(36_525)) <= 0,
                "retention must be 1d to 36525d");
        require(
                rua.stream().allMatch(Settings::isRua),
                "rua must be mailto:local@domain or https://… addresses, without blanks");
        require(
                !discovery.enabled() || !rua.isEmpty(),
                "discovery.enabled needs rua: a domain is found by its record listing one of them");
        require(
                admin.listen().port() == 0 || !admin.listen().equals(api.listen()),
                "admin.listen must not be api.listen: /live is the health of the process at one and a page of the dashboard at the other");
        require(
                !mail.smtp().beyondLoopback()
                        || !mail.smtp().recipients().isEmpty()
                        || rua.stream().anyMatch(uri -> uri.startsWith("mailto:")),
                "mail.smtp listens beyond this machine: say in mail.smtp.recipients, or by a mailto: in rua, whose mail it takes");
    }

    private static boolean isRua(String uri) {
        try {
            URI parsed = new URI(uri);
            return "mailto".equals(parsed.getScheme())
                    ? parsed.getSchemeSpecificPart().matches("[^@\\s]{1,64}@[^@\\s]{1,253}")
                    : "https".equals(parsed.getScheme()) && parsed.getHost() != null;
        } catch (URISyntaxException malformed) {
            return false;
        }
    }

    /// Whether the process brings its own broker.
    public boolean embeddedBroker() {
        return kafka.bootstrapServers() == null;
    }

    /// These settings with the embedded broker, once its port is known: one copy of everything, few partitions.
    public Settings withEmbeddedBroker(String bootstrapServers) {
        Kafka embedded = new Kafka(
                bootstrapServers,
                kafka.embeddedListen(),
                kafka.partitions() == 0 ? 4 : kafka.partitions(),
                1,
                kafka.properties());
        return new Settings(
                data,
                topicPrefix,
                retention,
                domains,
                rua,
                discovery,
                embedded,
                intake,
                mail,
                dns,
                api,
                admin,
                alerting);
    }

    /// These settings on another broker, under another prefix.
    public Settings on(String bootstrapServers, String prefix) {
        Kafka other = new Kafka(
                bootstrapServers,
                kafka.embeddedListen(),
                kafka.partitions(),
                kafka.replicationFactor(),
                kafka.properties());
        return new Settings(
                data, prefix, retention, domains, rua, discovery, other, intake, mail, dns, api, admin, alerting);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    /// The same with other rules and receivers.
    public Settings with(AlertingSettings others) {
        return new Settings(
                data, topicPrefix, retention, domains, rua, discovery, kafka, intake, mail, dns, api, admin, others);
    }

    /// What is said of this lower-case policy domain: its own entry, else that of the nearest `*.` above it; null when
    /// there is none.
    public @Nullable Domain domain(String policyDomain) {
        Domain best = null;
        for (Domain entry : domains) {
            if (entry.name().equals(policyDomain)) {
                return entry;
            }
            if (entry.matches(policyDomain)
                    && (best == null || entry.name().length() > best.name().length())) {
                best = entry;
            }
        }
        return best;
    }

    /// Whether `other` differs from these only in what is read anew while running: domains, rua, discovery, path
    /// tokens, trusted networks, DKIM, who may ask, rules, receivers.
    public boolean onlyReloadableDiffers(Settings other) {
        return equals(new Settings(
                other.data,
                other.topicPrefix,
                other.retention,
                domains,
                rua,
                discovery,
                other.kafka,
                other.intake.withReloadable(intake),
                other.mail.withReloadable(mail),
                other.dns,
                api.sameListener(other.api) ? api : other.api,
                other.admin,
                alerting));
    }
}
