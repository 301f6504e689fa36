package io.tlsrpt.connect;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/// A real PostgreSQL on a free loopback port with its data in a directory of its own. Where the test runs as root the
/// server runs as the user `postgres`, because it refuses root.
final class Postgres implements AutoCloseable {

    private static final Path PACKAGED = Path.of("/usr/lib/postgresql");

    private final Path directory;
    private final Path programs;
    private final int port;
    private final Process server;

    /// @param directory that the server's user may enter
    Postgres(Path directory) throws IOException {
        this.directory = directory;
        programs = programs();
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Path data = directory.resolve("data");
        run("initdb", "--auth=trust", "--encoding=UTF8", "--no-sync", "--username=tlsrpt", "-D", data.toString());
        server = start(
                "postgres",
                "-D",
                data.toString(),
                "-p",
                Integer.toString(port),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                // not UTC, as on many a server
                "-c",
                "timezone=Asia/Kolkata",
                "-c",
                "fsync=off");
        await().atMost(Duration.ofSeconds(60)).ignoreExceptions().until(() -> ask("SELECT 1"), List.of("1")::equals);
    }

    /// As the connector's `connection.url` has it, with the options of the one given.
    String url(String configured) {
        int options = configured.indexOf('?');
        return "jdbc:postgresql://127.0.0.1:" + port + "/postgres" + (options < 0 ? "" : configured.substring(options));
    }

    void execute(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /// The rows, each as its values with ` | ` between; absent ones are empty.
    List<String> ask(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> answer = new ArrayList<>();
            while (rows.next()) {
                StringJoiner row = new StringJoiner(" | ");
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    String value = rows.getString(i);
                    row.add(value == null ? "" : value);
                }
                answer.add(row.toString());
            }
            return answer;
        } catch (SQLException failed) {
            throw new IllegalStateException(sql, failed);
        }
    }

    @Override
    public void close() throws IOException {
        server.destroy();
        try {
            if (!server.waitFor(30, TimeUnit.SECONDS)) {
                server.destroyForcibly();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(url("?options=-c%20TimeZone=UTC"), "tlsrpt", "");
    }

    private void run(String... command) throws IOException {
        Process process = start(command);
        try {
            if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
                throw new IllegalStateException(command[0] + ": " + Files.readString(log(command[0])));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private Process start(String... command) throws IOException {
        List<String> words = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            words.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"));
        }
        words.add(programs.resolve(command[0]).toString());
        words.addAll(List.of(command).subList(1, command.length));
        return new ProcessBuilder(words)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log(command[0]).toFile())
                .start();
    }

    private Path log(String program) {
        return directory.resolve(program + ".log");
    }

    /// Of the newest version that is installed; without any the test is skipped and says so.
    private static Path programs() {
        if (Files.isDirectory(PACKAGED)) {
            try (Stream<Path> versions = Files.list(PACKAGED)) {
                var newest = versions.map(version -> version.resolve("bin"))
                        .filter(bin -> Files.isExecutable(bin.resolve("initdb")))
                        .max(Comparator.comparing(Path::toString));
                if (newest.isPresent()) {
                    return newest.get();
                }
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }
        return Assumptions.abort("PostgreSQL is missing (Debian package postgresql): skipped");
    }
}
