package io.tlsrpt.inspection;

import io.tlsrpt.dns.TlsRptRecord;
import io.tlsrpt.inspection.Facts.Policy;
import io.tlsrpt.report.DomainName;
import io.tlsrpt.topics.Inspection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Type;

/// Looks at what a domain shows now: its TLSRPT record, MTA-STS record and policy, MX records, and of each address of
/// each MX what STARTTLS presents, with TLSA records and the DNSSEC state of it all.
///
/// Connections go only to the MX hosts of the domain (port 25) and its policy host (port 443), to the very addresses
/// that DNS named and, unless allowed, to those of the public internet only. Everything has a limit: connections at a
/// time, time, bytes, hosts (20), addresses of a host (10). What one address presented is shared for five minutes.
///
/// Safe for many threads. An instance is meant to live long, for what it shares.
public final class DomainInspection {

    static final int MOST_HOSTS = 20;
    static final int MOST_ADDRESSES = 10;

    private static final int ADDRESSES_IN_TURN = 6;

    private final Options options;
    private final Clock clock;
    private final CertificateCheck certificates;
    private final SecureLookup dns;
    private final Semaphore connections;
    private final Port25 port25;
    private final SharedProbe probe;
    private final PolicyFetch policies;

    /// How to look.
    ///
    /// @param dnsServers recursive ones; empty means those of the operating system
    /// @param dnsTimeout of one lookup, its validation included
    /// @param heloName said in EHLO
    /// @param allowPrivateAddresses whether addresses outside of the public internet are connected to
    /// @param smtpPort of MX hosts: 25 everywhere but in tests
    /// @param httpsPort of policy hosts: 443 likewise
    /// @param timeout of looking at one address, and of fetching one policy; a whole inspection takes at most six times
    /// that
    /// @param connections open at a time, over all inspections
    /// @param caFile PEM file with the authorities to trust; null means those of the Java installation
    /// @param trustAnchors file of DS or DNSKEY lines; null means those of the DNS root
    public record Options(
            List<InetSocketAddress> dnsServers,
            Duration dnsTimeout,
            String heloName,
            boolean allowPrivateAddresses,
            int smtpPort,
            int httpsPort,
            Duration timeout,
            int connections,
            @Nullable Path caFile,
            @Nullable Path trustAnchors) {
        public Options {
            dnsServers = List.copyOf(dnsServers);
            if (connections < 1 || !timeout.isPositive() || !dnsTimeout.isPositive()) {
                throw new IllegalArgumentException(
                        "connections " + connections + ", timeout " + timeout + ", DNS timeout " + dnsTimeout);
            }
        }
    }

    /// Connects to nobody yet.
    ///
    /// @throws java.io.UncheckedIOException when a file cannot be read
    /// @throws IllegalArgumentException when a file holds something else
    public DomainInspection(Options options, Clock clock) {
        this.port25 = new Port25(clock);
        this.options = options;
        this.clock = clock;
        this.certificates = new CertificateCheck(options.caFile());
        this.dns = new SecureLookup(options.dnsServers(), options.dnsTimeout(), options.trustAnchors(), clock);
        this.connections = new Semaphore(options.connections(), true);
        this.probe =
                new SharedProbe(new StarttlsProbe(options.heloName(), options.timeout(), port25), connections, clock);
        this.policies = new PolicyFetch(options.timeout(), certificates, clock);
    }

    /// Looks at a domain; takes seconds, at most six times [Options#timeout] and what the last connection needs.
    ///
    /// @param domain in any spelling
    /// @param trigger `watch`, `alert` or `request`
    /// @throws IllegalArgumentException when it is no domain name
    public Inspection inspect(String domain, String trigger) {
        String canonical = DomainName.canonical(domain);
        if (!DomainName.isName(canonical)) {
            throw new IllegalArgumentException("\"" + Untrusted.shown(domain) + "\" is no domain name");
        }
        Facts facts = facts(canonical);
        return Verdicts.of(facts, port25.verdict(), trigger, certificates);
    }

