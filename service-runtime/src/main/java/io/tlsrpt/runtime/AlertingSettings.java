package io.tlsrpt.runtime;

import io.tlsrpt.runtime.Settings.Sensitivity;
import io.tlsrpt.runtime.Settings.Severity;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What is judged, what is looked at, and who is told. All of it is reloaded while running.
public record AlertingSettings(
        @Setting(
                value = "Address of this installation as people reach it, for links in alerts.",
                byDefault = "http://127.0.0.1:8080")
        String publicUrl,

        @Setting("Rules on or off, and how soon they speak.")
        Rules rules,

        @Setting("Failures that no rule shall judge, such as those of one sender's broken client.")
        List<Ignore> ignore,

        @Setting("The live look at what our domains show now.")
        Inspection inspection,

        @Setting(
                value =
                        "How long an alert below critical, or one that rests on a single reporter, must stand before anybody is told; one that resolves earlier is never told. Other critical alerts are told at once.",
                byDefault = "5m")
        Duration warningWait,

        @Setting(
                value =
                        "How long a group of alerts waits between two messages to the same receiver; an alert that opens as critical or becomes it does not wait.",
                byDefault = "30m")
        Duration groupInterval,

        @Setting(value = "After which time an alert that fires still is told again.", byDefault = "24h")
        Duration repeatInterval,

        @Setting("Who hears of what, first match first; none: all receivers hear of all.")
        List<Route> routes,

        @Setting("When warnings wait; critical alerts never do.") @Nullable
        QuietHours quietHours,

        @Setting("A weekly summary, also when all is well.") @Nullable
        Digest digest,

        @Setting("An address that is called as long as alerting works, for a watchdog elsewhere.") @Nullable
        Heartbeat heartbeat,

        @Setting(
                "A report of our own that goes in by the front door now and then, counted nowhere, to see that reports come through.")
        @Nullable
        Canary canary,

        @Setting("The mail server that takes our mails, for receivers of kind `email`.") @Nullable
        MailServer mailServer,

        @Setting("Who can be told.") List<Receiver> receivers) {

    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,62}");

    public AlertingSettings {
        Set<String> names = receivers.stream().map(Receiver::name).collect(Collectors.toCollection(TreeSet::new));
        require(names.size() == receivers.size(), "receivers must have different names");
        require(isHttp(publicUrl), "public-url must be an http:// or https:// address");
        positive(groupInterval, "group-interval");
        positive(repeatInterval, "repeat-interval");
        require(!warningWait.isNegative(), "warning-wait must not be negative");
        Stream.concat(
                        routes.stream().flatMap(route -> route.receivers().stream()),
                        digest == null ? Stream.empty() : digest.receivers().stream())
                .forEach(name -> require(
                        names.contains(name),
                        "no receiver has the name \"" + name + "\", which a route or the digest uses"));
        require(
                mailServer != null || receivers.stream().noneMatch(receiver -> receiver.kind() == Kind.EMAIL),
                "a receiver of kind email needs mail-server");
        require(mailServer != null || canary == null || canary.mailTo() == null, "canary.mail-to needs mail-server");
    }

    /// The same with other rules.
    public AlertingSettings with(Rules others) {
        return new AlertingSettings(
                publicUrl,
                others,
                ignore,
                inspection,
                warningWait,
                groupInterval,
                repeatInterval,
                routes,
                quietHours,
                digest,
                heartbeat,
                canary,
                mailServer,
                receivers);
    }

    /// @param sensitivity picks the column of thresholds in docs/alerting.md
    public record Rules(
            @Setting(value = "Certificates that senders refuse.", byDefault = "true")
            boolean certificate,

            @Setting(value = "STARTTLS that was offered and is no more.", byDefault = "true")
            boolean starttlsRegression,

            @Setting(value = "DANE: TLSA records and DNSSEC.", byDefault = "true")
            boolean dane,

            @Setting(value = "MTA-STS policies that senders cannot fetch or read.", byDefault = "true")
            boolean stsPolicy,

            @Setting(value = "One reporter that sees faults everywhere.", byDefault = "true")
            boolean reporterFault,

            @Setting(value = "A regular reporter that stays silent.", byDefault = "true")
            boolean reporterSilent,

            @Setting(value = "A domain of which no reporter writes any more.", byDefault = "true")
            boolean domainSilent,

            @Setting(value = "Hardly any report comes in at all.", byDefault = "true")
            boolean intakeBroken,

            @Setting(value = "Reports of known reporters, or about our domains, that are refused.", byDefault = "true")
            boolean rejections,

            @Setting(value = "Live: certificates that run out soon or are wrong already.", byDefault = "true")
            boolean certificateExpiry,

            @Setting(value = "Live: an MX that offers no STARTTLS.", byDefault = "true")
            boolean starttlsMissing,

            @Setting(value = "Live: the TLSRPT record.", byDefault = "true")
            boolean tlsrptRecord,

            @Setting(value = "Live: the MTA-STS record and policy.", byDefault = "true")
            boolean mtaSts,

            @Setting(value = "Live: TLSA records against the certificates presented.", byDefault = "true")
            boolean tlsa,

            @Setting(value = "`quiet`, `normal` or `eager`.", byDefault = "normal")
            Sensitivity sensitivity,

            @Setting(value = "Sessions an MX needs on a day before it is judged.", byDefault = "0")
            long minSessions,

            @Setting(
                    value = "After a start, how long the reports that piled up have to come in before silence counts.",
                    byDefault = "30m")
            Duration settle) {

        /// The words of all rules, as alerts carry them.
        public static final List<String> WORDS = List.of(
                "certificate",
                "starttls-regression",
                "dane",
                "sts-policy",
                "reporter-fault",
                "reporter-silent",
                "domain-silent",
                "intake-broken",
                "rejections",
                "certificate-expiry",
                "starttls-missing",
                "tlsrpt-record",
                "mta-sts",
                "tlsa");

        public Rules {
            require(minSessions >= 0, "min-sessions must not be negative");
            require(!settle.isNegative() && settle.compareTo(Duration.ofDays(1)) <= 0, "settle must be 0s to 1d");
        }

        /// Others, for a trial.
        ///
        /// @param on whether a rule of this word is on
        public Rules with(Predicate<String> on, Sensitivity sensitivity, long minSessions) {
            return new Rules(
                    on.test("certificate"),
                    on.test("starttls-regression"),
                    on.test("dane"),
                    on.test("sts-policy"),
                    on.test("reporter-fault"),
                    on.test("reporter-silent"),
                    on.test("domain-silent"),
                    on.test("intake-broken"),
                    on.test("rejections"),
                    on.test("certificate-expiry"),
                    on.test("starttls-missing"),
                    on.test("tlsrpt-record"),
                    on.test("mta-sts"),
                    on.test("tlsa"),
                    sensitivity,
                    minSessions,
                    settle);
        }

        /// @param rule one of [#WORDS]
        public boolean on(String rule) {
            return switch (rule) {
                case "certificate" -> certificate;
                case "starttls-regression" -> starttlsRegression;
                case "dane" -> dane;
                case "sts-policy" -> stsPolicy;
                case "reporter-fault" -> reporterFault;
                case "reporter-silent" -> reporterSilent;
                case "domain-silent" -> domainSilent;
                case "intake-broken" -> intakeBroken;
                case "rejections" -> rejections;
                case "certificate-expiry" -> certificateExpiry;
                case "starttls-missing" -> starttlsMissing;
                case "tlsrpt-record" -> tlsrptRecord;
                case "mta-sts" -> mtaSts;
                case "tlsa" -> tlsa;
                default -> throw new IllegalArgumentException("no rule " + rule);
            };
        }
    }

    /// Failures that are left out before anything is judged. All that is given must match.
    public record Ignore(
            @Setting("Only of this reporter.") @Nullable String submitter,

            @Setting("Only where the failing server's address lies in it, such as 192.0.2.0/24.") @Nullable
            Network network,

            @Setting("Only of this result type.") @Nullable String resultType,

            @Setting("Why, for those who wonder later.") String reason,

            @Setting("The last day on which it holds, such as 2026-12-31.")
            LocalDate until) {

        public Ignore {
            require(
                    submitter != null || network != null || resultType != null,
                    "ignore needs submitter, network or result-type");
        }
    }

    public record Inspection(
            @Setting(
                    value =
                            "Whether DNS, MX hosts (port 25) and policy hosts (port 443) of our domains are looked at, when an alert opens and as a watch.",
                    byDefault = "true")
            boolean enabled,

            @Setting(value = "How often each domain is looked at, 10m to 7d.", byDefault = "6h")
            Duration every,

            @Setting(value = "How long before its end a certificate is worth an alert.", byDefault = "14d")
            Duration expiryWarning,

            @Setting("The name we say in EHLO; absent: the name of this machine.") @Nullable
            String heloName,

            @Setting(
                    value = "Whether MX and policy hosts on private or loopback addresses are looked at.",
                    byDefault = "false")
            boolean allowPrivateAddresses,

            @Setting(value = "The port of MX hosts; another one only where a test network has it.", byDefault = "25")
            int smtpPort,

            @Setting(value = "The port of policy hosts; likewise.", byDefault = "443")
            int httpsPort,

            @Setting(value = "How long looking at one address may take, 1s to 2m.", byDefault = "20s")
            Duration timeout,

            @Setting(value = "Connections at a time, 1 to 100.", byDefault = "8")
            int connections,

            @Setting("PEM file with the authorities to trust; absent: those of the Java installation.") @Nullable
            Path caFile,

            @Setting(
                    "File of DNSSEC trust anchors (DS or DNSKEY lines); absent: the root's. Answers are validated here, no resolver is believed.")
            @Nullable
            Path trustAnchors) {

        public Inspection {
            require(
                    every.compareTo(Duration.ofMinutes(10)) >= 0 && every.compareTo(Duration.ofDays(7)) <= 0,
                    "every must be 10m to 7d");
            require(!expiryWarning.isNegative(), "expiry-warning must not be negative");
            require(smtpPort > 0 && smtpPort <= 65_535, "smtp-port must be 1 to 65535");
            require(httpsPort > 0 && httpsPort <= 65_535, "https-port must be 1 to 65535");
            require(
                    timeout.compareTo(Duration.ofSeconds(1)) >= 0 && timeout.compareTo(Duration.ofMinutes(2)) <= 0,
                    "timeout must be 1s to 2m");
            require(connections >= 1 && connections <= 100, "connections must be 1 to 100");
        }
    }

    /// Which alerts go where. All kinds of matchers that are given must match; of one kind any value.
    public record Route(
            @Setting("Policy domains, or `*.example.com`; an alert of several domains matches by any of them.")
            List<String> domains,

            @Setting("Labels that the alert must carry.") Map<String, String> labels,
            @Setting("Words of rules.") List<String> rules,
            @Setting("Severities.") List<Severity> severities,

            @Setting("Failure classes: `starttls`, `certificate`, `dane`, `sts-policy`, `other`.")
            List<String> classes,

            @Setting("Names of receivers; none: nobody hears of it.")
            List<String> receivers,

            @Setting(value = "Whether the routes after this one are asked as well.", byDefault = "false")
            boolean proceed) {

        private static final Set<String> CLASSES = Set.of("starttls", "certificate", "dane", "sts-policy", "other");

        public Route {
            rules.forEach(rule -> require(
                    Rules.WORDS.contains(rule),
                    "rules names no rule: \"" + rule + "\"; known: " + String.join(", ", Rules.WORDS)));
            classes.forEach(word -> require(
                    CLASSES.contains(word), "classes knows " + new TreeSet<>(CLASSES) + ", found \"" + word + "\""));
        }
    }

    public record QuietHours(
            @Setting("When they begin, such as 22:00.") String from,

            @Setting("When they end, such as 07:00; before `from`: on the next day.")
            String to,

            @Setting("Days of the week on which they begin; none: every day.")
            List<Weekday> days,

            @Setting(value = "The time zone, an IANA name such as Europe/Berlin.", byDefault = "UTC")
            String zone) {

        public QuietHours {
            isTime(from, "from");
            isTime(to, "to");
            require(!LocalTime.parse(from).equals(LocalTime.parse(to)), "from and to must be different times");
            isZone(zone);
        }
    }

    public record Digest(
            @Setting("Names of receivers that get it.") List<String> receivers,

            @Setting(value = "Day of the week.", byDefault = "monday")
            Weekday day,

            @Setting(value = "Time of the day.", byDefault = "08:00")
            String at,

            @Setting(value = "The time zone, an IANA name such as Europe/Berlin.", byDefault = "UTC")
            String zone) {

        public Digest {
            isTime(at, "at");
            isZone(zone);
        }
    }

    public record Heartbeat(
            @Setting("Called by GET; a secret, never logged.")
            Secret url,

            @Setting(value = "How often, 10s to 1d.", byDefault = "5m")
            Duration every,

            @Setting(value = "Whether a private, loopback or link-local address may be called.", byDefault = "false")
            boolean allowPrivateAddresses) {

        public Heartbeat {
            require(isHttp(url.reveal()), "url must be an http:// or https:// address (not shown: it is a secret)");
            require(
                    every.compareTo(Duration.ofSeconds(10)) >= 0 && every.compareTo(Duration.ofDays(1)) <= 0,
                    "every must be 10s to 1d");
        }
    }

    public record Canary(
            @Setting("Called by GET when the report has come through each channel given here; a secret, never logged.")
            Secret url,

            @Setting(value = "How often a report is sent, 1m to 7d.", byDefault = "1h")
            Duration every,

            @Setting(
                    "Where it is posted: the intake's address as senders reach it, such as https://reports.example.com/v1/tlsrpt.")
            @Nullable
            String postTo,

            @Setting("Where it is mailed, through `mail-server`: an address of our `rua`.") @Nullable
            String mailTo,

            @Setting(value = "Whether private, loopback and link-local addresses may be called.", byDefault = "false")
            boolean allowPrivateAddresses) {

        public Canary {
            require(isHttp(url.reveal()), "url must be an http:// or https:// address (not shown: it is a secret)");
            require(postTo != null || mailTo != null, "canary needs post-to, mail-to or both");
            require(postTo == null || isHttp(postTo), "post-to must be an http:// or https:// address");
            require(mailTo == null || isAddress(mailTo), "mail-to must be a mail address");
            require(
                    every.compareTo(Duration.ofMinutes(1)) >= 0 && every.compareTo(Duration.ofDays(7)) <= 0,
                    "every must be 1m to 7d");
        }
    }

    public record MailServer(
            @Setting("Its name or address.") String host,

            @Setting(value = "Its port; 0: 465 with `tls`, else 587.", byDefault = "0")
            int port,

            @Setting(value = "`tls`, `starttls` or, on a trusted network only, `plain`.", byDefault = "starttls")
            Settings.Mail.Security security,

            @Setting("PEM file with the authorities to trust; absent: those of the Java installation.") @Nullable
            Path caFile,

            @Setting("The login; absent: none is made.") @Nullable
            String user,

            @Setting("Its password; `password-file` reads it from a file.") @Nullable
            Secret password,

            @Setting("The sender's address.") String from) {

        public MailServer {
            require(port >= 0 && port <= 65_535, "port must be 0 to 65535");
            require((user == null) == (password == null), "give both user and password, or none");
            require(isAddress(from), "from must be a mail address");
        }
    }

    /// How a receiver is spoken to.
    public enum Kind {
        WEBHOOK,
        SLACK,
        TEAMS,
        PAGERDUTY,
        ALERTMANAGER,
        EMAIL
    }

    public record Receiver(
            @Setting("Its name, in routes, logs, metrics and the notification log.")
            String name,

            @Setting(
                    value = "`webhook` (Standard Webhooks), `slack`, `teams`, `pagerduty`, `alertmanager` or `email`.",
                    byDefault = "webhook")
            Kind kind,

            @Setting(
                    "Where alerts are posted; a secret, never logged. `alertmanager`: its base address. `pagerduty`: absent unless another region's.")
            @Nullable
            Secret url,

            @Setting(
                    "`webhook`: key for the Standard Webhooks signature, `whsec_` and base64 of 24 to 64 bytes; absent: unsigned.")
            @Nullable
            Secret signingSecret,

            @Setting("`webhook`: the key before this one, while receivers change over; messages carry both signatures.")
            @Nullable
            Secret previousSigningSecret,

            @Setting("`pagerduty`: the integration's key, 32 characters.") @Nullable
            Secret routingKey,

            @Setting("`alertmanager`: user name for basic authentication.") @Nullable
            String user,

            @Setting("`alertmanager`: the password, or, without `user`, a bearer token.") @Nullable
            Secret password,

            @Setting("`email`: the addresses it goes to.") List<String> to,

            @Setting(value = "Lowest severity told: `info`, `warning` or `critical`.", byDefault = "warning")
            Severity minSeverity,

            @Setting(value = "Whether it is told when an alert is resolved.", byDefault = "true")
            boolean sendResolved,

            @Setting(value = "Messages a minute at most, 1 to 600.", byDefault = "30")
            int messagesPerMinute,

            @Setting(value = "Whether private, loopback and link-local addresses may be called.", byDefault = "false")
            boolean allowPrivateAddresses,

            @Setting(value = "How long one attempt may take, 100ms to 60s.", byDefault = "15s")
            Duration timeout) {

        private static final String KEY_PREFIX = "whsec_";

        public Receiver {
            require(
                    NAME.matcher(name).matches(),
                    "name must be 1 to 63 characters of a-z 0-9 - _, found \"" + name + "\"");
            require(
                    url == null || isHttp(url.reveal()),
                    "url must be an absolute http:// or https:// address (not shown: it is a secret)");
            switch (kind) {
                case WEBHOOK, SLACK, TEAMS, ALERTMANAGER -> require(url != null, "a receiver of this kind needs url");
                case PAGERDUTY ->
                    require(
                            routingKey != null && routingKey.reveal().matches("[A-Za-z0-9]{32}"),
                            "pagerduty needs routing-key, 32 letters and digits (not shown: it is a secret)");
                case EMAIL -> {
                    require(!to.isEmpty(), "email needs to");
                    to.forEach(address -> require(isAddress(address), "to must be mail addresses"));
                }
            }
            require(
                    (signingSecret == null || isKey(signingSecret.reveal()))
                            && (previousSigningSecret == null || isKey(previousSigningSecret.reveal())),
                    "signing-secret must be whsec_ and the base64 of 24 to 64 bytes (not shown: it is a secret)");
            require(
                    timeout.compareTo(Duration.ofMillis(100)) >= 0 && timeout.compareTo(Duration.ofMinutes(1)) <= 0,
                    "timeout must be 100ms to 60s");
            require(messagesPerMinute >= 1 && messagesPerMinute <= 600, "messages-per-minute must be 1 to 600");
        }

        /// A generic webhook about which nothing more is said.
        public static Receiver webhook(
                String name,
                Secret url,
                @Nullable Secret signingSecret,
                Severity minSeverity,
                boolean allowPrivateAddresses,
                Duration timeout) {
            return new Receiver(
                    name,
                    Kind.WEBHOOK,
                    url,
                    signingSecret,
                    null,
                    null,
                    null,
                    null,
                    List.of(),
                    minSeverity,
                    true,
                    30,
                    allowPrivateAddresses,
                    timeout);
        }

        private static boolean isKey(String text) {
            try {
                int bytes = Base64.getDecoder().decode(text.substring(KEY_PREFIX.length())).length;
                return text.startsWith(KEY_PREFIX) && bytes >= 24 && bytes <= 64;
            } catch (IllegalArgumentException | IndexOutOfBoundsException noKey) {
                return false;
            }
        }
    }

    /// A day of the week, in the order of ISO 8601.
    public enum Weekday {
        MONDAY,
        TUESDAY,
        WEDNESDAY,
        THURSDAY,
        FRIDAY,
        SATURDAY,
        SUNDAY
    }

    private static boolean isHttp(String url) {
        try {
            URI uri = new URI(url);
            return uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()));
        } catch (URISyntaxException malformed) {
            return false;
        }
    }

    private static boolean isAddress(String text) {
        return text.matches("[^@\\s<>\"]{1,64}@[^@\\s<>\"]{1,253}");
    }

    private static void isTime(String text, String key) {
        try {
            LocalTime.parse(text);
        } catch (DateTimeException noTime) {
            throw new IllegalArgumentException(key + " must be a time such as 08:00, found \"" + text + "\"", noTime);
        }
    }

    private static void isZone(String text) {
        try {
            ZoneId.of(text);
        } catch (DateTimeException noZone) {
            throw new IllegalArgumentException(
                    "zone must be an IANA time zone such as Europe/Berlin, found \"" + text + "\"", noZone);
        }
    }

    private static void positive(Duration duration, String key) {
        require(duration.compareTo(Duration.ofSeconds(1)) >= 0, key + " must be 1s at least");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
