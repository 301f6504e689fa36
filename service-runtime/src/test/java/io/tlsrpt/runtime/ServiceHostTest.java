package io.tlsrpt.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServiceHostTest {

    private static final Settings SETTINGS = SettingsFile.parse(
            "test", "admin: {listen: '127.0.0.1:0'}\nintake: {listen: '127.0.0.1:0'}\n", name -> null);

    private final List<String> steps = new ArrayList<>();

    @Test
    void servicesStartInOrderAndCloseInReverse() throws Exception {
        try (ServiceHost host = new ServiceHost(LiveSettings.fixed(SETTINGS))) {
            host.start(List.of(new Named("first", false), new Named("second", false)));
            assertThat(get(host, "/live").body()).isEqualTo("alive\n");
            assertThat(get(host, "/ready").statusCode()).isEqualTo(200);
            assertThat(get(host, "/metrics").body()).contains("jvm_memory_used_bytes");

            host.health().notReady("broker", "away");
            assertThat(get(host, "/ready").statusCode()).isEqualTo(503);
            assertThat(get(host, "/ready").body()).isEqualTo("broker: away\n");
            assertThat(get(host, "/live").statusCode()).isEqualTo(200);
            assertThat(get(host, "/metrics").body())
                    .contains(
                            "tlsrpt_health_ready{part=\"broker\"} 0.0",
                            "tlsrpt_health_live{part=\"broker\"} 1.0",
                            "tlsrpt_health_ready{part=\"start\"} 1.0",
                            "disk_free_bytes{");
        }
        assertThat(steps).containsExactly("start first", "start second", "close second", "close first");
    }

    @Test
    void whatHadStartedIsClosedWhenTheNextCannotStart() {
        try (ServiceHost host = new ServiceHost(LiveSettings.fixed(SETTINGS))) {
            assertThatThrownBy(() -> host.start(List.of(new Named("first", false), new Named("second", true))))
                    .hasMessage("no start for second");
        }
        assertThat(steps).containsExactly("start first", "start second", "close second", "close first");
    }

    @Test
    void whyItCannotStartNamesTheCauseOnce() {
        IllegalArgumentException cause = new IllegalArgumentException("no name can be resolved");
        assertThat(ServiceHost.why(new IllegalStateException("no client", cause)))
                .isEqualTo("no client: no name can be resolved");
        assertThat(ServiceHost.why(new IllegalStateException(cause))).endsWith("Exception: no name can be resolved");
        assertThat(ServiceHost.why(new IllegalStateException())).isEqualTo("IllegalStateException");
    }

    private HttpResponse<String> get(ServiceHost host, String path) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://" + host.address("admin") + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    private final class Named implements Service {
        private final String name;
        private final boolean fails;

        Named(String name, boolean fails) {
            this.name = name;
            this.fails = fails;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void start() {
            steps.add("start " + name);
            if (fails) {
                throw new IllegalStateException("no start for " + name);
            }
        }

        @Override
        public void close() {
            steps.add("close " + name);
        }
    }
}
