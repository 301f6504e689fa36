/// What travels on Kafka: the catalogue of topics, one record per value type, their serdes and headers.
@NullMarked
package io.tlsrpt.topics;

import org.jspecify.annotations.NullMarked;
