/// RFC 8460 as records, and the one reader that makes them from bytes. No Kafka, no I/O, no clock.
@NullMarked
package io.tlsrpt.report;

import org.jspecify.annotations.NullMarked;
