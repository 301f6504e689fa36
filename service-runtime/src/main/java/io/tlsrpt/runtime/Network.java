package io.tlsrpt.runtime;

import java.net.InetAddress;

/// A network as CIDR writes it: `10.0.0.0/8`, `2001:db8::/32`, or one address.
public record Network(InetAddress address, int prefix) {

    /// @throws IllegalArgumentException when the text is no network; names are never looked up
    public static Network parse(String text) {
        int slash = text.indexOf('/');
        String literal = slash < 0 ? text : text.substring(0, slash);
        if (literal.indexOf(':') < 0 && !literal.matches("\\d{1,3}(\\.\\d{1,3}){3}")) {
            throw new IllegalArgumentException("expected a network such as 192.0.2.0/24 or 2001:db8::/32");
        }
        InetAddress address = InetAddress.ofLiteral(literal);
        int bits = address.getAddress().length * 8;
        String prefix = slash < 0 ? Integer.toString(bits) : text.substring(slash + 1);
        if (!prefix.matches("\\d{1,3}") || Integer.parseInt(prefix) > bits) {
            throw new IllegalArgumentException("expected a prefix length from 0 to " + bits);
        }
        return new Network(address, Integer.parseInt(prefix));
    }

    /// IPv4 addresses inside IPv6 (`::ffff:10.0.0.1`) count as IPv4.
    public boolean contains(InetAddress other) {
        byte[] ours = address.getAddress();
        byte[] theirs = other.getAddress();
        if (ours.length != theirs.length) {
            return false;
        }
        int whole = prefix / 8;
        for (int i = 0; i < whole; i++) {
            if (ours[i] != theirs[i]) {
                return false;
            }
        }
        int rest = prefix % 8;
        return rest == 0 || ((ours[whole] ^ theirs[whole]) & (0xff00 >> rest) & 0xff) == 0;
    }
}
