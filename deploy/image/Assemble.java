import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/// Makes the layers of the images from the services' jars: `java Assemble.java FROM TO`, where FROM has
/// `<service>/lib/*.jar` and `<service>/sbom.json`. What changes rarely is apart from what changes often:
///
/// - `common/lib`, `common/native`: other people's jars that every service has, and their libraries for this machine
/// - `<service>/lib`, `<service>/native`: other people's jars beyond those
/// - `<service>/own`: the project's jars
/// - `args/<service>.args`: options of the virtual machine, with a class path in a fixed order
///
/// Equal jars give equal files, times included.
final class Assemble {

    private static final Path HOME = Path.of("/opt/tlsrpt");
    private static final Instant TIME = Instant.parse("2026-01-01T00:00:00Z");
    private static final Pattern NATIVE = Pattern.compile(".*\\.(so|a|dll|dylib|jnilib)");

    /// How the jars name their libraries for Linux with glibc.
    private static final Map<String, Pattern> OF_MACHINE = Map.of(
            "amd64", Pattern.compile("(.*/)?(?i:linux)/(amd64|x86_64)/[^/]+\\.so|librocksdbjni-linux64\\.so"),
            "aarch64", Pattern.compile("(.*/)?(?i:linux)/aarch64/[^/]+\\.so|librocksdbjni-linux-aarch64\\.so"));

    private final Path to;
    private final Pattern ofThisMachine;

    private Assemble(Path to, Pattern ofThisMachine) {
        this.to = to;
        this.ofThisMachine = ofThisMachine;
    }

    public static void main(String[] args) throws IOException {
        String machine = System.getProperty("os.arch");
        Pattern ofThisMachine = OF_MACHINE.get(machine);
        if (ofThisMachine == null) {
            throw new IllegalStateException(
                    "no images for " + machine + ": known are " + new TreeSet<>(OF_MACHINE.keySet()));
        }
        new Assemble(Path.of(args[1]), ofThisMachine).assemble(Path.of(args[0]));
    }

    private void assemble(Path from) throws IOException {
        Map<String, Map<String, Path>> services = new TreeMap<>();
        for (Path service : list(from)) {
            Map<String, Path> jars = new TreeMap<>();
            for (Path jar : list(service.resolve("lib"))) {
                jars.put(jar.getFileName().toString(), jar);
            }
            services.put(service.getFileName().toString(), jars);
        }
        for (Map.Entry<String, Map<String, Path>> service : services.entrySet()) {
            Set<String> beyond = new TreeSet<>(service.getValue().keySet());
            beyond.removeAll(services.get("standalone").keySet());
            if (!beyond.isEmpty()) { // all caches are made in one place, from the standalone's jars
                throw new IllegalStateException(service.getKey() + " has what the standalone has not: " + beyond);
            }
        }
        Set<String> common = new TreeSet<>(services.values().iterator().next().keySet());
        services.values().forEach(jars -> common.retainAll(jars.keySet()));
        Path arguments = Files.createDirectories(to.resolve("args"));
        for (Map.Entry<String, Map<String, Path>> service : services.entrySet()) {
            Path layers = to.resolve(service.getKey());
            Files.createDirectories(layers.resolve("own"));
            Files.createDirectories(layers.resolve("lib"));
            Files.createDirectories(layers.resolve("native"));
            for (Path jar : service.getValue().values()) {
                boolean own = isOwn(jar);
                boolean everywhere = common.contains(jar.getFileName().toString());
                Path layer = own || !everywhere ? layers : to.resolve("common");
                copy(jar, layer.resolve(own ? "own" : "lib"), layer.resolve("native"));
            }
            String sbom = service.getKey() + "/sbom.json";
            Files.copy(from.resolve(sbom), to.resolve(sbom), StandardCopyOption.REPLACE_EXISTING);
            Files.writeString(arguments.resolve(service.getKey() + ".args"), arguments(service.getValue()));
        }
        try (Stream<Path> all = Files.walk(to)) {
            for (Path made : all.toList().reversed()) {
                Files.setLastModifiedTime(made, FileTime.from(TIME));
            }
        }
    }

    /// The project's jars before all others; each group by name. The cache is without machine code, which would fit only
    /// one kind of processor (and its adapters are confused with one another, as warnings of each start say); what the
    /// virtual machine has to say goes where the logs go, as standard output belongs to the commands. The heap begins
    /// large enough for the objects of the cache: with the serial collector, which Java takes on one processor, it
    /// would not start otherwise.
    private static String arguments(Map<String, Path> jars) throws IOException {
        List<String> own = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (Map.Entry<String, Path> jar : jars.entrySet()) {
            (isOwn(jar.getValue()) ? own : others).add(HOME.resolve("lib").resolve(jar.getKey()).toString());
        }
        return """
                --enable-native-access=ALL-UNNAMED
                --sun-misc-unsafe-memory-access=allow
                -Djava.library.path=%s/native
                -Dorg.xerial.snappy.use.systemlib=true
                -XX:+UseCompactObjectHeaders
                -XX:+ExitOnOutOfMemoryError
                -XX:MaxRAMPercentage=50
                -Xms64m
                -XX:+UnlockDiagnosticVMOptions
                -XX:-AOTAdapterCaching
                -XX:-AOTStubCaching
                -Xlog:disable
                -Xlog:all=warning:stderr:uptime,level,tags
                -cp
                %s
                """
                .formatted(HOME, Stream.concat(own.stream(), others.stream()).collect(Collectors.joining(":")));
    }

    private static boolean isOwn(Path jar) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            return zip.stream().anyMatch(entry -> entry.getName().startsWith("META-INF/maven/io.tlsrpt/"));
        }
    }

    /// Copies a jar without the native libraries in it. Those of this machine become files of their own: taken from the
    /// jar at run time they would have to be written to, and executed from, a temporary directory.
    private void copy(Path jar, Path lib, Path natives) throws IOException {
        Files.createDirectories(lib);
        Path copy = lib.resolve(jar.getFileName());
        if (Files.exists(copy)) {
            return;
        }
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            List<? extends ZipEntry> libraries = zip.stream()
                    .filter(entry -> NATIVE.matcher(entry.getName()).matches())
                    .toList();
            if (libraries.isEmpty()) {
                Files.copy(jar, copy);
                return;
            }
            List<? extends ZipEntry> ours = libraries.stream()
                    .filter(entry -> ofThisMachine.matcher(entry.getName()).matches())
                    .toList();
            if (ours.size() != 1) {
                throw new IllegalStateException(jar + " has native libraries, of which one should be this machine's: "
                        + libraries.stream().map(ZipEntry::getName).toList());
            }
            Files.createDirectories(natives);
            Path name = Path.of(ours.getFirst().getName()).getFileName();
            Files.copy(zip.getInputStream(ours.getFirst()), natives.resolve(name));
            write(zip, copy);
        }
    }

    private static void write(ZipFile zip, Path copy) throws IOException {
        try (OutputStream file = Files.newOutputStream(copy);
                ZipOutputStream out = new ZipOutputStream(file)) {
            for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().<ZipEntry>map(e -> e)::iterator) {
                if (!NATIVE.matcher(entry.getName()).matches()) {
                    ZipEntry kept = new ZipEntry(entry.getName());
                    kept.setTimeLocal(LocalDateTime.ofInstant(TIME, ZoneOffset.UTC));
                    out.putNextEntry(kept);
                    zip.getInputStream(entry).transferTo(out);
                    out.closeEntry();
                }
            }
        }
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }
}
