package io.tlsrpt.benchmarks;

import io.tlsrpt.runtime.HostPort;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// Posts reports.
final class Posts implements Load.Client {

    private final HostPort intake;
    private final List<Document> documents;
    private final HttpConnection connection;

    private Posts(HostPort intake, List<Document> documents) throws IOException {
        this.intake = intake;
        this.documents = documents;
        this.connection = new HttpConnection(intake);
    }

    /// Returns when every report was answered 201.
    ///
    /// @throws IllegalStateException on any other answer
    static Load.Result send(HostPort intake, List<Document> documents, int connections) {
        return Load.run(documents.size(), connections, () -> new Posts(intake, documents));
    }

    @Override
    public long ask(int number) throws IOException {
        byte[] request = request(documents.get(number).gzip());
        long start = System.nanoTime();
        connection.ask(request).expect(201);
        return System.nanoTime() - start;
    }

    private byte[] request(byte[] body) {
        byte[] head = ("POST /v1/tlsrpt HTTP/1.1\r\nHost: " + intake
                        + "\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Length: " + body.length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        return request;
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
