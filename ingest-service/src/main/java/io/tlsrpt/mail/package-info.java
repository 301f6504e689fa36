/// From a mail to the report documents in it: the MIME tree (RFC 2045 to 2049, RFC 8460 §5.3), nothing of transport.
@NullMarked
package io.tlsrpt.mail;

import org.jspecify.annotations.NullMarked;
