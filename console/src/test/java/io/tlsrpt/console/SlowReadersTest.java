package io.tlsrpt.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SlowReadersTest {

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    @Test
    void aClientThatDoesNotReadHoldsNobodyForEver() throws Exception {
        SlowReaders slow = new SlowReaders(Duration.ofMillis(200), meters);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
                Socket accepted = server.accept();
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            CompletableFuture<Void> writing = CompletableFuture.runAsync(
                    () -> {
                        try {
                            slow.watching(() -> accepted.getOutputStream().write(new byte[64 << 20]));
                        } catch (IOException dropped) {
                            throw new IllegalStateException(dropped);
                        }
                    },
                    threads);

            assertThatThrownBy(() -> writing.get(30, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasRootCauseInstanceOf(IOException.class);
            assertThat(accepted.isClosed()).isTrue();
            assertThat(client.isConnected()).isTrue();
            assertThat(meters.counter("tlsrpt.console.dropped.answers").count()).isEqualTo(1);
        }
    }

    @Test
    void whatWasTakenInTimeIsLeftAlone() throws Exception {
        SlowReaders slow = new SlowReaders(Duration.ofMinutes(1), meters);
        boolean[] written = new boolean[1];

        slow.watching(() -> written[0] = true);

        assertThat(written[0]).isTrue();
        assertThat(Thread.interrupted()).isFalse();
        assertThat(meters.counter("tlsrpt.console.dropped.answers").count()).isZero();
    }
}
