/// A live look at a domain: what DNS, the MTA-STS policy and the MX hosts show now.
@NullMarked
package io.tlsrpt.inspection;

import org.jspecify.annotations.NullMarked;
