package io.tlsrpt.console;

import org.apache.kafka.streams.errors.InvalidStateStoreException;

/// The views are not there yet.
final class StillRestoring extends InvalidStateStoreException {

    private static final long serialVersionUID = 1;

    private final String detail;

    StillRestoring(RestoreProgress progress) {
        super(progress.words());
        this.detail = progress.words() + "; ask again shortly";
    }

    /// How far it is, for people.
    String detail() {
        return detail;
    }
}
