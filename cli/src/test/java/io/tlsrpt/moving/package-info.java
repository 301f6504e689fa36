@NullMarked
package io.tlsrpt.moving;

import org.jspecify.annotations.NullMarked;
