/// The Kafka Connect plugin: records of our topics as typed structs.
@NullMarked
package io.tlsrpt.connect;

import org.jspecify.annotations.NullMarked;
