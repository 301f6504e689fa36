/// The command line: a client of the HTTP API and of the topics.
@NullMarked
package io.tlsrpt.cli;

import org.jspecify.annotations.NullMarked;