    private Facts facts(String domain) {
        long deadline = System.nanoTime()
                + options.timeout().multipliedBy(ADDRESSES_IN_TURN).toNanos();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Answer> tlsRpt = threads.submit(() -> dns.lookup(TlsRptRecord.name(domain), Type.TXT));
            Future<Answer> mtaSts = threads.submit(() -> dns.lookup(MtaStsRecord.name(domain), Type.TXT));
            Answer mx = dns.lookup(domain, Type.MX);
            Map<String, Integer> named = named(domain, mx);
            List<Future<Facts.Host>> hosts = new ArrayList<>();
            named.entrySet().stream()
                    .limit(MOST_HOSTS)
                    .forEach(host ->
                            hosts.add(threads.submit(() -> host(host.getKey(), host.getValue(), threads, deadline))));
            Policy policy = policy(domain, got(mtaSts), deadline);
            List<Facts.Host> looked = new ArrayList<>();
            for (Future<Facts.Host> host : hosts) {
                looked.add(got(host));
            }
            return new Facts(
                    domain,
                    clock.instant(),
                    got(tlsRpt),
                    got(mtaSts),
                    policy,
                    mx,
                    looked,
                    Math.max(0, named.size() - MOST_HOSTS));
        }
    }

    /// Host names with their preference, best first; the domain itself where it has no MX records (RFC 5321 §5.1). A
    /// null MX names no host (RFC 7505).
    private static Map<String, Integer> named(String domain, Answer mx) {
        Map<String, Integer> named = new LinkedHashMap<>();
        switch (mx) {
            case Answer.Found found ->
                found.records(MXRecord.class, Integer.MAX_VALUE).stream()
                        .sorted(Comparator.comparingInt(MXRecord::getPriority)
                                .thenComparing(record -> SecureLookup.text(record.getTarget())))
                        .filter(record -> record.getTarget().labels() > 1)
                        .forEach(record ->
                                named.putIfAbsent(SecureLookup.text(record.getTarget()), record.getPriority()));
            case Answer.None none -> {
                if (none.nameExists()) {
                    named.put(domain, 0);
                }
            }
            case Answer.Broken broken -> {}
        }
        return named;
    }

    private Facts.Host host(String name, int preference, ExecutorService threads, long deadline) {
        Future<Answer> six = threads.submit(() -> dns.lookup(name, Type.AAAA));
        Answer ipv4 = dns.lookup(name, Type.A);
        Answer ipv6 = got(six);
        String alias = alias(name, ipv4) == null ? alias(name, ipv6) : alias(name, ipv4);
        String base = name;
        Answer tlsa = null;
        if (alias != null && ipv4.security().and(ipv6.security()) == Security.SECURE) {
            // RFC 7671 §7: where every step is signed, the end of the aliases comes first
            tlsa = dns.lookup(TlsaRecords.name(alias), Type.TLSA);
            if (tlsa instanceof Answer.Found found && found.security() == Security.SECURE) {
                base = alias;
            } else {
                tlsa = null;
            }
        }
        if (tlsa == null) {
            tlsa = dns.lookup(TlsaRecords.name(name), Type.TLSA);
        }
        List<InetAddress> ips = addresses(ipv4, ipv6);
        String serverName = base;
        List<Future<Facts.Address>> looks = ips.stream()
                .limit(MOST_ADDRESSES)
                .map(ip -> threads.submit(() -> address(ip, serverName, deadline)))
                .toList();
        return new Facts.Host(
                name,
                preference,
                alias,
                ipv4,
                ipv6,
                base,
                tlsa,
                looks.stream().map(DomainInspection::got).toList(),
                Math.max(0, ips.size() - MOST_ADDRESSES));
    }

    private Facts.Address address(InetAddress ip, String host, long deadline) {
        return new Facts.Address(ip, mayConnect(ip) ? probe.look(ip, options.smtpPort(), host, deadline) : null);
    }

    private boolean mayConnect(InetAddress ip) {
        return options.allowPrivateAddresses() || AddressGuard.isPublic(ip);
    }

    private static @Nullable String alias(String name, Answer answer) {
        String owner = switch (answer) {
            case Answer.Found found -> found.owner();
            case Answer.None none -> none.owner();
            case Answer.Broken broken -> name;
        };
        return owner.equals(name) ? null : owner;
    }

    private static List<InetAddress> addresses(Answer ipv4, Answer ipv6) {
        List<InetAddress> addresses = new ArrayList<>();
        if (ipv4 instanceof Answer.Found found) {
            found.records(ARecord.class, Integer.MAX_VALUE).forEach(record -> addresses.add(record.getAddress()));
        }
        if (ipv6 instanceof Answer.Found found) {
            found.records(AAAARecord.class, Integer.MAX_VALUE).forEach(record -> addresses.add(record.getAddress()));
        }
        return addresses;
    }

    private @Nullable Policy policy(String domain, Answer record, long deadline) {
        if (!(record instanceof Answer.Found found)
                || !(MtaStsRecord.of(SecureLookup.texts(found)) instanceof MtaStsRecord.Published.Valid)) {
            return null;
        }
        String host = PolicyFetch.host(domain);
        Answer ipv4 = dns.lookup(host, Type.A);
        Answer ipv6 = dns.lookup(host, Type.AAAA);
        List<InetAddress> all = addresses(ipv4, ipv6);
        List<InetAddress> allowed =
                all.stream().filter(this::mayConnect).limit(MOST_ADDRESSES).toList();
        if (!allowed.isEmpty()) {
            return fetched(host, allowed, deadline);
        }
        if (!all.isEmpty()) {
            return new Policy.NoAddress(host + " has addresses only that the internet cannot reach");
        }
        if (ipv4 instanceof Answer.Broken broken) {
            return unanswered(host, broken);
        }
        if (ipv6 instanceof Answer.Broken broken) {
            return unanswered(host, broken);
        }
        return new Policy.NoAddress(host + " has no address");
    }

    private static Policy unanswered(String host, Answer.Broken broken) {
        String why = "the address of " + host + ": " + broken.why();
        return broken.security() == Security.BOGUS ? new Policy.NoAddress(why) : new Policy.Unknown(why);
    }

    private Policy fetched(String host, List<InetAddress> addresses, long deadline) {
        try {
            if (!connections.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return new Policy.Unknown("no time was left to look");
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return new Policy.Unknown("interrupted");
        }
        try {
            return new Policy.Asked(policies.get(host, addresses, options.httpsPort()));
        } finally {
            connections.release();
        }
    }

    private static <T> T got(Future<T> future) {
        try {
            return future.get();
        } catch (ExecutionException bug) {
            throw new IllegalStateException(bug.getCause());
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while looking", stopped);
        }
    }
}
