/// What people and programs see: the views over the compacted topics and the query API.
@NullMarked
package io.tlsrpt.console;

import org.jspecify.annotations.NullMarked;
