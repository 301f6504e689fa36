package io.tlsrpt.benchmarks;

import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.ContentDigest;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.ReportKey;
import io.tlsrpt.report.ReportReader;
import io.tlsrpt.report.TlsReport;
import io.tlsrpt.standalone.GeneratedReports;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// One report of about 1.5 KB: one STS policy of one domain with six failure details, of a result type that no rule
/// judges, so that no alerts are measured.
///
/// @param json as it lies in the raw topic
/// @param gzip as it is posted
@SuppressWarnings("ArrayRecordComponent")
record Document(byte[] json, byte[] gzip, String reportKey, ReportHeaders headers) {

    static final int DETAILS = 6;

    private static final int SUBMITTERS = 20;
    private static final ReportReader READER = new ReportReader(ReportReader.Limits.DEFAULT);

    /// Distinct reports of one day, from 20 submitters about as many domains as it takes.
    ///
    /// @param run part of every domain, so that the reports of two runs have nothing in common
    /// @param receivedAt the reports are about the day before
    static List<Document> distinct(String run, int count, Instant receivedAt) {
        List<Document> documents = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            documents.add(of(
                    "sender" + i % SUBMITTERS + ".example",
                    "d" + i / SUBMITTERS + "." + run + ".example.com",
                    receivedAt));
        }
        return documents;
    }

    private static Document of(String submitter, String domain, Instant receivedAt) {
        LocalDate day = LocalDate.ofInstant(receivedAt, ZoneOffset.UTC).minusDays(1);
        ObjectNode report = Json.MAPPER.valueToTree(
                GeneratedReports.report(submitter, domain, day, 5_000, DETAILS, "sts-policy-invalid", "mx." + domain));
        ArrayNode details = (ArrayNode) report.at("/policies/0/failure-details");
        ObjectNode first = (ObjectNode) details.get(0);
        first.put("failed-session-count", 1);
        for (int i = 1; i < DETAILS; i++) {
            details.add(first.deepCopy().put("sending-mta-ip", "203.0.113." + i));
        }
        byte[] json = Json.MAPPER.writeValueAsBytes(report);
        TlsReport read = ((Reading.Read) READER.read(json)).report();
        ReportHeaders headers = new ReportHeaders(
                "https",
                receivedAt,
                "127.0.0.1",
                Authentication.NONE,
                null,
                read.submitter(),
                ContentDigest.sha256(read),
                null,
                List.of(),
                false,
                null,
                null);
        return new Document(json, gzip(json), ReportKey.of(read, null), headers);
    }

    /// The raw record that intake makes of it.
    ProducerRecord<String, byte[]> record(String topic, String schema) {
        return new ProducerRecord<>(topic, null, reportKey, json, headers.write(schema));
    }

    ProducerRecord<String, byte[]> record(Topics.Topic topic) {
        return record(topic.name(), topic.schema());
    }

    static byte[] zip(List<Document> documents) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (int i = 0; i < documents.size(); i++) {
                zip.putNextEntry(new ZipEntry(i + ".json"));
                zip.write(documents.get(i).json());
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    private static byte[] gzip(byte[] json) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(json);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }
}
