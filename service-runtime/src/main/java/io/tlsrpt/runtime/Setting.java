package io.tlsrpt.runtime;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// What one key of the configuration file means. The documentation and the starter file are made from these words.
@Target(ElementType.RECORD_COMPONENT)
@Retention(RetentionPolicy.RUNTIME)
public @interface Setting {

    /// One sentence for the operator, with units and limits.
    String value();

    /// Written as in the file; empty: the key is required, unless its type is nullable, a list, a map or a section.
    String byDefault() default "";
}
