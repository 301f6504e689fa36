package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.time.LocalDate;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/// When a reporter's reports about one domain came: hours after the end of their day, by day, at most [WatchMx#DAYS]
/// back from the newest.
record Attendance(TreeMap<LocalDate, Integer> delays) {

    static final Attendance NONE = new Attendance(new TreeMap<>());

    Attendance with(LocalDate day, int delayHours) {
        TreeMap<LocalDate, Integer> changed = new TreeMap<>(delays);
        changed.put(day, delayHours);
        return new Attendance(changed).lately();
    }

    Attendance without(LocalDate day) {
        TreeMap<LocalDate, Integer> changed = new TreeMap<>(delays);
        changed.remove(day);
        return new Attendance(changed);
    }

    /// @param whenNever the newest day where there is none
    Presence presence(String domain, DomainDay.Who who, LocalDate whenNever) {
        if (delays.isEmpty()) {
            return new Presence(domain, who.submitter(), who.trusted(), whenNever, 0, 0);
        }
        LocalDate newest = delays.lastKey();
        long days = 0;
        for (LocalDate day : delays.keySet()) {
            days |= 1L << (newest.toEpochDay() - day.toEpochDay());
        }
        List<Integer> sorted = delays.values().stream().sorted().toList();
        int delay = sorted.get((int) Math.ceil(0.95 * sorted.size()) - 1);
        return new Presence(domain, who.submitter(), who.trusted(), newest, days, delay);
    }

    @JsonIgnore
    boolean isBefore(LocalDate horizon) {
        return delays.isEmpty() || delays.lastKey().isBefore(horizon);
    }

    private Attendance lately() {
        NavigableMap<LocalDate, Integer> kept = delays.tailMap(delays.lastKey().minusDays(WatchMx.DAYS), true);
        return new Attendance(new TreeMap<>(kept));
    }
}
