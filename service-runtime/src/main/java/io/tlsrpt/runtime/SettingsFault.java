package io.tlsrpt.runtime;

import java.util.List;
import java.util.stream.Collectors;

/// A configuration that cannot be used: every fault at once, each with file, line, path and what was expected.
public final class SettingsFault extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient List<Fault> faults;

    SettingsFault(List<Fault> faults) {
        super(faults.stream().map(Fault::toString).collect(Collectors.joining("\n")));
        this.faults = List.copyOf(faults);
    }

    public List<Fault> faults() {
        return faults;
    }

    /// One fault.
    ///
    /// @param line from 1; 0 when the fault has no line
    /// @param path such as `intake.listen` or `domains[2].name`
    /// @param message what was expected
    public record Fault(String file, int line, String path, String message) {
        @Override
        public String toString() {
            return file + (line > 0 ? ":" + line : "") + ": " + (path.isEmpty() ? "" : path + ": ") + message;
        }
    }
}
