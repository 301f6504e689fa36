package io.tlsrpt.ingest;

import java.net.InetAddress;
import java.util.List;

/// Networks whose posts count as vouched for by the operator, written as CIDR: `10.0.0.0/8`, `2001:db8::/32`, or one
/// address.
record TrustedNetworks(List<Network> networks) {

    @SuppressWarnings("ArrayRecordComponent") // private to this file, never compared
    private record Network(byte[] address, int prefix) {

        boolean contains(byte[] other) {
            if (other.length != address.length) {
                return false;
            }
            int whole = prefix / 8;
            for (int i = 0; i < whole; i++) {
                if (address[i] != other[i]) {
                    return false;
                }
            }
            int rest = prefix % 8;
            return rest == 0 || ((address[whole] ^ other[whole]) & (0xff00 >> rest) & 0xff) == 0;
        }
    }

    /// @throws IllegalArgumentException when one is no network; names are never looked up
    static TrustedNetworks parse(List<String> cidrs) {
        return new TrustedNetworks(cidrs.stream().map(TrustedNetworks::network).toList());
    }

    /// IPv4 addresses inside IPv6 (`::ffff:10.0.0.1`) count as IPv4.
    boolean contains(InetAddress address) {
        byte[] bytes = address.getAddress();
        return networks.stream().anyMatch(network -> network.contains(bytes));
    }

    private static Network network(String cidr) {
        int slash = cidr.indexOf('/');
        String literal = slash < 0 ? cidr : cidr.substring(0, slash);
        if (literal.indexOf(':') < 0 && !literal.matches("\\d{1,3}(\\.\\d{1,3}){3}")) {
            throw new IllegalArgumentException(cidr + ": expected an address such as 192.0.2.0 or 2001:db8::");
        }
        byte[] address = InetAddress.ofLiteral(literal).getAddress();
        int bits = address.length * 8;
        int prefix = bits;
        if (slash >= 0) {
            String length = cidr.substring(slash + 1);
            if (!length.matches("\\d{1,3}") || Integer.parseInt(length) > bits) {
                throw new IllegalArgumentException(cidr + ": expected a prefix length from 0 to " + bits);
            }
            prefix = Integer.parseInt(length);
        }
        return new Network(address, prefix);
    }
}
