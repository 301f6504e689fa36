package io.tlsrpt.runtime;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/// Reads the configuration file into [Settings], strictly: an unknown key, a wrong type or a missing value is a fault
/// with its
/// line, and all faults are told at once. `${NAME}` in a value is replaced from the environment, as a shell would:
/// `${NAME:-otherwise}` has a value of its own for a variable that is absent or empty, `${NAME:?what to do}` a fault. A
/// secret `key` may be given as `key-file`, the name of a file that holds it.
public final class SettingsFile {

    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::([-?])([^}]*))?}");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})\\s*(ms|s|m|h|d)");
    private static final int MAX_FILE_BYTES = 4 * 1024 * 1024;

    private final String file;
    private final Function<String, @Nullable String> environment;
    private final List<SettingsFault.Fault> faults = new ArrayList<>();

    private SettingsFile(String file, Function<String, @Nullable String> environment) {
        this.file = file;
        this.environment = environment;
    }

    /// The settings of a file.
    ///
    /// @throws SettingsFault with all faults
    public static Settings read(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                throw new SettingsFault(List.of(new SettingsFault.Fault(
                        file.toString(), 0, "", "no such file; ./tlsrpt init writes one to start from")));
            }
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new SettingsFault(List.of(new SettingsFault.Fault(file.toString(), 0, "", "larger than 4 MiB")));
            }
            return parse(file.toString(), Files.readString(file), System::getenv);
        } catch (IOException unreadable) {
            throw new SettingsFault(List.of(
                    new SettingsFault.Fault(file.toString(), 0, "", "cannot be read: " + unreadable.getMessage())));
        }
    }

    /// What an absent configuration file means.
    public static Settings defaults() {
        return parse("defaults", "", name -> null);
    }

    /// The settings of a text.
    ///
    /// @param file its name, for faults
    /// @param environment value of a variable, or null
    /// @throws SettingsFault with all faults
    public static Settings parse(String file, String text, Function<String, @Nullable String> environment) {
        SettingsFile reader = new SettingsFile(file, environment);
        Optional<Node> root = Optional.empty();
        try {
            LoadSettings load = LoadSettings.builder()
                    .setLabel(file)
                    .setAllowDuplicateKeys(true) // told as faults of ours, with the others
                    .setMaxAliasesForCollections(0)
                    .build();
            root = new Compose(load).composeString(text);
        } catch (MarkedYamlEngineException noYaml) {
            reader.fault(
                    noYaml.getProblemMark().map(Mark::getLine).orElse(-1) + 1, "", "not YAML: " + noYaml.getProblem());
        } catch (YamlEngineException noYaml) {
            reader.fault(0, "", "not YAML: " + noYaml.getMessage());
        }
        Object settings = reader.section(Settings.class, root.orElse(null), "", 0);
        if (!reader.faults.isEmpty() || settings == null) {
            throw new SettingsFault(reader.faults);
        }
        return (Settings) settings;
    }

    private @Nullable Object section(Class<?> type, @Nullable Node node, String path, int line) {
        int faultsBefore = faults.size();
        Map<String, NodeTuple> tuples = new LinkedHashMap<>();
        if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                String key = tuple.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "?";
                if (tuples.put(key, tuple) != null) {
                    fault(line(tuple.getKeyNode()), join(path, key), "stands twice");
                }
            }
        } else if (node != null && !isNull(node)) {
            fault(line(node), path, "expected a section (keys and values)");
            return null;
        }
        RecordComponent[] components = type.getRecordComponents();
        @Nullable Object[] values = new @Nullable Object[components.length];
        for (int i = 0; i < components.length; i++) {
            values[i] = component(components[i], tuples, path, node == null ? line : line(node));
        }
        for (Map.Entry<String, NodeTuple> unknown : tuples.entrySet()) {
            fault(
                    line(unknown.getValue().getKeyNode()),
                    join(path, unknown.getKey()),
                    "unknown key; known here: "
                            + Arrays.stream(components)
                                    .map(c -> kebab(c.getName()))
                                    .collect(Collectors.joining(", ")));
        }
        if (faults.size() > faultsBefore) {
            return null;
        }
        try {
            Class<?>[] types =
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (InvocationTargetException refused) {
            if (refused.getCause() instanceof IllegalArgumentException why) {
                fault(node == null ? line : line(node), path, String.valueOf(why.getMessage()));
                return null;
            }
            throw new IllegalStateException(refused);
        } catch (ReflectiveOperationException notOurs) {
            throw new IllegalStateException(notOurs);
        }
    }

    private @Nullable Object component(
            RecordComponent component, Map<String, NodeTuple> tuples, String path, int sectionLine) {
        String key = kebab(component.getName());
        String at = join(path, key);
        NodeTuple tuple = tuples.remove(key);
        NodeTuple fileTuple = component.getType() == Secret.class ? tuples.remove(key + "-file") : null;
        if (fileTuple != null) {
            if (tuple != null) {
                fault(line(fileTuple.getKeyNode()), at + "-file", "give either " + key + " or " + key + "-file");
            }
            return secretFile(fileTuple.getValueNode(), at + "-file");
        }
        Class<?> type = component.getType();
        if (tuple != null && !isNull(tuple.getValueNode())) {
            return value(component.getGenericType(), tuple.getValueNode(), at);
        }
        Setting setting = component.getAnnotation(Setting.class);
        if (setting == null) {
            throw new IllegalStateException(type + " " + at + " has no @Setting");
        }
        if (!setting.byDefault().isEmpty()) {
            return scalar(type, setting.byDefault(), at, sectionLine);
        }
        if (nullable(component)) {
            return null;
        }
        if (type == List.class) {
            return List.of();
        }
        if (type == Map.class) {
            return Map.of();
        }
        if (type.isRecord() && isSection(type)) {
            return section(type, null, at, sectionLine);
        }
        fault(sectionLine, at, "is required");
        return null;
    }

    private @Nullable Object value(Type type, Node node, String path) {
        if (type instanceof ParameterizedType generic && generic.getRawType() == List.class) {
            if (!(node instanceof SequenceNode sequence)) {
                fault(line(node), path, "expected a list");
                return null;
            }
            List<Object> elements = new ArrayList<>();
            int i = 0;
            for (Node element : sequence.getValue()) {
                Object read = value(generic.getActualTypeArguments()[0], element, path + "[" + i++ + "]");
                if (read != null) {
                    elements.add(read);
                }
            }
            return List.copyOf(elements);
        }
        if (type instanceof ParameterizedType generic && generic.getRawType() == Map.class) {
            if (!(node instanceof MappingNode mapping)) {
                fault(line(node), path, "expected keys and values");
                return null;
            }
            Map<String, String> map = new LinkedHashMap<>();
            for (NodeTuple tuple : mapping.getValue()) {
                String key = tuple.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "?";
                Object text = value(String.class, tuple.getValueNode(), join(path, key));
                if (text != null && map.put(key, (String) text) != null) {
                    fault(line(tuple.getKeyNode()), join(path, key), "stands twice");
                }
            }
            return Collections.unmodifiableMap(map); // in the order of the file, so that every instance answers alike
        }
        Class<?> type1 = (Class<?>) type;
        if (isSection(type1)) {
            return section(type1, node, path, line(node));
        }
        if (!(node instanceof ScalarNode scalar)) {
            fault(line(node), path, "expected a single value");
            return null;
        }
        String text = substitute(scalar.getValue(), path, line(node));
        if (text == null) {
            return null;
        }
        if (type1 == boolean.class && scalar.getScalarStyle() != ScalarStyle.PLAIN) {
            fault(line(node), path, "expected true or false, without quotes");
            return null;
        }
        return scalar(type1, text, path, line(node));
    }

    private @Nullable Object scalar(Class<?> type, String text, String path, int line) {
        try {
            if (type == String.class) {
                return nonEmpty(text);
            } else if (type == Secret.class) {
                return new Secret(nonEmpty(text));
            } else if (type == boolean.class) {
                return switch (text) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw new IllegalArgumentException("expected true or false");
                };
            } else if (type == int.class || type == long.class) {
                return wholeNumber(type, text);
            } else if (type == Path.class) {
                return Path.of(nonEmpty(text));
            } else if (type == Duration.class) {
                return duration(text);
            } else if (type == LocalDate.class) {
                return day(text);
            } else if (type == ByteSize.class) {
                return ByteSize.parse(text);
            } else if (type == HostPort.class) {
                return HostPort.parse(text);
            } else if (type == Network.class) {
                return Network.parse(text);
            } else if (type.isEnum()) {
                return word(type, text);
            }
            throw new IllegalStateException("no reading for " + type);
        } catch (IllegalArgumentException | ArithmeticException wrong) {
            fault(line, path, wrong.getMessage() + (type == Secret.class ? "" : ", found \"" + text + "\""));
            return null;
        }
    }

    private @Nullable Object secretFile(Node node, String path) {
        Object name = value(String.class, node, path);
        if (name == null) {
            return null;
        }
        try {
            return new Secret(nonEmpty(Files.readString(Path.of((String) name), StandardCharsets.UTF_8)
                    .strip()));
        } catch (IOException | UncheckedIOException unreadable) {
            fault(line(node), path, "cannot be read: " + unreadable.getMessage());
        } catch (IllegalArgumentException empty) {
            fault(line(node), path, "the file is empty");
        }
        return null;
    }

    private @Nullable String substitute(String text, String path, int line) {
        Matcher matcher = VARIABLE.matcher(text);
        StringBuilder result = new StringBuilder();
        while (matcher.find()) {
            String name = matcher.group(1);
            String value = environment.apply(name);
            if (matcher.group(2) != null && (value == null || value.isEmpty())) {
                value = matcher.group(2).equals("-") ? matcher.group(3) : null;
            }
            if (value == null) {
                String hint = "?".equals(matcher.group(2)) ? ": " + matcher.group(3) : "";
                fault(line, path, "the environment has no variable " + name + hint);
                return null;
            }
            matcher.appendReplacement(result, Matcher.quoteReplacement(value));
        }
        return matcher.appendTail(result).toString();
    }

    private void fault(int line, String path, String message) {
        faults.add(new SettingsFault.Fault(file, line, path, message));
    }

    private static Object wholeNumber(Class<?> type, String text) {
        try {
            if (type == int.class) {
                return Integer.valueOf(text);
            }
            return Long.valueOf(text);
        } catch (NumberFormatException notOne) {
            throw new IllegalArgumentException("expected a whole number", notOne);
        }
    }

    private static Duration duration(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("expected a duration such as 500ms, 3s, 5m, 24h or 400d");
        }
        long amount = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
        };
    }

    private static LocalDate day(String text) {
        try {
            return LocalDate.parse(text);
        } catch (DateTimeParseException noDay) {
            throw new IllegalArgumentException("expected a day such as 2026-01-31", noDay);
        }
    }

    private static Object word(Class<?> type, String text) {
        for (Object constant : type.getEnumConstants()) {
            if (kebab(constant.toString().toLowerCase(Locale.ROOT).replace('_', '-'))
                    .equals(text)) {
                return constant;
            }
        }
        throw new IllegalArgumentException("expected one of "
                + Arrays.stream(type.getEnumConstants())
                        .map(constant ->
                                constant.toString().toLowerCase(Locale.ROOT).replace('_', '-'))
                        .collect(Collectors.joining(", ")));
    }

    private static String nonEmpty(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException("expected some text");
        }
        return text;
    }

    static boolean isSection(Class<?> type) {
        return type.isRecord()
                && type != Secret.class
                && type != HostPort.class
                && type != Network.class
                && type != ByteSize.class;
    }

    static boolean nullable(RecordComponent component) {
        return component.getAnnotatedType().isAnnotationPresent(Nullable.class);
    }

    static String kebab(String camel) {
        return camel.replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
    }

    private static String join(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private static boolean isNull(Node node) {
        return node instanceof ScalarNode scalar
                && scalar.getScalarStyle() == ScalarStyle.PLAIN
                && (scalar.getValue().isEmpty()
                        || scalar.getValue().equals("null")
                        || scalar.getValue().equals("~"));
    }

    private static int line(Node node) {
        return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
    }
}
