package io.tlsrpt.inspection;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.dnssec.ValidatingResolver;

/// DNS lookups that know whether DNSSEC proves the answer. Validation happens here, from the trust anchors down; no
/// server's word (the AD bit) is taken for it. Servers are asked with CD, so that one that validates gives out what it
/// holds for false and we can tell false from broken.
///
/// A server that strips signatures, or a network without a way to the root, makes everything look false. Before an
/// answer is called bogus, the keys of the trust anchors are therefore looked at: where even these do not validate,
/// nothing is known ([Security#UNKNOWN]) and the answer is used without.
///
/// Nothing is remembered but keys. Safe for many threads; made to block virtual ones.
final class SecureLookup {

    /// RFC 1034 names no limit; resolvers stop at eight to sixteen.
    private static final int MOST_ALIASES = 8;

    private static final Duration ANCHORS_HOLD = Duration.ofMinutes(5);

    private final ValidatingResolver resolver;
    private final Duration timeout;
    private final Clock clock;
    private volatile @Nullable AnchorCheck anchorCheck;

    private record AnchorCheck(Instant at, boolean valid) {}

    /// What one question came to, before aliases are followed.
    private sealed interface Reply {
        record Said(Message message, Security security) implements Reply {}

        record Nothing(Security security, String why) implements Reply {}
    }

    /// @param servers recursive ones; empty means those of the operating system
    /// @param timeout of a whole lookup, validation and aliases included
    /// @param trustAnchors file of DS or DNSKEY lines as in a zone file; null means those of the root
    SecureLookup(List<InetSocketAddress> servers, Duration timeout, @Nullable Path trustAnchors, Clock clock) {
        this.timeout = timeout;
        this.clock = clock;
        this.resolver = new ValidatingResolver(new RecursiveServers(servers, timeout), clock);
        // also makes every question carry DO
        resolver.setEDNS(0, 0, 0, List.of());
        try (InputStream anchors = trustAnchors == null
                ? Objects.requireNonNull(SecureLookup.class.getResourceAsStream("root-anchors.zone"))
                : new ByteArrayInputStream(Files.readAllBytes(trustAnchors))) {
            resolver.loadTrustAnchors(anchors);
        } catch (IOException unreadable) {
            throw new UncheckedIOException("trust anchors " + trustAnchors, unreadable);
        }
        if (resolver.getTrustAnchors().items().isEmpty()) {
            throw new IllegalArgumentException("no DS or DNSKEY record in " + trustAnchors);
        }
    }

    /// The records of a type (constants of [Type]) under a name.
    Answer lookup(String name, int type) {
        Name start;
        try {
            start = Name.fromString(name, Name.root);
        } catch (TextParseException noName) {
            return new Answer.Broken(Security.UNKNOWN, "not a name that DNS can hold");
        }
        long deadline = System.nanoTime() + timeout.toNanos();
        Name owner = start;
        Security security = Security.SECURE;
        int aliases = 0;
        while (true) {
            Reply reply = reply(owner, type, deadline);
            if (reply instanceof Reply.Nothing nothing) {
                // aliases from a signed zone into an unsigned one and back: the validator judges them one by one only
                Reply step = nothing.security() == Security.BOGUS && type != Type.CNAME
                        ? ask(owner, Type.CNAME, deadline, false)
                        : reply;
                Name target = step instanceof Reply.Said said ? alias(said.message(), owner) : null;
                if (target == null || ++aliases > MOST_ALIASES) {
                    return new Answer.Broken(nothing.security(), nothing.why());
                }
                security = security.and(((Reply.Said) step).security());
                owner = target;
                continue;
            }
            Reply.Said said = (Reply.Said) reply;
            security = security.and(said.security());
            Name asked = owner;
            for (Name target = alias(said.message(), owner); target != null; target = alias(said.message(), owner)) {
                if (type == Type.CNAME || ++aliases > MOST_ALIASES) {
                    break;
                }
                owner = target;
            }
            if (aliases > MOST_ALIASES) {
                return new Answer.Broken(Security.UNKNOWN, "more than " + MOST_ALIASES + " aliases in a row");
            }
            List<Record> found = records(said.message(), owner, type);
            String shown = text(owner);
            if (!found.isEmpty()) {
                return new Answer.Found(shown, found, security);
            }
            if (said.message().getRcode() == Rcode.NXDOMAIN || owner.equals(asked)) {
                return new Answer.None(shown, said.message().getRcode() != Rcode.NXDOMAIN, security);
            }
            // the server leaves the end of the chain to us
        }
    }

