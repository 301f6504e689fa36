/// What DNS says about a domain.
@NullMarked
package io.tlsrpt.dns;

import org.jspecify.annotations.NullMarked;
