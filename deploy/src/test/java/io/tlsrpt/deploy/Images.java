package io.tlsrpt.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The project's images, built by the Dockerfile that users build with, from the jars of this build.
final class Images {

    /// Label and tag: what users run as `latest` stays theirs.
    static final String VERSION = "test";

    private static final List<String> SERVICES =
            List.of("ingest-service", "stream-processor", "alerting-service", "console", "standalone");
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path CONTEXT = ROOT.resolve("deploy/target/context");

    private static @Nullable Map<String, String> built;

    private Images() {}

    /// The name of each service's image. Built once in the life of this process, and quickly where nothing has changed
    /// since an earlier one.
    static synchronized Map<String, String> built() {
        Map<String, String> images = built;
        if (images == null) {
            makeContext();
            images = new LinkedHashMap<>();
            for (String service : SERVICES) {
                String name = "tlsrpt/" + service + ':' + VERSION;
                docker(
                        "build",
                        "--network",
                        "none", // all that is needed is in the context and in the base images
                        "--file",
                        CONTEXT.resolve("deploy/Dockerfile").toString(),
                        "--target",
                        service,
                        "--build-arg",
                        "VERSION=" + VERSION,
                        "--tag",
                        name,
                        CONTEXT.toString());
                images.put(service, name);
            }
            images = Collections.unmodifiableMap(images);
            built = images;
        }
        return images;
    }

    /// What the docker command line says to standard output.
    ///
    /// @throws IllegalStateException when it fails, with what it says to standard error
    static String docker(String... arguments) {
        return docker(false, arguments);
    }

    /// The end of what a container has written to both of its outputs.
    static String log(String container) {
        return docker(true, "logs", "--tail", "100", container);
    }

    private static String docker(boolean withErrors, String... arguments) {
        List<String> command = new ArrayList<>(List.of("docker"));
        command.addAll(List.of(arguments));
        try {
            Path complaints = Files.createTempFile("docker", ".err");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectErrorStream(withErrors)
                        .redirectError(withErrors ? Redirect.PIPE : Redirect.to(complaints.toFile()))
                        .start();
                process.getOutputStream().close();
                String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                int status = process.waitFor();
                if (status != 0) {
                    throw new IllegalStateException(
                            command + " ended with " + status + ": " + answer + Files.readString(complaints));
                }
                return answer.strip();
            } finally {
                Files.delete(complaints);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    /// What a build from source has inside, made from the modules' directories: `app/<service>/lib` and its SBOM,
    /// beside
    /// the Dockerfile and what it copies.
    private static void makeContext() {
        try {
            delete(CONTEXT);
            Files.createDirectories(CONTEXT.resolve("deploy"));
            Path deploy = ROOT.resolve("deploy");
            copy(deploy.resolve("Dockerfile"));
            try (Stream<Path> inputs = Files.walk(deploy.resolve("image"))) {
                inputs.forEach(Images::copy);
            }
            for (String service : SERVICES) {
                Path target = ROOT.resolve(service).resolve("target");
                Path app = CONTEXT.resolve("app").resolve(service);
                Path lib = Files.createDirectories(app.resolve("lib"));
                List<Path> own = new ArrayList<>(jars(target));
                own.removeIf(jar -> jar.toString().endsWith("-tests.jar"));
                if (own.size() != 1) {
                    throw new IllegalStateException("one jar is expected of " + service + ", found " + own);
                }
                link(own.getFirst(), lib);
                for (Path jar : jars(target.resolve("lib"))) {
                    link(jar, lib);
                }
                link(target.resolve("sbom.json"), app);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static void copy(Path input) {
        try {
            Files.copy(
                    input,
                    CONTEXT.resolve(ROOT.relativize(input)),
                    StandardCopyOption.COPY_ATTRIBUTES); // some are executable
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static List<Path> jars(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .sorted()
                    .toList();
        }
    }

    private static void link(Path file, Path directory) throws IOException {
        Files.createLink(directory.resolve(file.getFileName()), file);
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failed) throws IOException {
                if (failed != null) {
                    throw failed;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
