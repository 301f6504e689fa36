/// Broker and all services in one JVM, and the commands that start them.
@NullMarked
package io.tlsrpt.standalone;

import org.jspecify.annotations.NullMarked;
