package io.tlsrpt.cli;

import io.tlsrpt.runtime.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Where the API is, and who asks. A token is never an argument: every user of the machine sees those.
final class ServerOption {

    /// What a header carries.
    private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]{1,512}");

    @Option(names = "--url", paramLabel = "URL", description = "The API, ${DEFAULT-VALUE} by default.")
    String url = Commands.Defaults.STANDALONE.url();

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "A file with the token that the API wants; TLSRPT_TOKEN in the environment by default.")
    private @Nullable Path tokenFile;

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec command;

    /// @throws Failure when there is a token that is none
    Server connect() {
        return new Server(url, token());
    }

    private @Nullable Secret token() {
        Path file = tokenFile;
        if (file != null) {
            try {
                return token(Files.readString(file, StandardCharsets.UTF_8).strip(), file.toString());
            } catch (IOException unreadable) {
                throw new Failure("the token cannot be read: " + unreadable.getMessage());
            }
        }
        Secret ofEnvironment =
                command != null && command.root().userObject() instanceof Commands commands ? commands.token() : null;
        return ofEnvironment == null ? null : token(ofEnvironment.reveal(), "TLSRPT_TOKEN");
    }

    private static Secret token(String text, String where) {
        if (!TOKEN.matcher(text).matches()) {
            throw new Failure(where + " holds no token: one line, as ./tlsrpt token prints it");
        }
        return new Secret(text);
    }
}
