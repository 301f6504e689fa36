package io.tlsrpt.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// Clients on connections that stay open, each waiting for an answer before it asks again. The clients should be bare
/// sockets: they share the cores with what they measure.
final class Load {

    private final Connecting connecting;
    private final AtomicInteger next = new AtomicInteger();
    private final long[] nanos;

    private Load(int requests, Connecting connecting) {
        this.connecting = connecting;
        this.nanos = new long[requests];
    }

    interface Connecting {

        Client connect() throws IOException;
    }

    /// One connection.
    interface Client extends AutoCloseable {

        /// Sends one request and reads its answer.
        ///
        /// @param number of the request, from 0
        /// @return nanoseconds that the answer took
        /// @throws IOException on any answer but the expected
        long ask(int number) throws IOException;

        @Override
        void close() throws IOException;
    }

    /// @param perSecond from the first request to the last answer
    record Result(double perSecond, double p50Millis, double p99Millis) {

        String latency() {
            return Figures.text("p50 %.1f ms, p99 %.1f ms", p50Millis, p99Millis);
        }
    }

    /// Returns when every request was answered.
    ///
    /// @throws IllegalStateException when one was not
    static Result run(int requests, int clients, Connecting connecting) {
        return new Load(requests, connecting).run(clients);
    }

    private Result run(int clients) {
        CountDownLatch connected = new CountDownLatch(clients);
        CountDownLatch go = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> running = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                Callable<Void> client = () -> {
                    askAll(connected, go);
                    return null;
                };
                running.add(threads.submit(client));
            }
            connected.await();
            Stopwatch watch = Stopwatch.start();
            go.countDown();
            for (Future<Void> client : running) {
                client.get();
            }
            double perSecond = watch.perSecond(nanos.length);
            Arrays.sort(nanos);
            return new Result(perSecond, percentile(50), percentile(99));
        } catch (ExecutionException failed) {
            throw new IllegalStateException("a request failed", failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private void askAll(CountDownLatch connected, CountDownLatch go) throws IOException, InterruptedException {
        try (Client client = connecting.connect()) {
            connected.countDown();
            go.await();
            for (int i = next.getAndIncrement(); i < nanos.length; i = next.getAndIncrement()) {
                nanos[i] = client.ask(i);
            }
        } finally {
            connected.countDown(); // one that could not connect must not hold up the others
        }
    }

    private double percentile(int percent) {
        return nanos[(nanos.length - 1) * percent / 100] / 1e6;
    }
}
