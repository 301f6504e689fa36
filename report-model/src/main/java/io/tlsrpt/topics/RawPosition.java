package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/// Where a document lies in the raw topic.
@JsonPropertyOrder({"partition", "offset"})
public record RawPosition(int partition, long offset) {}
