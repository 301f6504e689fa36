package io.tlsrpt.runtime;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.function.Supplier;

/// What a service gets from the process it lives in.
///
/// @param settings at start; what cannot change while running is read from here
/// @param current the latest settings; what may change while running (see each [Setting]) is read from here each time
/// they are used
public record Surroundings(
        Settings settings, Supplier<Settings> current, MeterRegistry meters, Health health, Clock clock) {}
