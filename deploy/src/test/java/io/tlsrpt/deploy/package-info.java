/// What is installed from here, tried for real.
@NullMarked
package io.tlsrpt.deploy;

import org.jspecify.annotations.NullMarked;
