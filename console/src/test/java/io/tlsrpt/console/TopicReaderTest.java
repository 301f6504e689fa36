package io.tlsrpt.console;

import static io.tlsrpt.console.FilledViews.DAY;
import static io.tlsrpt.console.FilledViews.NOW;
import static io.tlsrpt.console.FilledViews.TOPICS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class TopicReaderTest {

    private static final String DOMAIN = "example.com";
    private static final int PARTITION = Topics.partition(DOMAIN, RecordedTopics.PARTITIONS);
    private static final Parameters.Days NOVEMBER =
            new Parameters.Days(LocalDate.of(2026, 11, 1), LocalDate.of(2026, 11, 30));
    private static final TopicReader.EventFilter ALL_OF_NOVEMBER =
            new TopicReader.EventFilter(NOVEMBER, null, null, null, null);

    private final RecordedTopics topics = new RecordedTopics();
    private final List<MockConsumer<byte[], byte[]>> consumers = new ArrayList<>();
    private final TopicReader reader = new TopicReader(
            TOPICS,
            () -> {
                consumers.add(topics.consumer());
                return consumers.getLast();
            },
            Clock.fixed(NOW, ZoneOffset.UTC));

    @AfterEach
    void close() {
        reader.close();
        assertThat(consumers).allMatch(MockConsumer::closed);
    }

    @Test
    void eventsOfTheDomainAndTheDaysComeInOrderOfArrivalOverAllPages() {
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            boolean ours = i % 3 != 0;
            LocalDate day = i % 5 == 0 ? DAY.minusDays(60) : DAY.minusDays(i % 7);
            event(i * 2L, ours ? DOMAIN : "other.example", day, "e" + i);
            if (ours && i % 5 != 0) {
                expected.add("e" + i);
            }
        }

        List<JsonNode> rows = pages(cursor -> reader.events(DOMAIN, ALL_OF_NOVEMBER, cursor, PageLimit.rows(7)));

        assertThat(rows).extracting(row -> row.path("event-id").stringValue()).containsExactlyElementsOf(expected);
    }

    @Test
    void eventsThatArrivedLongBeforeTheFirstDayAreNotRead() {
        event(0, DOMAIN, DAY, "claims a day after its arrival", NOW.minus(Duration.ofDays(300)));
        event(1, DOMAIN, DAY, "now", NOW);

        assertThat(pages(cursor -> reader.events(DOMAIN, ALL_OF_NOVEMBER, cursor, PageLimit.rows(10))))
                .extracting(row -> row.path("event-id").stringValue())
                .containsExactly("now");
    }

    @Test
    void foreignBytesAmongTheEventsArePassedOver() {
        topics.add(
                TOPICS.events().name(),
                PARTITION,
                0,
                NOW.toEpochMilli(),
                bytes(DOMAIN),
                bytes("]["),
                new RecordHeaders());
        event(1, DOMAIN, DAY, "good", NOW);

        assertThat(pages(cursor -> reader.events(DOMAIN, ALL_OF_NOVEMBER, cursor, PageLimit.rows(10))))
                .hasSize(1);
    }

    @Test
    void noEventsIsACompletePage() {
        assertThat(pages(cursor -> reader.events(DOMAIN, ALL_OF_NOVEMBER, cursor, PageLimit.rows(10))))
                .isEmpty();
    }

    @Test
    void refusedDocumentsComeNewestFirstOverAllPartitionsAndPages() {
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            rejected(
                    i % RecordedTopics.PARTITIONS, i * 3L, NOW.plusSeconds(i), i % 10 == 0 ? "empty" : "not-json", "x");
            expected.addFirst(Long.toString(i * 3L));
        }

        List<JsonNode> rows = pages(cursor -> reader.rejected(refused(null), cursor, PageLimit.rows(7)));

        assertThat(rows)
                .extracting(row -> Long.toString(row.path("offset").longValue()))
                .containsExactlyElementsOf(expected);
        assertThat(pages(cursor -> reader.rejected(refused("empty"), cursor, PageLimit.rows(7))))
                .hasSize(20);
        assertThat(pages(cursor -> reader.rejected(refused("too-old"), cursor, PageLimit.rows(7))))
                .isEmpty();
    }

    @Test
    void aRefusedDocumentIsShownByItsBeginningUnlessItIsBinary() {
        rejected(0, 0, NOW, "not-json", "<script>\u001b[31m" + "x".repeat(5_000));
        rejected(0, 1, NOW.plusSeconds(1), "not-json", "\"quote\" </script>\u202e" + "x".repeat(5_000));

        List<JsonNode> rows = pages(cursor -> reader.rejected(refused(null), cursor, PageLimit.rows(7)));

        assertThat(rows.get(1).path("preview").isMissingNode()).isTrue();
        assertThat(rows.get(0).path("preview").stringValue())
                .startsWith("\"quote\" </script>\u202exxx")
                .hasSizeLessThanOrEqualTo(1_024);
        assertThat(rows.get(0).path("reason").stringValue()).isEqualTo("not-json");
        assertThat(rows.get(0).path("size").intValue()).isGreaterThan(5_000);
    }

    @Test
    void whatWasKeptInPartOrOutOfItsMailCannotBeJudgedAgain() {
        rejected(0, 0, NOW, "foreign-domain", "x");
        Headers head = new RecordHeaders();
        ReportHeaders.put(head, ReportHeaders.REASON, "foreign-domain");
        ReportHeaders.put(head, ReportHeaders.CUT, "true");
        topics.add(TOPICS.rejected().name(), 0, 1, NOW.plusSeconds(1).toEpochMilli(), bytes("k"), bytes("{"), head);
        rejected(0, 2, NOW.plusSeconds(2), "foreign-domain", "");
        rejected(0, 3, NOW.plusSeconds(3), "too-large", "x");
        rejected(0, 4, NOW.plusSeconds(4), "dkim-failed", "x"); // under the key of a report that was read
        Headers headers = new RecordHeaders();
        ReportHeaders.put(headers, ReportHeaders.REASON, "foreign-domain");
        ReportHeaders.put(headers, ReportHeaders.ENTRY, "2");
        topics.add(TOPICS.rejected().name(), 0, 5, NOW.plusSeconds(5).toEpochMilli(), bytes("k"), bytes("{}"), headers);

        assertThat(pages(cursor -> reader.rejected(refused(null), cursor, PageLimit.rows(7))))
                .extracting(row -> row.path("id").stringValue() + " "
                        + row.path("retry").stringValue() + " "
                        + row.path("entry").asString("-"))
                .containsExactly(
                        "0-5 never 2", "0-4 vouch -", "0-3 never -", "0-2 never -", "0-1 never -", "0-0 after-fix -");
    }

    @Test
    void aDocumentIsFoundByItsPositionOnlyUnderItsOwnKey() {
        topics.add(TOPICS.raw().name(), 1, 5, 0, bytes("key"), bytes("{}"), new RecordHeaders());

        assertThat(reader.document(new RawPosition(1, 5), "key")).isEqualTo(bytes("{}"));
        assertThat(reader.document(new RawPosition(1, 5), "other")).isNull();
        assertThat(reader.document(new RawPosition(1, 4), "key")).isNull();
        assertThat(reader.document(new RawPosition(1, 6), "key")).isNull();
    }

    @Test
    void aReaderThatFailedIsNotUsedAgainAndOthersAre() {
        assertThat(reader.document(new RawPosition(0, 0), "key")).isNull();
        assertThat(reader.document(new RawPosition(0, 0), "key")).isNull();
        assertThat(consumers).hasSize(1);

        event(0, DOMAIN, DAY, "e");
        consumers.getFirst().setPollException(new TimeoutException("away"));
        assertThatThrownBy(() -> reader.events(DOMAIN, ALL_OF_NOVEMBER, null, PageLimit.rows(1)))
                .isInstanceOf(TimeoutException.class);

        assertThat(reader.document(new RawPosition(0, 0), "key")).isNull();
        assertThat(consumers).hasSize(2);
        assertThat(consumers.getFirst().closed()).isTrue();
    }

    private void event(long offset, String domain, LocalDate day, String id) {
        event(offset, domain, day, id, NOW.plusMillis(offset));
    }

    private void event(long offset, String domain, LocalDate day, String id, Instant arrival) {
        Instant start = day.atStartOfDay().toInstant(ZoneOffset.UTC);
        Event event = new Event(
                "summary",
                id,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                1L,
                0L,
                domain,
                "sts",
                null,
                null,
                "google.com",
                null,
                "r",
                start,
                start,
                "dkim",
                "smtp",
                arrival,
                false,
                null);
        topics.add(
                TOPICS.events().name(),
                PARTITION,
                offset,
                arrival.toEpochMilli(),
                bytes(domain),
                Json.MAPPER.writeValueAsBytes(event),
                new RecordHeaders());
    }

    private void rejected(int partition, long offset, Instant at, String reason, String document) {
        Headers headers = new RecordHeaders();
        ReportHeaders.put(headers, ReportHeaders.REASON, reason);
        topics.add(
                TOPICS.rejected().name(), partition, offset, at.toEpochMilli(), bytes("k"), bytes(document), headers);
    }

    private static List<JsonNode> pages(Function<@Nullable Positions, Page> ask) {
        List<JsonNode> all = new ArrayList<>();
        Positions cursor = null;
        for (int page = 0; page < 1_000; page++) {
            JsonNode answer = Json.MAPPER.readTree(ask.apply(cursor).json(Map.of()));
            answer.path("rows").forEach(all::add);
            if (!answer.path("cursor").isString()) {
                return all;
            }
            cursor = Positions.parse(Cursor.text(answer.path("cursor").stringValue()));
        }
        throw new AssertionError("the pages do not end");
    }

    private static TopicReader.RejectedFilter refused(@Nullable String reason) {
        return new TopicReader.RejectedFilter(reason, null);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
