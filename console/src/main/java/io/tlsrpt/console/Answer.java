package io.tlsrpt.console;

import io.tlsrpt.topics.Json;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a request is answered.
final class Answer {

    private final int status;
    private final String contentType;
    private final byte[] body;
    private final Map<String, String> headers;

    /// @param headers beside those that every answer has
    private Answer(int status, String contentType, byte[] body, Map<String, String> headers) {
        this.status = status;
        this.contentType = contentType;
        this.body = body;
        this.headers = headers;
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

    /// A document as it was sent, to be saved and never shown by a browser.
    static Answer download(byte[] document, String fileName) {
        return new Answer(
                200,
                "application/octet-stream",
                document,
                Map.of("Content-Disposition", "attachment; filename=\"" + fileName + "\""));
    }

    /// Something for people to look at.
    ///
    /// @param policy the Content-Security-Policy, in place of the one that allows nothing
    static Answer page(String contentType, byte[] body, String policy) {
        return new Answer(200, contentType, body, Map.of("Content-Security-Policy", policy));
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
