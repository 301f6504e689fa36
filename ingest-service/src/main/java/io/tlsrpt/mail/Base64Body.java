package io.tlsrpt.mail;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/// Decodes base64 (RFC 2045 §6.8) as it comes: characters of no meaning are skipped, padding may be missing, and what
/// follows padding is no longer base64.
final class Base64Body {

    private static final byte NONE = -1;
    private static final byte BLANK = -2;
    private static final byte PAD = -3;
    private static final byte[] VALUES = values();

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private int quad;
    private int characters;
    private boolean padded;
    private boolean odd;

    /// @param most bytes that are decoded; the rest stays unread
    Base64Body(InputStream in, int most) throws IOException {
        byte[] buffer = new byte[8 * 1024];
        for (int read = in.read(buffer); read >= 0 && out.size() < most; read = in.read(buffer)) {
            for (int at = 0; at < read; at++) {
                take(VALUES[buffer[at] & 0xff]);
            }
        }
        if (characters > 0) {
            odd |= !padded;
            last();
        }
    }

    byte[] decoded() {
        return out.toByteArray();
    }

    /// Whether it is not what RFC 2045 asks for.
    boolean odd() {
        return odd;
    }

    private void take(byte value) {
        if (value == BLANK) {
            return;
        }
        if (value == PAD) {
            padded = true;
        } else if (value == NONE || padded) {
            odd = true;
        } else {
            quad = quad << 6 | value;
            if (++characters == 4) {
                out.write(quad >> 16);
                out.write(quad >> 8);
                out.write(quad);
                characters = 0;
                quad = 0;
            }
        }
    }

    /// Two characters hold a byte, three hold two.
    private void last() {
        if (characters == 2) {
            out.write(quad >> 4);
        } else if (characters == 3) {
            out.write(quad >> 10);
            out.write(quad >> 2);
        }
    }

    private static byte[] values() {
        byte[] values = new byte[256];
        Arrays.fill(values, NONE);
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (int value = 0; value < alphabet.length(); value++) {
            values[alphabet.charAt(value)] = (byte) value;
        }
        values[' '] = BLANK;
        values['\t'] = BLANK;
        values['\r'] = BLANK;
        values['\n'] = BLANK;
        values['='] = PAD;
        return values;
    }
}
