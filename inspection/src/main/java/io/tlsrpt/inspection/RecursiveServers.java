package io.tlsrpt.inspection;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Resolver;
import org.xbill.DNS.ResolverConfig;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TSIG;

/// The DNS servers that are asked, one after the other. An answer other than NOERROR and NXDOMAIN, or from a server
/// that
/// neither recurses nor owns the name, is a failure here, so that the validation above sees only what somebody really
/// says.
final class RecursiveServers implements Resolver {

    private static final int UDP_PAYLOAD = 1232;

    private final List<SimpleResolver> servers = new ArrayList<>();
    private final Duration timeout;
    private volatile int preferred;

    /// @param addresses in order of preference; empty means those of the operating system
    /// @param timeout of one question, all servers together
    RecursiveServers(List<InetSocketAddress> addresses, Duration timeout) {
        this.timeout = timeout;
        for (InetSocketAddress address :
                addresses.isEmpty() ? ResolverConfig.getCurrentConfig().servers() : addresses) {
            SimpleResolver server = new SimpleResolver(address);
            server.setTimeout(timeout);
            servers.add(server);
        }
    }

    @Override
    public CompletionStage<Message> sendAsync(Message query, Executor executor) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return reply(query, executor);
                    } catch (IOException failed) {
                        throw new CompletionException(failed);
                    }
                },
                executor);
    }

    /// A server that is silent has half of the time left for each further one.
    private Message reply(Message query, Executor executor) throws IOException {
        if (servers.isEmpty()) {
            throw new IOException("no DNS server is known");
        }
        long deadline = System.nanoTime() + timeout.toNanos();
        Set<String> failures = new LinkedHashSet<>();
        int first = preferred;
        // twice around: a datagram may be lost
        for (int attempt = 0; attempt < 2 * servers.size(); attempt++) {
            int index = (first + attempt) % servers.size();
            SimpleResolver server = servers.get(index);
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                break;
            }
            boolean last = attempt == 2 * servers.size() - 1;
            try {
                Message reply = server.sendAsync(query, executor)
                        .toCompletableFuture()
                        .get(last ? left : left / 2, TimeUnit.NANOSECONDS);
                String fault = fault(reply);
                if (fault == null) {
                    preferred = index;
                    return reply;
                }
                failures.add(shown(server) + " " + fault);
                if (attempt + 1 >= servers.size()) {
                    break;
                }
            } catch (TimeoutException silent) {
                failures.add("no answer from " + shown(server));
            } catch (ExecutionException failed) {
                failures.add(
                        failed.getCause() instanceof SocketTimeoutException
                                ? "no answer from " + shown(server)
                                : shown(server) + " cannot be asked");
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", stopped);
            }
        }
        throw new IOException(failures.isEmpty() ? "no DNS server answered" : String.join("; ", failures));
    }

    private static @Nullable String fault(Message reply) {
        int code = reply.getRcode();
        if (code != Rcode.NOERROR && code != Rcode.NXDOMAIN) {
            return "answered " + Rcode.string(code);
        }
        boolean entitled =
                reply.getHeader().getFlag(Flags.RA) || reply.getHeader().getFlag(Flags.AA);
        return entitled ? null : "does not look names up for us (no recursion)";
    }

    private static String shown(SimpleResolver server) {
        InetAddress address = server.getAddress().getAddress();
        return (address == null ? server.getAddress().getHostString() : address.getHostAddress()) + " port "
                + server.getAddress().getPort();
    }

    @Override
    public void setEDNS(int version, int payloadSize, int flags, List<EDNSOption> options) {
        servers.forEach(server -> server.setEDNS(version, UDP_PAYLOAD, flags, options));
    }

    @Override
    public void setPort(int port) {
        servers.forEach(server -> server.setPort(port));
    }

    @Override
    public void setTCP(boolean always) {
        servers.forEach(server -> server.setTCP(always));
    }

    @Override
    public void setIgnoreTruncation(boolean ignored) {
        servers.forEach(server -> server.setIgnoreTruncation(ignored));
    }

    @Override
    public void setTSIGKey(TSIG key) {
        servers.forEach(server -> server.setTSIGKey(key));
    }

    @Override
    public Duration getTimeout() {
        return timeout;
    }

    @Override
    public void setTimeout(Duration another) {
        throw new UnsupportedOperationException("the time is given at the start");
    }
}
