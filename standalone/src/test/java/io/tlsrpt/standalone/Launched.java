package io.tlsrpt.standalone;

import java.io.File;
import java.nio.file.Path;

/// What `./tlsrpt` gives to the Java it starts; the class path of the tests holds more and would hide what is missing.
final class Launched {

    /// As in the launcher: the classes of this module, and the jars that packaging it has put beside them.
    static final String CLASS_PATH = Path.of("target", "classes") + File.pathSeparator + Path.of("target", "lib", "*");

    private Launched() {}
}
