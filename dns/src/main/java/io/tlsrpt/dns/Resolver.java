package io.tlsrpt.dns;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.ResolverConfig;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.WireParseException;

/// Asks recursive DNS servers for TXT records, over UDP with EDNS, over TCP when an answer is truncated. A server that
/// stays silent or fails is followed by the next one; the one that answered last is asked first. CNAMEs are followed,
/// at
/// most eight.
///
/// Answers are kept for their TTL, but at least ten seconds and at most a day; that there is nothing for at most an
/// hour
/// (RFC 2308); trouble for three seconds. Whether DNSSEC holds is the servers' business: a validating one answers
/// SERVFAIL when it does not.
///
/// Safe for many threads; made to block virtual ones.
public final class Resolver implements TxtLookup {

    private static final int MOST_ALIASES = 8;
    private static final int LEAST_ATTEMPTS = 3;
    private static final int UDP_PAYLOAD = 1232;
    private static final Duration SHORTEST = Duration.ofSeconds(10);
    private static final Duration LONGEST = Duration.ofDays(1);
    private static final Duration LONGEST_ABSENCE = Duration.ofHours(1);
    private static final Duration ABSENCE_WITHOUT_SOA = Duration.ofMinutes(1);
    private static final Duration TROUBLE = Duration.ofSeconds(3);

    /// Whom to ask and how long to wait.
    ///
    /// @param servers in order of preference; empty means those of the operating system, read once when the resolver is
    ///     made
    /// @param timeout of a whole lookup, all servers and CNAMEs together
    /// @param cacheEntries most names whose answers are remembered; 0 remembers nothing
    public record Options(List<InetSocketAddress> servers, Duration timeout, int cacheEntries) {
        public Options {
            servers = List.copyOf(servers);
            if (timeout.isNegative() || timeout.isZero() || cacheEntries < 0) {
                throw new IllegalArgumentException("timeout " + timeout + ", cache entries " + cacheEntries);
            }
        }
    }

    /// An answer and how long it may be repeated.
    private record Dated(TxtAnswer answer, Duration holds) {
        static Dated failed(String why) {
            return new Dated(new TxtAnswer.Failed(why), TROUBLE);
        }
    }

    /// What asking the servers about one name came to.
    private sealed interface Reply {

        /// From a server that may say so: one that recurses, or the name's own.
        record Said(Message message) implements Reply {}

        record Nothing(String why) implements Reply {}
    }

    private final List<SimpleResolver> servers = new ArrayList<>();
    private final Duration timeout;
    private final AnswerCache cache;
    private final LongSupplier nanoTime;
    private volatile int preferred;

    /// Asks nobody yet.
    public Resolver(Options options) {
        this(options, System::nanoTime);
    }

    Resolver(Options options, LongSupplier nanoTime) {
        this.timeout = options.timeout();
        this.nanoTime = nanoTime;
        this.cache = new AnswerCache(options.cacheEntries(), nanoTime);
        List<InetSocketAddress> addresses =
                options.servers().isEmpty() ? ResolverConfig.getCurrentConfig().servers() : options.servers();
        for (InetSocketAddress address : addresses) {
            SimpleResolver server = new SimpleResolver(address);
            server.setTimeout(timeout);
            server.setEDNS(0, UDP_PAYLOAD, 0, List.of());
            servers.add(server);
        }
    }

    @Override
    public TxtAnswer txt(String name) {
        Name asked = absolute(name);
        if (asked == null) {
            return new TxtAnswer.None();
        }
        TxtAnswer known = cache.get(asked);
        return known != null ? known : asked(asked);
    }

    /// The same servers, asked anew whatever is remembered; for somebody who has just changed a record. What they say
    /// is
    /// remembered.
    public TxtLookup fresh() {
        return name -> {
            Name asked = absolute(name);
            return asked == null ? new TxtAnswer.None() : asked(asked);
        };
    }

    /// Text that cannot be a name has no records, and asking again changes nothing.
    private static @Nullable Name absolute(String text) {
        boolean plain = text.chars().allMatch(character -> character > ' ' && character < 0x7f && character != '\\');
        try {
            return plain && !text.isEmpty() ? Name.fromString(text, Name.root) : null;
        } catch (TextParseException impossible) {
            return null;
        }
    }

    private TxtAnswer asked(Name name) {
        Dated dated = followed(name, nanoTime.getAsLong() + timeout.toNanos());
        cache.put(name, dated.answer(), dated.holds());
        return dated.answer();
    }

    private Dated followed(Name name, long deadline) {
        Set<Name> path = new LinkedHashSet<>();
        Duration holds = LONGEST;
        Name owner = name;
        while (true) {
            Reply reply = reply(owner, deadline);
            if (reply instanceof Reply.Nothing nothing) {
                return Dated.failed(nothing.why());
            }
            Message message = ((Reply.Said) reply).message();
            Map<Name, CNAMERecord> aliases = new HashMap<>();
            Map<Name, List<TXTRecord>> texts = new HashMap<>();
            for (Record record : message.getSection(Section.ANSWER)) {
                switch (record) {
                    case CNAMERecord alias -> aliases.putIfAbsent(alias.getName(), alias);
                    case TXTRecord text ->
                        texts.computeIfAbsent(text.getName(), none -> new ArrayList<>())
                                .add(text);
                    default -> {} // signatures and what nobody asked for
                }
            }
            Name start = owner;
            for (CNAMERecord alias = aliases.get(owner); alias != null; alias = aliases.get(owner)) {
                if (!path.add(owner)) {
                    return Dated.failed("the CNAME records at " + name + " lead in a circle");
                }
                if (path.size() > MOST_ALIASES) {
                    return Dated.failed("more than " + MOST_ALIASES + " CNAME records follow one another at " + name);
                }
                holds = shorter(holds, Duration.ofSeconds(alias.getTTL()));
                owner = alias.getTarget();
            }
            List<TXTRecord> found = texts.get(owner);
            if (found != null && message.getRcode() == Rcode.NOERROR) {
                for (TXTRecord text : found) {
                    holds = shorter(holds, Duration.ofSeconds(text.getTTL()));
                }
                List<byte[]> records = found.stream().map(Resolver::joined).toList();
                return new Dated(new TxtAnswer.Found(records), longer(holds, SHORTEST));
            }
            if (message.getRcode() == Rcode.NXDOMAIN || owner.equals(start)) {
                return new Dated(new TxtAnswer.None(), longer(shorter(holds, absence(message)), SHORTEST));
            }
            // The server leaves the end of the chain to us.
        }
    }

