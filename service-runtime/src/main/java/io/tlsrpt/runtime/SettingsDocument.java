package io.tlsrpt.runtime;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The configuration explained, made from the words on [Settings]: a reference in Markdown and a commented file to
/// start from.
public final class SettingsDocument {

    private SettingsDocument() {}

    /// The reference: one table row per key.
    public static String markdown() {
        StringBuilder out = new StringBuilder();
        out.append("| key | type | default | what it means |\n|---|---|---|---|\n");
        rows(Settings.class, "", out);
        return out.toString();
    }

    /// A commented file in which every line is a default or an example, switched off.
    public static String starter() {
        StringBuilder out = new StringBuilder();
        out.append(
                "# Configuration of tlsrpt. Everything here is optional: what stands behind # is the default or an example.\n");
        out.append("# ${NAME} is replaced from the environment; a secret may be given as <key>-file instead.\n");
        lines(Settings.class, 0, false, out);
        return out.toString();
    }

    private static void rows(Class<?> type, String prefix, StringBuilder out) {
        for (RecordComponent component : type.getRecordComponents()) {
            String key = prefix + SettingsFile.kebab(component.getName());
            Class<?> element = element(component);
            if (element == null && SettingsFile.isSection(component.getType())) {
                out.append("| **`")
                        .append(key)
                        .append("`** | section | ")
                        .append(SettingsFile.nullable(component) ? "absent" : "")
                        .append(" | ")
                        .append(words(component))
                        .append(" |\n");
                rows(component.getType(), key + ".", out);
                continue;
            }
            out.append("| `")
                    .append(key)
                    .append("` | ")
                    .append(typeName(component, element))
                    .append(" | ")
                    .append(defaultOf(component))
                    .append(" | ")
                    .append(words(component))
                    .append(" |\n");
            if (element != null && SettingsFile.isSection(element)) {
                rows(element, key + "[].", out);
            }
        }
    }

    private static void lines(Class<?> type, int depth, boolean inList, StringBuilder out) {
        String indent = "  ".repeat(depth);
        boolean first = inList;
        for (RecordComponent component : type.getRecordComponents()) {
            String key = SettingsFile.kebab(component.getName());
            Class<?> element = element(component);
            String lead = "#" + indent + (first ? "- " : inList ? "  " : "");
            String comment = "# " + indent + (inList ? "  " : "") + "## " + words(component) + "\n";
            first = false;
            out.append('\n').append(comment);
            int inner = depth + (inList ? 2 : 1);
            if (element != null && SettingsFile.isSection(element)) {
                out.append(lead).append(key).append(":\n");
                lines(element, inner, true, out);
            } else if (element == null && SettingsFile.isSection(component.getType())) {
                out.append(lead).append(key).append(":\n");
                lines(component.getType(), inner, false, out);
            } else {
                String byDefault = setting(component).byDefault();
                String value = !byDefault.isEmpty()
                        ? byDefault
                        : component.getType() == List.class ? "[]" : component.getType() == Map.class ? "{}" : "…";
                out.append(lead).append(key).append(": ").append(value).append('\n');
            }
        }
    }

    private static @Nullable Class<?> element(RecordComponent component) {
        if (component.getType() == List.class
                && component.getGenericType() instanceof ParameterizedType generic
                && generic.getActualTypeArguments()[0] instanceof Class<?> element) {
            return element;
        }
        return null;
    }

    private static String typeName(RecordComponent component, @Nullable Class<?> element) {
        if (element != null) {
            return "list";
        }
        Class<?> type = component.getType();
        if (type == Map.class) {
            return "keys and values";
        } else if (type == LocalDate.class) {
            return "day";
        } else if (type == Duration.class) {
            return "duration";
        } else if (type == ByteSize.class) {
            return "size";
        } else if (type == HostPort.class) {
            return "host:port";
        } else if (type == Secret.class) {
            return "secret";
        } else if (type == int.class || type == long.class) {
            return "number";
        } else if (type == boolean.class) {
            return "true or false";
        } else if (type.isEnum()) {
            return "word";
        }
        return type == String.class ? "text" : "path";
    }

    private static String defaultOf(RecordComponent component) {
        String byDefault = setting(component).byDefault();
        if (!byDefault.isEmpty()) {
            return "`" + byDefault + "`";
        }
        if (component.getType() == List.class || component.getType() == Map.class) {
            return "empty";
        }
        return SettingsFile.nullable(component) ? "absent" : "**required**";
    }

    private static String words(RecordComponent component) {
        return setting(component).value();
    }

    private static Setting setting(RecordComponent component) {
        return java.util.Objects.requireNonNull(component.getAnnotation(Setting.class));
    }
}
