package io.tlsrpt.alerting;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The MX hosts that a domain's reports have named in failures lately: at most 100, at most 20 of them on the word of
/// untrusted reports alone, which never displace a trusted one.
record KnownMxs(List<Known> known) {

    static final KnownMxs NONE = new KnownMxs(List.of());

    private static final int MOST = 100;
    private static final int MOST_UNTRUSTED = 20;

    /// How many reports of this trust can make known.
    static int most(boolean trusted) {
        return trusted ? MOST : MOST_UNTRUSTED;
    }

    /// @param named day of arrival of the newest report that named it
    /// @param trusted day of arrival of the newest trusted one; absent when there was none
    record Known(String mx, LocalDate named, @Nullable LocalDate trusted) {

        boolean byTrusted() {
            return trusted != null;
        }

        Known again(LocalDate day, boolean trustedNow) {
            return new Known(
                    mx,
                    named.isBefore(day) ? day : named,
                    trustedNow && (trusted == null || trusted.isBefore(day)) ? day : trusted);
        }
    }

    boolean contains(String mx) {
        return known.stream().anyMatch(each -> each.mx().equals(mx));
    }

    List<String> names() {
        return known.stream().map(Known::mx).toList();
    }

    /// Without those that were named before `horizon` only.
    KnownMxs since(LocalDate horizon) {
        return new KnownMxs(known.stream()
                .filter(each -> !each.named().isBefore(horizon))
                .map(each -> each.trusted() != null && each.trusted().isBefore(horizon)
                        ? new Known(each.mx(), each.named(), null)
                        : each)
                .toList());
    }

    /// With this MX, if there is room for it. Where there is none, it takes the place of one that has not been named
    /// since an earlier day: at most one turnover a day, which bounds the history that is sent for newcomers.
    KnownMxs with(String mx, LocalDate day, boolean trusted) {
        List<Known> changed = new ArrayList<>(known);
        for (int i = 0; i < changed.size(); i++) {
            if (changed.get(i).mx().equals(mx)) {
                changed.set(i, changed.get(i).again(day, trusted));
                return new KnownMxs(changed);
            }
        }
        long untrusted = known.stream().filter(each -> !each.byTrusted()).count();
        boolean room = known.size() < MOST && (trusted || untrusted < MOST_UNTRUSTED);
        if (!room) {
            Optional<Known> displaced = known.stream()
                    .filter(each -> each.byTrusted()
                            ? trusted && each.named().isBefore(day)
                            : trusted || each.named().isBefore(day))
                    .min(Comparator.comparing(Known::byTrusted).thenComparing(Known::named));
            if (displaced.isEmpty()) {
                return this;
            }
            changed.remove(displaced.get());
        }
        changed.add(new Known(mx, day, trusted ? day : null));
        return new KnownMxs(changed);
    }
}
