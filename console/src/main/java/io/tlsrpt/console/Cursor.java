package io.tlsrpt.console;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.kafka.common.utils.Bytes;

/// Where a page ended, as text that a client hands back unread.
final class Cursor {

    private Cursor() {}

    static String of(Bytes position) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(position.get());
    }

    static String of(String position) {
        return of(Bytes.wrap(position.getBytes(StandardCharsets.UTF_8)));
    }

    /// @throws IllegalArgumentException when the text is no cursor
    static Bytes bytes(String cursor) {
        return Bytes.wrap(Base64.getUrlDecoder().decode(cursor));
    }

    /// @throws IllegalArgumentException when the text is no cursor
    static String text(String cursor) {
        return new String(bytes(cursor).get(), StandardCharsets.UTF_8);
    }
}
