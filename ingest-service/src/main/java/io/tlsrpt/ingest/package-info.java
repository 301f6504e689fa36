/// Reports come in here: by HTTPS and as files, through one door, onto the raw topic.
@NullMarked
package io.tlsrpt.ingest;

import org.jspecify.annotations.NullMarked;
