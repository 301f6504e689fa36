package io.tlsrpt.runtime;

/// Text that must not be shown: `toString` hides it.
///
/// @param reveal the text itself, for the one place that needs it
public record Secret(String reveal) {

    @Override
    public String toString() {
        return "(secret)";
    }
}
