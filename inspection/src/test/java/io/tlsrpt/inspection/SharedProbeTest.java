package io.tlsrpt.inspection;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SharedProbeTest {

    private static final InetAddress ADDRESS = InetAddress.getLoopbackAddress();
    private static final Presented REFUSED = new Presented("unknown", "refused", null, List.of());

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-22T00:00:00Z"));
    private final Clock clock = ((InstantSource) now::get).withZone(ZoneOffset.UTC);
    private final AtomicInteger connections = new AtomicInteger();

    private static long in(Duration time) {
        return System.nanoTime() + time.toNanos();
    }

    @Test
    void twoHundredDomainsBehindOneMxMakeOneConnection() throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        SharedProbe probe = new SharedProbe(
                (address, port, host) -> {
                    connections.incrementAndGet();
                    try {
                        answer.await();
                    } catch (InterruptedException stopped) {
                        throw new IllegalStateException(stopped);
                    }
                    return REFUSED;
                },
                new Semaphore(1),
                clock);
        List<Future<Presented>> looks = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int domain = 0; domain < 200; domain++) {
                looks.add(threads.submit(() -> probe.look(ADDRESS, 25, "mx.example.com", in(Duration.ofSeconds(20)))));
            }
            answer.countDown();
            for (Future<Presented> look : looks) {
                assertThat(look.get()).isEqualTo(REFUSED);
            }
        }
        assertThat(connections).hasValue(1);
    }

    @Test
    void anAnswerIsSharedForFiveMinutesAlsoWhenItIsTrouble() {
        SharedProbe probe = counting(new Semaphore(1));
        probe.look(ADDRESS, 25, "mx.example.com", in(Duration.ofSeconds(5)));
        now.updateAndGet(time -> time.plus(Duration.ofSeconds(299)));
        probe.look(ADDRESS, 25, "mx.example.com", in(Duration.ofSeconds(5)));
        assertThat(connections).hasValue(1);
        now.updateAndGet(time -> time.plus(Duration.ofSeconds(1)));
        probe.look(ADDRESS, 25, "mx.example.com", in(Duration.ofSeconds(5)));
        assertThat(connections).hasValue(2);
    }

    @Test
    void anotherNameAtTheSameAddressIsAnotherLook() {
        SharedProbe probe = counting(new Semaphore(1));
        probe.look(ADDRESS, 25, "mx1.example.com", in(Duration.ofSeconds(5)));
        probe.look(ADDRESS, 25, "mx2.example.com", in(Duration.ofSeconds(5)));
        assertThat(connections).hasValue(2);
    }

    @Test
    void whoGetsNoConnectionInTimeBlamesNobodyAndTheNextTriesAgain() {
        Semaphore taken = new Semaphore(0);
        SharedProbe probe = counting(taken);
        assertThat(probe.look(ADDRESS, 25, "mx.example.com", in(Duration.ofMillis(50))))
                .isEqualTo(new Presented("unknown", "no time was left to look", null, List.of()));
        assertThat(connections).hasValue(0);
        taken.release();
        assertThat(probe.look(ADDRESS, 25, "mx.example.com", in(Duration.ofSeconds(5))))
                .isEqualTo(REFUSED);
        assertThat(taken.availablePermits()).isEqualTo(1);
    }

    private SharedProbe counting(Semaphore permits) {
        return new SharedProbe(
                (address, port, host) -> {
                    connections.incrementAndGet();
                    return REFUSED;
                },
                permits,
                clock);
    }
}
