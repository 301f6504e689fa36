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
            int partition = Integer.parseInt(parts[0]);
            long offset = Long.parseLong(parts[1]);
            if (partition < 0 || offset < 0 || offsets.put(partition, offset) != null) {
                throw new IllegalArgumentException("expected each partition once, from 0");
            }
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
