package io.tlsrpt.benchmarks;

import io.tlsrpt.runtime.HostPort;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
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

/// Sends mails over SMTP connections that stay open, each waiting for the answer to a mail before it sends the next.
final class Mails {

    private static final byte[] ENVELOPE =
            "MAIL FROM:<>\r\nRCPT TO:<tlsrpt@example.com>\r\nDATA\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] END = ".\r\n".getBytes(StandardCharsets.US_ASCII);

    private final HostPort smtp;
    private final List<byte[]> mails;
    private final AtomicInteger next = new AtomicInteger();
    private final long[] nanos;

    private Mails(HostPort smtp, List<byte[]> mails) {
        this.smtp = smtp;
        this.mails = mails;
        this.nanos = new long[mails.size()];
    }

    /// @param perSecond from the first byte sent to the last 250
    /// @param p50Millis from the end of a mail to its 250
    record Result(double perSecond, double p50Millis, double p99Millis) {}

    /// Returns when every mail was answered 250.
    ///
    /// @param mails without a line that begins with a dot, ending in CRLF
    /// @throws IllegalStateException on any other answer
    static Result send(HostPort smtp, List<byte[]> mails, int connections) {
        return new Mails(smtp, mails).run(connections);
    }

    private Result run(int connections) {
        CountDownLatch go = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> senders = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                Callable<Void> sender = () -> {
                    sendAll(go);
                    return null;
                };
                senders.add(threads.submit(sender));
            }
            Stopwatch watch = Stopwatch.start();
            go.countDown();
            for (Future<Void> sender : senders) {
                sender.get();
            }
            double perSecond = watch.perSecond(nanos.length);
            Arrays.sort(nanos);
            return new Result(perSecond, percentile(50), percentile(99));
        } catch (ExecutionException failed) {
            throw new IllegalStateException("a mail was not taken", failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private double percentile(int percent) {
        return nanos[(nanos.length - 1) * percent / 100] / 1e6;
    }

    private void sendAll(CountDownLatch go) throws IOException, InterruptedException {
        try (Socket socket = new Socket(smtp.host(), smtp.port())) {
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            InputStream in = new BufferedInputStream(socket.getInputStream());
            expect(in, "220");
            out.write("EHLO benchmark.example\r\n".getBytes(StandardCharsets.US_ASCII));
            expect(in, "250");
            go.await();
            for (int i = next.getAndIncrement(); i < nanos.length; i = next.getAndIncrement()) {
                out.write(ENVELOPE);
                expect(in, "250");
                expect(in, "250");
                expect(in, "354");
                byte[] mail = mails.get(i);
                byte[] whole = Arrays.copyOf(mail, mail.length + END.length);
                System.arraycopy(END, 0, whole, mail.length, END.length);
                out.write(whole);
                long start = System.nanoTime();
                expect(in, "250");
                nanos[i] = System.nanoTime() - start;
            }
        }
    }

    private static void expect(InputStream in, String code) throws IOException {
        String line;
        do {
            line = line(in);
            if (!line.startsWith(code)) {
                throw new IOException("answered " + line + " and not " + code);
            }
        } while (line.charAt(3) == '-');
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int each = in.read(); each != '\n'; each = in.read()) {
            if (each < 0) {
                throw new EOFException("the connection was closed");
            }
            line.append((char) each);
        }
        return line.toString();
    }
}
