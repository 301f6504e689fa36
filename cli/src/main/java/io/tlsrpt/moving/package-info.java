/// Moving house: all that cannot be made anew, from one Kafka to another by way of a file.
@NullMarked
package io.tlsrpt.moving;

import org.jspecify.annotations.NullMarked;
