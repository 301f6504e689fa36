/// Who signed a mail: DKIM (RFC 6376, 8301, 8463, 8616) as RFC 8460 §3 asks for it.
@NullMarked
package io.tlsrpt.dkim;

import org.jspecify.annotations.NullMarked;
