package io.tlsrpt.dns;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// The TLSRPT record that asks for reports at our addresses.
///
/// @param rua at least one, the most important first: Microsoft sends to the first only
public record RecordToPublish(List<Rua> rua) {

    /// In seconds: a day, so that one suppressed answer does not switch reporting off (RFC 8460 §7).
    public static final int TTL = 86_400;

    private static final int STRING = 255;

    public RecordToPublish {
        rua = List.copyOf(rua);
        if (rua.isEmpty()) {
            throw new IllegalArgumentException("a record needs an address");
        }
    }

    /// The value in one piece.
    public String text() {
        return rua.stream().map(Rua::text).collect(Collectors.joining(",", "v=TLSRPTv1; rua=", ""));
    }

    /// The value in character-strings as DNS carries them, at most 255 bytes each.
    public List<String> strings() {
        String text = text();
        List<String> strings = new ArrayList<>();
        for (int from = 0; from < text.length(); from += STRING) {
            strings.add(text.substring(from, Math.min(text.length(), from + STRING)));
        }
        return strings;
    }

    /// A line for the zone file (RFC 1035 §5). A URI holds neither quotes nor backslashes, so none need escaping.
    public String zoneLine(String domain) {
        return strings().stream()
                .collect(Collectors.joining("\" \"", TlsRptRecord.name(domain) + ". " + TTL + " IN TXT \"", "\""));
    }

    /// Whether the published record asks for the same: these addresses in this order, and no others.
    public boolean isAskedForBy(TlsRptRecord published) {
        if (published.rua().size() != rua.size()) {
            return false;
        }
        for (int index = 0; index < rua.size(); index++) {
            if (!rua.get(index).sameAs(published.rua().get(index))) {
                return false;
            }
        }
        return true;
    }
}
