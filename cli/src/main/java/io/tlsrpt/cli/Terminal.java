package io.tlsrpt.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;

/// Where a command writes, and a person answers.
///
/// @param interactive whether a person looks on
/// @param coloured whether colours are shown; never with NO_COLOR
record Terminal(BufferedReader in, PrintWriter out, PrintWriter err, boolean interactive, boolean coloured) {

    private static final String RESET = "\u001b[0m";
    private static final int WIDTH = 100;
    private static final int TEXT_AT = 16;

    /// Text of strangers, made harmless: what would move the cursor, change colours, hide or reorder text is written as
    /// `\u001b`.
    static String shown(String text) {
        StringBuilder shown = new StringBuilder(text.length());
        text.codePoints().forEach(character -> {
            switch (Character.getType(character)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.SURROGATE,
                        Character.PRIVATE_USE,
                        Character.UNASSIGNED,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR -> shown.append(String.format(Locale.ROOT, "\\u%04x", character));
                default -> shown.appendCodePoint(character);
            }
        });
        return shown.toString();
    }

    void line(String line) {
        out.println(line);
        out.flush();
    }

    void error(String line) {
        err.println(red(line));
        err.flush();
    }

    /// Asks the person; only y or yes agrees.
    boolean agrees(String question) {
        out.print(question + " [y/N] ");
        out.flush();
        try {
            String answer = in.readLine();
            return answer != null && answer.strip().toLowerCase(Locale.ROOT).matches("y|yes");
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    String red(String text) {
        return coloured ? "\u001b[31m" + text + RESET : text;
    }

    String yellow(String text) {
        return coloured ? "\u001b[33m" + text + RESET : text;
    }

    String bold(String text) {
        return coloured ? "\u001b[1m" + text + RESET : text;
    }

    /// A label and its text, which goes on below itself where it is long.
    void field(String label, String text) {
        StringBuilder line = new StringBuilder(label).repeat(" ", Math.max(1, TEXT_AT - label.length()));
        int words = 0;
        for (String word : text.split(" ", -1)) {
            if (words > 0 && line.length() + 1 + word.length() > WIDTH) {
                line(line.toString());
                line.setLength(0);
                line.repeat(" ", TEXT_AT);
                words = 0;
            }
            line.append(words == 0 ? "" : " ").append(word);
            words++;
        }
        line(line.toString());
    }

    /// Rows under a header, in columns as wide as their widest cell but at most 60; the last column is not cut.
    void table(List<String> header, List<List<String>> rows) {
        int columns = header.size();
        int[] widths = new int[columns];
        for (int column = 0; column < columns; column++) {
            widths[column] = header.get(column).length();
            for (List<String> row : rows) {
                widths[column] = Math.clamp(row.get(column).length(), widths[column], 60);
            }
        }
        line(bold(padded(header, widths)));
        rows.forEach(row -> line(padded(row, widths)));
    }

    private static String padded(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < row.size(); column++) {
            String cell = row.get(column);
            if (column == row.size() - 1) {
                line.append(cell);
            } else {
                String cut = cell.length() > widths[column] ? cell.substring(0, widths[column] - 1) + "…" : cell;
                line.append(cut).repeat(" ", widths[column] - cut.length() + 2);
            }
        }
        return line.toString().stripTrailing();
    }
}
