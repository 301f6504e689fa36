package io.tlsrpt.dns;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tlsrpt.report.DomainName;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// One address that reports are to be sent to.
///
/// @param text the URI as it stands in a record, `,` `!` and `;` percent-encoded
/// @param scheme in lower case; RFC 8460 §3 knows `mailto` and `https`
/// @param canonical the comparable spelling, or null when no report can be sent there: another scheme, no mail address,
///     no host. Of `mailto`, the percent-decoded address in lower case with its domain in A-labels, without
/// `?subject=…`;
///     mail systems that tell `Reports@` from `reports@` are rarer than people who write it differently. Of `https`,
/// the
///     scheme and host in lower case without the default port; path and query count letter by letter
public record Rua(String text, String scheme, @Nullable String canonical) {

    private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*");
    private static final String BESIDES_LETTERS_AND_DIGITS = "-._~:/?#[]@$&'()*+=%";
    private static final int HTTPS_PORT = 443;

    /// The address of a configuration, as people write it: what may not stand in a record as it is gets
    /// percent-encoded.
    ///
    /// @throws IllegalArgumentException when no report could be sent there
    public static Rua of(String uri) {
        StringBuilder escaped = new StringBuilder();
        for (byte octet : uri.strip().getBytes(UTF_8)) {
            if (legal((char) (octet & 0xff))) {
                escaped.append((char) octet);
            } else {
                escaped.append('%').append(HexFormat.of().withUpperCase().toHexDigits(octet));
            }
        }
        String text = escaped.toString();
        Rua rua = schemeOf(text) == null || malformedAt(text) >= 0 ? null : written(text);
        if (rua == null || rua.canonical() == null) {
            throw new IllegalArgumentException(
                    "expected an address such as mailto:reports@example.com or https://example.com/tlsrpt, found \""
                            + uri + "\"");
        }
        return rua;
    }

    /// The address that a well-formed URI of a record names.
    static Rua written(String text) {
        String scheme = String.valueOf(schemeOf(text));
        String canonical = switch (scheme) {
            case "mailto" -> mailAddress(text);
            case "https" -> httpsUri(text);
            default -> null;
        };
        return new Rua(text, scheme, canonical);
    }

    /// Whether a report sent to the other arrives where one sent to this does.
    public boolean sameAs(Rua other) {
        return canonical != null && scheme.equals(other.scheme) && canonical.equals(other.canonical);
    }

    /// Whether reports can be sent there.
    public boolean usable() {
        return canonical != null;
    }

    /// The mail address, in its comparable spelling.
    public Optional<String> mailAddress() {
        return scheme.equals("mailto") ? Optional.ofNullable(canonical) : Optional.empty();
    }

    /// The scheme in lower case, or null when the text does not begin with one.
    static @Nullable String schemeOf(String text) {
        int colon = text.indexOf(':');
        return colon > 0 && SCHEME.matcher(text.substring(0, colon)).matches()
                ? text.substring(0, colon).toLowerCase(Locale.ROOT)
                : null;
    }

    /// Where the first character stands that no URI of a record may hold, or a `%` without two digits; -1 when all is
    /// well (RFC 3986 §2, RFC 8460 §3).
    static int malformedAt(String text) {
        for (int at = 0; at < text.length(); at++) {
            char character = text.charAt(at);
            boolean escape = character == '%'
                    && !(at + 2 < text.length()
                            && HexFormat.isHexDigit(text.charAt(at + 1))
                            && HexFormat.isHexDigit(text.charAt(at + 2)));
            if (escape || !legal(character)) {
                return at;
            }
        }
        return -1;
    }

    private static boolean legal(char character) {
        return (character >= 'a' && character <= 'z')
                || (character >= 'A' && character <= 'Z')
                || (character >= '0' && character <= '9')
                || BESIDES_LETTERS_AND_DIGITS.indexOf(character) >= 0;
    }

    private static @Nullable String mailAddress(String text) {
        int query = text.indexOf('?');
        String address = decoded(text.substring("mailto:".length(), query < 0 ? text.length() : query));
        int at = address == null ? -1 : address.lastIndexOf('@');
        if (address == null || at < 1 || address.codePoints().anyMatch(Character::isISOControl)) {
            return null;
        }
        String local = address.substring(0, at).toLowerCase(Locale.ROOT);
        String domain = DomainName.canonical(address.substring(at + 1));
        boolean oneAddress = local.indexOf('@') < 0 || local.startsWith("\"");
        return oneAddress && DomainName.isName(domain) ? local + "@" + domain : null;
    }

    private static @Nullable String decoded(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int at = 0; at < text.length(); at++) {
            if (text.charAt(at) == '%') {
                bytes.write(HexFormat.fromHexDigits(text, at + 1, at + 3));
                at += 2;
            } else {
                bytes.write(text.charAt(at));
            }
        }
        try {
            return UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException notUtf8) {
            return null;
        }
    }

    private static @Nullable String httpsUri(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException noUri) {
            return null;
        }
        if (uri.getHost() == null) {
            return null;
        }
        String user = uri.getRawUserInfo() == null ? "" : uri.getRawUserInfo() + "@";
        String port = uri.getPort() < 0 || uri.getPort() == HTTPS_PORT ? "" : ":" + uri.getPort();
        String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        return "https://" + user + uri.getHost().toLowerCase(Locale.ROOT) + port + upperCaseEscapes(path + query);
    }

    private static String upperCaseEscapes(String text) {
        StringBuilder upper = new StringBuilder(text);
        for (int at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 1)) {
            upper.replace(at, at + 3, text.substring(at, at + 3).toUpperCase(Locale.ROOT));
        }
        return upper.toString();
    }
}
