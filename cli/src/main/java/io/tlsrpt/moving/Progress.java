package io.tlsrpt.moving;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.function.Consumer;

/// Says every few seconds how far it is.
final class Progress {

    private static final Duration PAUSE = Duration.ofSeconds(2);
    private static final int LOOK = 256;

    private final Clock clock;
    private final Consumer<String> says;
    private final String doing;
    private final long all;
    private long done;
    private Instant next;

    /// @param all records; 0: not known
    Progress(Clock clock, Consumer<String> says, String doing, long all) {
        this.clock = clock;
        this.says = says;
        this.doing = doing;
        this.all = all;
        this.next = clock.instant().plus(PAUSE);
    }

    void step() {
        if (++done % LOOK == 0 && !clock.instant().isBefore(next)) {
            next = clock.instant().plus(PAUSE);
            says.accept(
                    all == 0
                            ? String.format(Locale.ROOT, "%s %,d records", doing, done)
                            : String.format(Locale.ROOT, "%s %,d of %,d records", doing, done, all));
        }
    }
}
