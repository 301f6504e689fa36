/// Measurements against the ceiling. Programs to run by hand; nothing here is on a service's class path.
@NullMarked
package io.tlsrpt.benchmarks;

import org.jspecify.annotations.NullMarked;
