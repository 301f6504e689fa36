package io.tlsrpt.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The settings of a file that may change while the process runs. A bad file changes nothing: the last good one stays.
public final class LiveSettings implements Supplier<Settings> {

    private static final Logger LOG = LoggerFactory.getLogger(LiveSettings.class);

    private final @Nullable Path file;
    private final UnaryOperator<Settings> adapted;
    private volatile Settings settings;
    private @Nullable FileTime modified;

    private LiveSettings(@Nullable Path file, Settings settings, UnaryOperator<Settings> adapted) {
        this.file = file;
        this.settings = adapted.apply(settings);
        this.adapted = adapted;
        this.modified = file == null ? null : modified(file);
    }

    /// @param adapted what the process adds to each version, such as the embedded broker's address
    /// @throws SettingsFault when the first version is bad
    public static LiveSettings of(@Nullable Path file, UnaryOperator<Settings> adapted) {
        return new LiveSettings(file, file == null ? SettingsFile.defaults() : SettingsFile.read(file), adapted);
    }

    /// Settings that do not change.
    public static LiveSettings fixed(Settings settings) {
        return new LiveSettings(null, settings, UnaryOperator.identity());
    }

    @Override
    public Settings get() {
        return settings;
    }

    /// Reads the file again if it changed since the last look.
    void look() {
        if (file == null) {
            return;
        }
        FileTime now = modified(file);
        if (now == null || now.equals(modified)) {
            return;
        }
        modified = now;
        try {
            Settings read = adapted.apply(SettingsFile.read(file));
            if (!read.equals(settings)) {
                if (!read.onlyReloadableDiffers(settings)) {
                    LOG.atWarn()
                            .addKeyValue("file", file)
                            .log(
                                    "settings changed that need a restart; domains, tokens, networks, rules and receivers apply now");
                }
                settings = read;
                LOG.atInfo().addKeyValue("file", file).log("settings reloaded");
            }
        } catch (SettingsFault bad) {
            LOG.atError().addKeyValue("faults", bad.getMessage()).log("settings not reloaded, the last good ones stay");
        }
    }

    private static @Nullable FileTime modified(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException absentForNow) {
            return null; // an editor is replacing it; the next look finds it
        }
    }
}
