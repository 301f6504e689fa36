package io.tlsrpt.inspection;

import io.tlsrpt.inspection.PolicyFetch.Fetched;
import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What was seen of a domain, before anything is judged.
///
/// @param tlsRpt TXT records of `_smtp._tls.<domain>`
/// @param mtaSts TXT records of `_mta-sts.<domain>`
/// @param policy null when the record does not lead to one
/// @param hosts of the MX records, best preference first; of a domain without MX records itself
/// @param uninspected MX hosts left out because there are too many
record Facts(
        String domain,
        Instant at,
        Answer tlsRpt,
        Answer mtaSts,
        @Nullable Policy policy,
        Answer mx,
        List<Host> hosts,
        int uninspected) {

    Facts {
        hosts = List.copyOf(hosts);
    }

    /// How far the policy could be fetched.
    sealed interface Policy {
        record Asked(Fetched fetched) implements Policy {}

        /// The policy host has no address, or none that may be looked at.
        record NoAddress(String why) implements Policy {}

        /// It could not be found out.
        record Unknown(String why) implements Policy {}
    }

    /// One MX host.
    ///
    /// @param alias the name it is an alias for, or null
    /// @param ipv4 answer for A
    /// @param ipv6 answer for AAAA
    /// @param base whose TLSA records count (RFC 7671 §7)
    /// @param tlsa their answer
    /// @param uninspected addresses left out because there are too many
    record Host(
            String name,
            int preference,
            @Nullable String alias,
            Answer ipv4,
            Answer ipv6,
            String base,
            Answer tlsa,
            List<Address> addresses,
            int uninspected) {

        Host {
            addresses = List.copyOf(addresses);
        }

        Security security() {
            return ipv4.security().and(ipv6.security());
        }
    }

    /// @param presented null when the address is none of the public internet and was not looked at
    record Address(InetAddress ip, @Nullable Presented presented) {

        boolean reached() {
            return presented != null && !presented.starttls().equals(Presented.UNKNOWN);
        }
    }
}
