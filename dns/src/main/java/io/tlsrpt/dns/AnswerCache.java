package io.tlsrpt.dns;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;

/// Answers for as long as they hold, the least recently used of too many forgotten. Strangers choose the names and can
/// choose what stands there, so answers of more than 8 KiB are never kept.
final class AnswerCache {

    private static final int MOST_BYTES = 8 * 1024;

    /// What a record costs in memory besides its text.
    private static final int RECORD_BYTES = 32;

    private record Held(TxtAnswer answer, long expiresAt) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final LongSupplier nanoTime;
    private final Map<Name, Held> held;

    AnswerCache(int entries, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.held = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Name, Held> eldest) {
                return size() > entries;
            }
        };
    }

    @Nullable
    TxtAnswer get(Name name) {
        lock.lock();
        try {
            Held found = held.get(name);
            if (found == null) {
                return null;
            }
            if (nanoTime.getAsLong() - found.expiresAt() >= 0) {
                held.remove(name);
                return null;
            }
            return found.answer();
        } finally {
            lock.unlock();
        }
    }

    void put(Name name, TxtAnswer answer, Duration holds) {
        lock.lock();
        try {
            if (bytes(answer) > MOST_BYTES) {
                held.remove(name);
            } else {
                held.put(name, new Held(answer, nanoTime.getAsLong() + holds.toNanos()));
            }
        } finally {
            lock.unlock();
        }
    }

    private static long bytes(TxtAnswer answer) {
        return answer instanceof TxtAnswer.Found found
                ? found.records().stream()
                        .mapToLong(txt -> txt.length + RECORD_BYTES)
                        .sum()
                : 0;
    }
}
