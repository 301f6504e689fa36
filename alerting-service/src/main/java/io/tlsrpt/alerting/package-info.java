/// What is wrong, who hears it, and how often.
@NullMarked
package io.tlsrpt.alerting;

import org.jspecify.annotations.NullMarked;
