package io.tlsrpt.benchmarks;

import io.tlsrpt.runtime.HostPort;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// Posts reports over keep-alive connections, each waiting for its answer before it sends the next. Bare sockets: the
/// sender shares the cores with what it measures and should cost little.
final class Posts {

    private final HostPort intake;
    private final List<Document> documents;
    private final AtomicInteger next = new AtomicInteger();
    private final long[] nanos;

    private Posts(HostPort intake, List<Document> documents) {
        this.intake = intake;
        this.documents = documents;
        this.nanos = new long[documents.size()];
    }

    /// @param perSecond from the first byte sent to the last 201
    record Result(double perSecond, double p50Millis, double p99Millis) {}

    /// Returns when every report was answered 201.
    ///
    /// @throws IllegalStateException on any other answer
    static Result send(HostPort intake, List<Document> documents, int connections) {
        return new Posts(intake, documents).run(connections);
    }

    private Result run(int connections) {
        CountDownLatch connected = new CountDownLatch(connections);
        CountDownLatch go = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> senders = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                Callable<Void> sender = () -> {
                    sendAll(connected, go);
                    return null;
                };
                senders.add(threads.submit(sender));
            }
            connected.await();
            Stopwatch watch = Stopwatch.start();
            go.countDown();
            for (Future<Void> sender : senders) {
                sender.get();
            }
            double perSecond = watch.perSecond(nanos.length);
            Arrays.sort(nanos);
            return new Result(perSecond, percentile(50), percentile(99));
        } catch (ExecutionException failed) {
            throw new IllegalStateException("a post failed", failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private double percentile(int percent) {
        return nanos[(nanos.length - 1) * percent / 100] / 1e6;
    }

    private void sendAll(CountDownLatch connected, CountDownLatch go) throws IOException, InterruptedException {
        try (Socket socket = new Socket(intake.host(), intake.port())) {
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            InputStream in = new BufferedInputStream(socket.getInputStream());
            connected.countDown();
            go.await();
            for (int i = next.getAndIncrement(); i < nanos.length; i = next.getAndIncrement()) {
                byte[] request = request(documents.get(i).gzip());
                long start = System.nanoTime();
                out.write(request);
                String answer = answer(in);
                nanos[i] = System.nanoTime() - start;
                if (!answer.startsWith("HTTP/1.1 201")) {
                    throw new IOException(
                            "answered " + answer.lines().findFirst().orElse(""));
                }
            }
        } finally {
            connected.countDown(); // one that could not connect must not hold up the others
        }
    }

    private byte[] request(byte[] body) {
        byte[] head = ("POST /v1/tlsrpt HTTP/1.1\r\nHost: " + intake
                        + "\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Length: " + body.length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        return request;
    }

    /// The head of the answer; its body is read and forgotten.
    private static String answer(InputStream in) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int newlines = 0;
        while (newlines < 2) {
            int read = in.read();
            if (read < 0) {
                throw new EOFException("the connection was closed");
            }
            bytes.write(read);
            if (read == '\n') {
                newlines++;
            } else if (read != '\r') {
                newlines = 0;
            }
        }
        String head = bytes.toString(StandardCharsets.US_ASCII);
        in.skipNBytes(head.toLowerCase(Locale.ROOT)
                .lines()
                .filter(line -> line.startsWith("content-length:"))
                .mapToLong(line -> Long.parseLong(
                        line.substring("content-length:".length()).strip()))
                .findFirst()
                .orElse(0));
        return head;
    }
}
