package io.tlsrpt.inspection;

import java.net.InetAddress;

/// Looks at one address of an MX host: the seam between what DNS names and what a server presents.
@FunctionalInterface
interface Probe {

    /// Connects once; whatever goes wrong is part of the answer.
    ///
    /// @param host said in SNI, which RFC 8461 §7.1 and RFC 7671 §10.2 demand
    Presented look(InetAddress address, int port, String host);
}