    /// The bytes of each TXT record; an empty list when there is none.
    static List<byte[]> texts(Answer.Found found) {
        List<byte[]> texts = new ArrayList<>();
        for (TXTRecord text : found.records(TXTRecord.class, Integer.MAX_VALUE)) {
            texts.add(joined(text));
        }
        return texts;
    }

    private static byte[] joined(TXTRecord text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (Object string : text.getStringsAsByteArrays()) {
            bytes.writeBytes((byte[]) string);
        }
        return bytes.toByteArray();
    }

    private Reply reply(Name name, int type, long deadline) {
        Reply validated = ask(name, type, deadline, false);
        if (validated instanceof Reply.Nothing nothing
                && nothing.security() == Security.BOGUS
                && !anchorsValid(deadline)) {
            return ask(name, type, deadline, true);
        }
        return validated;
    }

    /// @param unchecked whether to take the answer as it comes
    private Reply ask(Name name, int type, long deadline, boolean unchecked) {
        Message query = Message.newQuery(Record.newRecord(name, type, DClass.IN));
        if (unchecked) {
            query.getHeader().setFlag(Flags.CD);
        }
        try {
            Message reply = resolver.sendAsync(query, Thread::startVirtualThread)
                    .toCompletableFuture()
                    .get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            if (unchecked) {
                return new Reply.Said(reply, Security.UNKNOWN);
            }
            if (reply.getRcode() == Rcode.SERVFAIL) {
                // servers' own failures come as exceptions: this one is the validation's
                return new Reply.Nothing(Security.BOGUS, "DNSSEC validation fails: " + reason(reply));
            }
            return new Reply.Said(reply, reply.getHeader().getFlag(Flags.AD) ? Security.SECURE : Security.INSECURE);
        } catch (TimeoutException late) {
            return new Reply.Nothing(
                    Security.UNKNOWN, "no answer within %.1f s".formatted(timeout.toMillis() / 1000.0));
        } catch (ExecutionException failed) {
            Throwable cause = failed.getCause();
            return new Reply.Nothing(
                    Security.UNKNOWN,
                    cause instanceof IOException && cause.getMessage() != null
                            ? cause.getMessage()
                            : "what came back is no answer to the question");
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return new Reply.Nothing(Security.UNKNOWN, "interrupted");
        }
    }

    /// Whether the keys of at least one trust anchor can be validated from here.
    private boolean anchorsValid(long deadline) {
        Instant now = clock.instant();
        AnchorCheck last = anchorCheck;
        if (last == null || Duration.between(last.at(), now).abs().compareTo(ANCHORS_HOLD) > 0) {
            boolean valid = false;
            for (RRset anchor : resolver.getTrustAnchors().items()) {
                valid = valid
                        || (ask(anchor.getName(), Type.DNSKEY, deadline, false) instanceof Reply.Said said
                                && said.security() == Security.SECURE);
            }
            last = new AnchorCheck(now, valid);
            anchorCheck = last;
        }
        return last.valid();
    }

    /// The validator's words name only records and algorithms.
    private static String reason(Message reply) {
        for (Record record : reply.getSection(Section.ADDITIONAL)) {
            if (record instanceof TXTRecord text && text.getDClass() == ValidatingResolver.VALIDATION_REASON_QCLASS) {
                return Untrusted.shown(String.join("", text.getStrings()));
            }
        }
        return "no reason given";
    }

    private static @Nullable Name alias(Message message, Name owner) {
        for (Record record : message.getSection(Section.ANSWER)) {
            if (record instanceof CNAMERecord alias && alias.getName().equals(owner)) {
                return alias.getTarget();
            }
        }
        return null;
    }

    private static List<Record> records(Message message, Name owner, int type) {
        return message.getSection(Section.ANSWER).stream()
                .filter(record -> record.getType() == type && record.getName().equals(owner))
                .toList();
    }

    /// A name as it is compared: lower case, no final dot.
    static String text(Name name) {
        return name.toString(true).toLowerCase(Locale.ROOT);
    }
}
