/// How a process lives: settings, lifecycle, HTTP listeners, health, metrics. A closed list of files.
@NullMarked
package io.tlsrpt.runtime;

import org.jspecify.annotations.NullMarked;
