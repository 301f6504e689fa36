package io.tlsrpt.console;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// An offset per partition, written `0:17,1:230`.
record Positions(Map<Integer, Long> offsets) {

    private static final int MOST_PARTITIONS = 1_000;

    Positions {
        offsets = new TreeMap<>(offsets);
    }

    /// @throws IllegalArgumentException when the text has another form
    static Positions parse(String text) {
        Map<Integer, Long> offsets = new TreeMap<>();
        for (String position : text.split(",", MOST_PARTITIONS)) {
            String[] parts = position.split(":", -1);
            if (parts.length != 2) {
                throw new IllegalArgumentException("expected partition:offset");
            }
            offsets.put(Integer.parseUnsignedInt(parts[0]), Long.parseUnsignedLong(parts[1]));
        }
        return new Positions(offsets);
    }

    @Override
    public String toString() {
        return offsets.entrySet().stream()
                .map(position -> position.getKey() + ":" + position.getValue())
                .collect(Collectors.joining(","));
    }
}
