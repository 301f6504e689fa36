package io.tlsrpt.connect;

import io.tlsrpt.connect.RecordSchemas.Nesting;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.connect.components.Versioned;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.storage.Converter;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// The converter by which sinks of Kafka Connect read our JSON topics: each record becomes a struct of the schema that
/// is
/// published for it, with columns in snake_case.
///
/// The header `schema` of a record says what it is. A tombstone stays null. A key that has a schema of its own, that of
/// aggregates, becomes a struct, any other key text. What is wrong is a [DataException] that names topic and member and
/// quotes nothing, so that `errors.tolerance` and a dead letter queue work as with any converter.
///
/// It only reads: [#fromConnectData] refuses.
public final class RecordConverter implements Converter, Versioned {

    static final String NESTED = "nested";
    static final String RECORD_TYPE = "record.type";
    static final String MAX_KEY_BYTES = "max.key.bytes";

    private static final String HEADER = "schema";
    private static final Pattern RECORD = Pattern.compile("[a-z]+(?:-[a-z]+)*");
    private static final Pattern SCHEMA = Pattern.compile("tlsrpt\\.(" + RECORD + ")/([1-9][0-9]{0,5})");
    private static final int MAX_HEADER_BYTES = 80;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static final ConfigDef CONFIG = new ConfigDef()
            .define(
                    NESTED,
                    ConfigDef.Type.STRING,
                    "json",
                    ConfigDef.CaseInsensitiveValidString.in("json", "struct"),
                    ConfigDef.Importance.MEDIUM,
                    "What members become that are objects or arrays: json (text, for tables) or struct (structs, maps"
                            + " and arrays, for document stores and files).")
            .define(
                    RECORD_TYPE,
                    ConfigDef.Type.STRING,
                    "",
                    (name, value) -> {
                        if (!"".equals(value) && new RecordSchemas(Nesting.JSON).find(recordType(value)) == null) {
                            throw new ConfigException(
                                    name, value, "no record of ours; event, aggregate and report are some");
                        }
                    },
                    ConfigDef.Importance.LOW,
                    "What records are that carry no header schema, such as event. Only for topics that something else"
                            + " copied without headers.")
            .define(
                    MAX_KEY_BYTES,
                    ConfigDef.Type.INT,
                    2000,
                    ConfigDef.Range.atLeast(1),
                    ConfigDef.Importance.LOW,
                    "A record with a longer key is an error. Keys hold words of whoever reports, and no index takes"
                            + " every length: PostgreSQL's ends at 2,704 bytes.");

    private boolean isKey;
    private String recordType = "";
    private int maxKeyBytes;
    private RecordSchemas schemas = new RecordSchemas(Nesting.JSON);

    @Override
    public ConfigDef config() {
        return CONFIG;
    }

    /// The version of tlsrpt; `undefined` outside of a jar.
    @Override
    public String version() {
        String version = RecordConverter.class.getPackage().getImplementationVersion();
        return version == null ? "undefined" : version;
    }

    @Override
    public void configure(Map<String, ?> configs, boolean isKey) {
        AbstractConfig config = new AbstractConfig(CONFIG, configs, false);
        this.isKey = isKey;
        recordType = config.getString(RECORD_TYPE);
        maxKeyBytes = config.getInt(MAX_KEY_BYTES);
        schemas = new RecordSchemas(Nesting.valueOf(config.getString(NESTED).toUpperCase(Locale.ROOT)));
    }

    @Override
    public SchemaAndValue toConnectData(String topic, byte @Nullable [] value) {
        return toConnectData(topic, null, value);
    }

    /// @throws DataException when it is no record that this plugin knows
    @Override
    public SchemaAndValue toConnectData(String topic, @Nullable Headers headers, byte @Nullable [] value) {
        if (value == null) {
            return SchemaAndValue.NULL;
        }
        if (isKey) {
            return key(topic, headers, value);
        }
        String record = record(topic, headers);
        Schema schema = schemas.find(record);
        if (schema == null) {
            throw new DataException(topic + ": " + record + " is no JSON record that this plugin knows");
        }
        return struct(topic, schema, value);
    }

    @Override
    public byte[] fromConnectData(String topic, Schema schema, Object value) {
        throw new DataException(topic + ": this converter reads our topics for sinks and writes nothing");
    }

    private SchemaAndValue key(String topic, @Nullable Headers headers, byte[] key) {
        if (key.length > maxKeyBytes) {
            throw new DataException(topic + ": the key has " + key.length + " bytes, over " + maxKeyBytes);
        }
        Schema schema = schemas.find(record(topic, headers) + "-key");
        return schema == null
                ? new SchemaAndValue(
                        Schema.STRING_SCHEMA, RecordValues.storable(new String(key, StandardCharsets.UTF_8)))
                : struct(topic, schema, key);
    }

    private static SchemaAndValue struct(String topic, Schema schema, byte[] json) {
        JsonNode node;
        try {
            node = MAPPER.readTree(json);
        } catch (JacksonException malformed) { // not as the cause: its message quotes the record
            throw new DataException(
                    topic + ": no JSON, at byte " + malformed.getLocation().getByteOffset());
        }
        return new SchemaAndValue(schema, RecordValues.struct(schema, node, topic));
    }

    /// The record's name without prefix and version, such as `event`.
    private String record(String topic, @Nullable Headers headers) {
        Header header = headers == null ? null : headers.lastHeader(HEADER);
        if (header == null || header.value() == null) {
            if (recordType.isEmpty()) {
                throw new DataException(topic + ": a record has no header schema; see " + RECORD_TYPE);
            }
            return recordType;
        }
        byte[] words = header.value();
        Matcher named =
                SCHEMA.matcher(words.length > MAX_HEADER_BYTES ? "" : new String(words, StandardCharsets.UTF_8));
        if (!named.matches()) {
            throw new DataException(topic + ": the header schema of a record names none of ours");
        }
        String record = Objects.requireNonNull(named.group(1));
        Schema schema = schemas.find(record);
        if (schema != null && schema.version() < Integer.parseInt(named.group(2))) {
            throw new DataException(topic + ": " + named.group() + " is newer than this plugin, which knows version "
                    + schema.version());
        }
        return record;
    }

    private static String recordType(Object value) {
        String name = value.toString();
        return RECORD.matcher(name).matches() ? name : "-";
    }
}