    /// The bytes as they are: the text form of dnsjava is escaped for zone files.
    private static byte[] joined(TXTRecord text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (Object string : text.getStringsAsByteArrays()) {
            bytes.writeBytes((byte[]) string);
        }
        return bytes.toByteArray();
    }

    /// RFC 2308 §5: the smaller of the SOA's TTL and its minimum.
    private static Duration absence(Message message) {
        for (Record record : message.getSection(Section.AUTHORITY)) {
            if (record instanceof SOARecord soa) {
                return shorter(Duration.ofSeconds(Math.min(soa.getTTL(), soa.getMinimum())), LONGEST_ABSENCE);
            }
        }
        return ABSENCE_WITHOUT_SOA;
    }

    /// The first server to say whether there is something, each given its share of the time left. One that has answered
    /// with a failure is not asked again, one that was silent or cut the connection is.
    private Reply reply(Name name, long deadline) {
        Message query = Message.newQuery(Record.newRecord(name, Type.TXT, DClass.IN));
        Map<Integer, String> failures = new LinkedHashMap<>();
        Set<Integer> givenUp = new LinkedHashSet<>();
        int attempts = Math.max(LEAST_ATTEMPTS, servers.size());
        int first = preferred;
        for (int attempt = 0; attempt < attempts && !servers.isEmpty(); attempt++) {
            int index = (first + attempt) % servers.size();
            if (givenUp.contains(index)) {
                continue;
            }
            SimpleResolver server = servers.get(index);
            if (server.getAddress().isUnresolved()) {
                failures.put(index, "the DNS server " + shown(server) + " has no known address");
                givenUp.add(index);
                continue;
            }
            long left = deadline - nanoTime.getAsLong();
            if (left <= 0) {
                failures.putIfAbsent(index, silence(server));
                break;
            }
            try {
                Message reply = server.sendAsync(query, Thread::startVirtualThread)
                        .toCompletableFuture()
                        .get(left / (attempts - attempt), TimeUnit.NANOSECONDS);
                String fault = fault(reply);
                if (fault == null) {
                    preferred = index;
                    return new Reply.Said(reply);
                }
                failures.put(index, shown(server) + " " + fault);
                givenUp.add(index);
            } catch (TimeoutException silent) {
                failures.put(index, silence(server));
            } catch (ExecutionException failed) {
                failures.put(index, trouble(server, failed.getCause()));
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
                return new Reply.Nothing("interrupted");
            }
        }
        return new Reply.Nothing(failures.isEmpty() ? "no DNS server is known" : String.join("; ", failures.values()));
    }

    private String silence(SimpleResolver server) {
        return "no answer from " + shown(server) + " within "
                + String.format(Locale.ROOT, "%.1f s", timeout.toMillis() / 1000.0);
    }

    private String trouble(SimpleResolver server, @Nullable Throwable cause) {
        if (cause instanceof SocketTimeoutException) {
            return silence(server);
        }
        if (cause instanceof IOException && !(cause instanceof WireParseException)) {
            return shown(server) + " cannot be reached";
        }
        return shown(server) + " answered with what is no answer to the question";
    }

    /// Why an answer says nothing about the name, or null. A server that neither recurses nor owns the name answers
    /// with
    /// a referral that looks like absence.
    private static @Nullable String fault(Message reply) {
        int code = reply.getRcode();
        if (code != Rcode.NOERROR && code != Rcode.NXDOMAIN) {
            String more = extendedError(reply);
            return "answered " + Rcode.string(code) + (more.isEmpty() ? "" : " (" + more + ")");
        }
        boolean entitled =
                reply.getHeader().getFlag(Flags.RA) || reply.getHeader().getFlag(Flags.AA);
        return entitled ? null : "does not look names up for us (no recursion)";
    }

    /// The meaning of the codes only (RFC 8914), and not that of 0, "other": the words that come with them are
    /// anybody's.
    private static String extendedError(Message reply) {
        OPTRecord opt = reply.getOPT();
        return opt == null
                ? ""
                : opt.getOptions(EDNSOption.Code.EDNS_EXTENDED_ERROR).stream()
                        .filter(ExtendedErrorCodeOption.class::isInstance)
                        .mapToInt(option -> ((ExtendedErrorCodeOption) option).getErrorCode())
                        .filter(code -> code != 0)
                        .distinct()
                        .limit(3)
                        .mapToObj(code -> ExtendedErrorCodeOption.text(code).replace('_', ' '))
                        .collect(Collectors.joining(", "));
    }

    private static String shown(SimpleResolver server) {
        InetSocketAddress address = server.getAddress();
        if (address.isUnresolved()) {
            return address.getHostString() + ":" + address.getPort();
        }
        String host = address.getAddress().getHostAddress();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }
}
