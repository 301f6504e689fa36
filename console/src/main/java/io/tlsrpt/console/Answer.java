package io.tlsrpt.console;

import io.tlsrpt.runtime.Access;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What a request is answered.
final class Answer {

    private static final String DOWNLOAD = "application/octet-stream";
    private static final byte[] STREAMED = new byte[0];

    private final int status;
    private final String contentType;
    private final byte[] body;
    private final Map<String, String> headers;
    private final @Nullable Stream stream;

    /// A body that is written as it comes, without end or too large to be held. It is closed in any case, also when
    /// nothing of it was asked for.
    interface Stream extends AutoCloseable {

        /// @param again who asks, judged anew, for what lasts longer than a permission may
        /// @throws IOException when the client is gone
        void writeTo(OutputStream out, Supplier<Access.Decision> again) throws IOException;

        /// Whether it lasts as long as the client wants, and itself looks after clients that do not read.
        default boolean isEndless() {
            return false;
        }

        @Override
        default void close() {}
    }

    /// @param headers beside those that every answer has
    private Answer(int status, String contentType, byte[] body, Map<String, String> headers) {
        this(status, contentType, body, headers, null);
    }

    private Answer(int status, String contentType, byte[] body, Map<String, String> headers, @Nullable Stream stream) {
        this.status = status;
        this.contentType = contentType;
        this.body = body;
        this.headers = headers;
        this.stream = stream;
    }

    int status() {
        return status;
    }

    String contentType() {
        return contentType;
    }

    byte[] body() {
        return body;
    }

    Map<String, String> headers() {
        return headers;
    }

    /// What writes the body; absent: it is [#body].
    @Nullable
    Stream stream() {
        return stream;
    }

    /// @param headers beside those that every answer has
    static Answer stream(String contentType, Map<String, String> headers, Stream stream) {
        return new Answer(200, contentType, STREAMED, headers, stream);
    }

    /// The same with more headers.
    Answer with(Map<String, String> more) {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.putAll(more);
        return new Answer(status, contentType, body, all, stream);
    }

    /// What the client has already (RFC 9110 §15.4.5).
    Answer notModified() {
        return new Answer(304, contentType, new byte[0], headers);
    }

    static Answer noContent(Map<String, String> headers) {
        return new Answer(204, "application/json", new byte[0], headers);
    }

    static Answer json(byte[] body) {
        return new Answer(200, "application/json", body, Map.of());
    }

    static Answer json(Object value) {
        return json(Json.MAPPER.writeValueAsBytes(value));
    }

    /// @param status 201, or 202 where what was asked for happens later
    static Answer json(int status, Object value) {
        return new Answer(status, "application/json", Json.MAPPER.writeValueAsBytes(value), Map.of());
    }

    boolean isDownload() {
        return contentType.equals(DOWNLOAD);
    }

    /// A document as it was sent, to be saved and never shown by a browser.
    static Answer download(byte[] document, String fileName) {
        return new Answer(
                200, DOWNLOAD, document, Map.of("Content-Disposition", "attachment; filename=\"" + fileName + "\""));
    }

    /// Something for people to look at.
    ///
    /// @param policy the Content-Security-Policy, in place of the one that allows nothing
    static Answer page(String contentType, byte[] body, String policy) {
        return new Answer(200, contentType, body, Map.of("Content-Security-Policy", policy));
    }

    /// Who asks may not: it is nobody known, or not this caller's to do.
    static Answer refused(Access.Refusal why) {
        return problem(why.status(), why.title(), why.detail(), List.of(), why.headers());
    }

    /// RFC 9457.
    ///
    /// @param detail for people: what happened and what to do
    static Answer problem(int status, String title, String detail) {
        return problem(status, title, detail, List.of(), Map.of());
    }

    static Answer badRequest(List<Parameters.Fault> faults) {
        List<String> sentences = faults.stream()
                .map(fault -> fault.parameter() + ": expected " + fault.expected())
                .toList();
        return problem(400, "Bad Request", String.join("; ", sentences), faults, Map.of());
    }

    static Answer methodNotAllowed(List<String> allowed) {
        String methods = String.join(", ", allowed);
        return problem(405, "Method Not Allowed", "here go only: " + methods, List.of(), Map.of("Allow", methods));
    }

    static Answer unavailable(String detail) {
        return problem(503, "Service Unavailable", detail, List.of(), Map.of("Retry-After", "5"));
    }

    private static Answer problem(
            int status, String title, String detail, List<Parameters.Fault> faults, Map<String, String> headers) {
        Map<String, Object> problem = new LinkedHashMap<>();
        problem.put("type", "about:blank");
        problem.put("title", title);
        problem.put("status", status);
        problem.put("detail", detail);
        if (!faults.isEmpty()) {
            problem.put("errors", faults);
        }
        return new Answer(
                status,
                "application/problem+json",
                Json.MAPPER.writeValueAsString(problem).getBytes(StandardCharsets.UTF_8),
                headers);
    }
}
