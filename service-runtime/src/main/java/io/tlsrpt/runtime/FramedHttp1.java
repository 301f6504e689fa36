package io.tlsrpt.runtime;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.common.task.InterruptableTask;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Helidon's HTTP/1.1 behind [RequestFraming].
///
/// A connection that is closed while its sender may still be sending is read, and thrown away, for 2 s or 8 MiB:
/// otherwise the sender would find a reset connection instead of its answer.
final class FramedHttp1 implements ServerConnectionSelector {

    private static final Logger LOG = LoggerFactory.getLogger(FramedHttp1.class);
    private static final Duration LINGER = Duration.ofSeconds(2);
    private static final int LINGER_BYTES = 8 * 1024 * 1024;

    private final Http1ConnectionSelector http1;

    FramedHttp1(Http1ConnectionSelector http1) {
        this.http1 = http1;
    }

    @Override
    public int bytesToIdentifyConnection() {
        return 0;
    }

    @Override
    public Support supports(BufferData data) {
        return Support.SUPPORTED;
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
        return http1.supportedApplicationProtocols();
    }

    @Override
    public ServerConnection connection(ConnectionContext context) {
        RequestFraming framing = new RequestFraming(() -> next(context.dataReader()), System::nanoTime);
        return new Connection(http1.connection(new Framed(context, DataReader.create(framing))), framing);
    }

    private static byte @Nullable [] next(DataReader socket) {
        try {
            socket.ensureAvailable();
        } catch (DataReader.InsufficientDataAvailableException end) {
            return null;
        }
        return socket.readBytes(socket.available());
    }

    private static final class Connection implements ServerConnection, InterruptableTask<Void> {

        private final ServerConnection http1;
        private final RequestFraming framing;

        Connection(ServerConnection http1, RequestFraming framing) {
            this.http1 = http1;
            this.framing = framing;
        }

        @Override
        public void handle(Limit limit) throws InterruptedException {
            try {
                http1.handle(limit);
            } finally {
                linger();
            }
        }

        private void linger() {
            if (!framing.unread()) {
                return;
            }
            Thread reader = Thread.currentThread();
            CompletableFuture<Void> alarm =
                    new CompletableFuture<Void>().completeOnTimeout(null, LINGER.toMillis(), TimeUnit.MILLISECONDS);
            var unused = alarm.thenRun(reader::interrupt); // closes the channel it reads from
            try {
                int bytes = 0;
                for (int read = framing.discard(); read > 0 && bytes < LINGER_BYTES; read = framing.discard()) {
                    bytes += read;
                }
            } catch (ServerConnectionException gone) {
                LOG.atTrace().setCause(gone).log("the sender took its answer, or did not want it");
            } finally {
                alarm.cancel(false);
            }
        }

        @Override
        public boolean canInterrupt() {
            return http1 instanceof InterruptableTask<?> task && task.canInterrupt();
        }

        @Override
        public Duration idleTime() {
            return http1.idleTime();
        }

        @Override
        public void close(boolean interrupt) {
            http1.close(interrupt);
        }
    }

    /// The connection as it is, but for what is read from it.
    private record Framed(ConnectionContext of, DataReader dataReader) implements ConnectionContext {

        @Override
        public ListenerContext listenerContext() {
            return of.listenerContext();
        }

        @Override
        public ExecutorService executor() {
            return of.executor();
        }

        @Override
        public DataWriter dataWriter() {
            return of.dataWriter();
        }

        @Override
        public Router router() {
            return of.router();
        }

        @Override
        public Optional<ProxyProtocolData> proxyProtocolData() {
            return of.proxyProtocolData();
        }

        @Override
        public HelidonSocket serverSocket() {
            return of.serverSocket();
        }

        @Override
        public PeerInfo remotePeer() {
            return of.remotePeer();
        }

        @Override
        public PeerInfo localPeer() {
            return of.localPeer();
        }

        @Override
        public boolean isSecure() {
            return of.isSecure();
        }

        @Override
        public String socketId() {
            return of.socketId();
        }

        @Override
        public String childSocketId() {
            return of.childSocketId();
        }
    }
}
