/// The graph and its stores: raw records become verdicts, reports, events and daily cells.
@NullMarked
package io.tlsrpt.stream;

import org.jspecify.annotations.NullMarked;
