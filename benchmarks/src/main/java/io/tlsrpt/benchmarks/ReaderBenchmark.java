package io.tlsrpt.benchmarks;

import io.tlsrpt.report.Inflation;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.ReportReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/// Reports of 1.5 KB that one thread reads in a second, beside what bare gunzip and bare Jackson do with the same
/// bytes.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
public class ReaderBenchmark {

    private static final int MAX_INFLATED = 10 * 1024 * 1024;

    private final Document document =
            Document.distinct("reader", 1, Clock.systemUTC().instant()).getFirst();
    private final ReportReader reader = new ReportReader(ReportReader.Limits.DEFAULT);
    private final JsonFactory factory = new JsonFactory();

    public static void main(String[] args) throws RunnerException {
        new Runner(new OptionsBuilder().include(ReaderBenchmark.class.getName()).build()).run();
    }

    /// Ceiling of the unwrapping.
    @Benchmark
    public byte[] bareGunzip() throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(document.gzip()))) {
            return in.readAllBytes();
        }
    }

    @Benchmark
    public Inflation inflation() {
        return Inflation.of(document.gzip(), MAX_INFLATED);
    }

    /// Ceiling of the reading: every token, and every text made a string.
    @Benchmark
    public int bareJackson() {
        int length = 0;
        try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), document.json())) {
            for (var token = parser.nextToken(); token != null; token = parser.nextToken()) {
                length += token.isScalarValue() ? parser.getString().length() : 0;
            }
        }
        return length;
    }

    @Benchmark
    public Reading reader() {
        return reader.read(document.json());
    }

    /// What intake does with each report, up to its key.
    @Benchmark
    public Reading inflationAndReader() {
        return reader.read(((Inflation.Inflated) Inflation.of(document.gzip(), MAX_INFLATED)).document());
    }
}
