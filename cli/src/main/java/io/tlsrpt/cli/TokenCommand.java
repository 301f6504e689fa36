package io.tlsrpt.cli;

import io.tlsrpt.runtime.Caller;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.runtime.Settings;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `./tlsrpt token`: a new token, 256 random bits, and the entry of the configuration that knows it by its hash.
@Command(
        name = "token",
        mixinStandardHelpOptions = true,
        description = {
            "Makes a token for somebody who may use the API, and its entry for the configuration.",
            "The token is kept nowhere: give it to whoever it is for. The entry holds only its hash."
        })
final class TokenCommand implements Callable<Integer> {

    private static final int BYTES = 32;

    /// By which programs that look for leaked secrets know it.
    private static final String PREFIX = "tlsrpt_";

    private final Terminal terminal;
    private final RandomGenerator random;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec command;

    @Parameters(paramLabel = "NAME", description = "Whose it is: shown beside what they do.")
    private String name = "";

    @Option(
            names = "--role",
            paramLabel = "ROLE",
            description = "read or operate, ${DEFAULT-VALUE} by default: operate also imports and acts on alerts.")
    private Caller.Role role = Caller.Role.READ;

    @Option(
            names = "--label",
            paramLabel = "KEY=VALUE",
            description = "Only domains with this label are shown; may be given more than once.")
    private Map<String, String> labels = new TreeMap<>();

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    /// @param random that nobody can foretell
    TokenCommand(Terminal terminal, RandomGenerator random) {
        this.terminal = terminal;
        this.random = random;
    }

    @Override
    public Integer call() {
        byte[] secret = new byte[BYTES];
        random.nextBytes(secret);
        String token = PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
        Settings.Api.Bearer entry;
        try {
            entry = new Settings.Api.Bearer(name, new Secret(sha256(token)), role, labels);
        } catch (IllegalArgumentException badName) {
            throw new ParameterException(command.commandLine(), String.valueOf(badName.getMessage()), badName);
        }
        if (json) {
            terminal.line(Server.ASCII.writeValueAsString(members(token, entry)));
        } else {
            terminal.line(token);
            terminal.line("");
            terminal.line("# this token is shown only now; what knows it, for the configuration:");
            terminal.line("api:");
            terminal.line("  tokens:");
            terminal.line("    - name: " + quoted(entry.name()));
            terminal.line("      sha256: " + entry.sha256().reveal());
            terminal.line("      role: " + entry.role().word());
            if (!labels.isEmpty()) {
                terminal.line("      labels: "
                        + labels.entrySet().stream()
                                .map(label -> quoted(label.getKey()) + ": " + quoted(label.getValue()))
                                .collect(Collectors.joining(", ", "{", "}")));
            }
        }
        return 0;
    }

    private static Map<String, Object> members(String token, Settings.Api.Bearer entry) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("token", token);
        members.put("name", entry.name());
        members.put("sha256", entry.sha256().reveal());
        members.put("role", entry.role().word());
        members.put("labels", entry.labels());
        return members;
    }

    /// YAML takes the texts of JSON as they are.
    private static String quoted(String text) {
        return Server.ASCII.writeValueAsString(text);
    }

    private static String sha256(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
