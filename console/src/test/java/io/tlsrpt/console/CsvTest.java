package io.tlsrpt.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.databind.node.StringNode;

class CsvTest {

    @Test
    void plainTextStaysAsItIs() throws IOException {
        assertThat(line("mx1.example.com", "2026-11-20", "Grüße 你好 😀"))
                .isEqualTo("mx1.example.com,2026-11-20,\"Grüße 你好 😀\"\r\n");
    }

    @Test
    void whatSeparatesIsQuotedAndQuotesAreDoubled() throws IOException {
        assertThat(line("a,b", "say \"no\"", "x;y")).isEqualTo("\"a,b\",\"say \"\"no\"\"\",\"x;y\"\r\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "=1+1",
                "+1",
                "-1",
                "@SUM(A1)",
                "\t=1",
                "\rx",
                "\tx",
                " =1",
                "\u00a0=1",
                "\u3000-1",
                "\u200b=1",
                "\n=1",
                "\u0000=1",
                "＝1",
                "＋1",
                "－1",
                "＠x",
                "﹦1",
                "−1",
                "\ufeff=1"
            })
    void whatBeginsLikeAFormulaGetsAnApostrophe(String text) throws IOException {
        String cell = line(text).replace("\r\n", "");

        assertThat(cell.startsWith("\"") ? cell.substring(1) : cell).startsWith("'");
    }

    @Test
    void behindASemicolonNoFormulaBeginsEither() throws IOException {
        assertThat(line("x;=1;  @y; z; a-b=c")).isEqualTo("\"x;'=1;'  @y; z; a-b=c\"\r\n");
    }

    @Test
    void aListOfHostileElementsHasNoFormula() throws IOException {
        assertThat(cells(Json.MAPPER.readTree("[\"=1\",\"ok\",\"@x\"]")))
                .isEqualTo("\"'=1;' @x\"\r\n".replace("=1;", "=1; ok;"));
        assertThat(cells(Json.MAPPER.readTree("{\"team\":\"mail\",\"=x\":\"-1\"}")))
                .isEqualTo("\"team:mail;' =x:-1\"\r\n");
    }

    @Test
    void numbersStayNumbersAndTextThatLooksLikeOneDoesNot() throws IOException {
        assertThat(cells(Json.MAPPER.readTree("-5"), Json.MAPPER.readTree("\"-5\""), Json.MAPPER.readTree("2.8e-9")))
                .isEqualTo("-5,\"'-5\",2.8E-9\r\n");
        assertThat(cells(Json.MAPPER.readTree("true"), MissingNode.getInstance()))
                .isEqualTo("true,\r\n");
    }

    @Test
    void invisibleCharactersAreSeenAndARecordIsOneLine() throws IOException {
        assertThat(line("a\u202eb\u0007\u001b[31m\r\nc\u2028\u0085\ud800\udb40\udc01"))
                .isEqualTo("a\\u202eb\\u0007\\u001b[31m\\u000d\\u000ac\\u2028\\u0085\\ud800\\U000e0001\r\n");
    }

    /// What is in the records is in the tables.
    @Test
    void theColumnsOfATableAreTheMembersOfItsRecords() throws IOException {
        Map<CsvTable, String> records =
                Map.of(CsvTable.EVENTS, "event", CsvTable.REPORTS, "report", CsvTable.ALERTS, "alert");
        for (Map.Entry<CsvTable, String> table : records.entrySet()) {
            JsonNode schema = Json.MAPPER.readTree(
                    Files.readString(Path.of("../docs/schemas/" + table.getValue() + ".schema.json")));
            List<String> columns = table.getKey().columns().stream()
                    .map(column -> column.replaceFirst("\\..*", "").replaceFirst("^entry$", "entries"))
                    .distinct()
                    .toList();
            assertThat(columns)
                    .as(table.getValue())
                    .containsAll(schema.path("properties").propertyNames());
        }
        JsonNode cell = Json.MAPPER.readTree(Files.readString(Path.of("../docs/schemas/aggregate.schema.json")));
        List<String> members = new ArrayList<>(cell.path("properties").propertyNames());
        members.remove("failures");
        members.addAll(cell.at("/$defs/failure/properties").propertyNames());
        assertThat(CsvTable.AGGREGATES.columns()).containsAll(members);
    }

    private static String line(String... cells) throws IOException {
        return cells(Stream.of(cells).map(StringNode::valueOf).toArray(JsonNode[]::new));
    }

    private static String cells(JsonNode... cells) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Csv.write(List.of(cells), out);
        return out.toString(StandardCharsets.UTF_8);
    }
}
