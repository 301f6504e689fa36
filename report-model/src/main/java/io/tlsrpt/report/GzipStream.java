package io.tlsrpt.report;

import java.util.Arrays;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// One layer of gzip over a byte array (RFC 1952). It first measures and only then allocates, so that a bomb costs time
/// up to the limit and no memory.
final class GzipStream {

    static final int MAX_LAYERS = 2;

    /// Bytes kept at most of content that is refused.
    static final int HEAD = 64 * 1024;

    /// Reports compress less than this, so that most are inflated only once.
    private static final long USUAL_RATIO = 16;

    private static final int BUFFER = 8 * 1024;
    private static final int FHCRC = 2;
    private static final int FEXTRA = 4;
    private static final int FNAME = 8;
    private static final int FCOMMENT = 16;
    private static final int HEADER = 10;
    private static final int TRAILER = 8;

    private final byte[] in;
    private final long limit;
    private final byte[] buffer;
    private byte[] out;
    private long size;
    private boolean measuring = true;
    private End end = End.COMPLETE;

    enum End {
        COMPLETE,
        TRUNCATED,
        OVER_LIMIT
    }

    GzipStream(byte[] in, long limit) {
        this.in = in;
        this.limit = limit;
        this.out = new byte[(int) Math.min(HEAD, in.length * USUAL_RATIO)];
        this.buffer = new byte[BUFFER];
    }

    /// Whether gzip's magic and its only compression method stand there.
    static boolean startsLike(byte[] bytes, int at) {
        return bytes.length - at >= 2
                && bytes[at] == 0x1f
                && bytes[at + 1] == (byte) 0x8b
                && (bytes.length - at == 2 || bytes[at + 2] == 8);
    }

    /// @return the content when [#end] is complete
    /// @throws DataFormatException when the stream is damaged
    byte[] inflate(Set<Leniency> leniencies) throws DataFormatException {
        try (Inflater inflater = new Inflater(true)) {
            members(inflater, leniencies);
            if (end != End.COMPLETE) {
                return new byte[0];
            }
            if (size <= out.length) {
                return out.length == size ? out : Arrays.copyOf(out, (int) size);
            }
            out = new byte[(int) size];
            size = 0;
            measuring = false;
            members(inflater, leniencies);
            return out;
        }
    }

    End end() {
        return end;
    }

    /// Bytes inflated so far.
    long size() {
        return size;
    }

    /// The first bytes inflated, at most 64 KiB.
    byte[] head() {
        return Arrays.copyOf(out, (int) Math.min(size, out.length));
    }

    private void members(Inflater inflater, Set<Leniency> leniencies) throws DataFormatException {
        int at = 0;
        while (at < in.length && end == End.COMPLETE) {
            if (at > 0 && !startsLike(in, at)) {
                leniencies.add(Leniency.GZIP_TRAILING_BYTES);
                return;
            }
            at = member(inflater, at);
        }
    }

    /// @return where the next member may start
    private int member(Inflater inflater, int start) throws DataFormatException {
        int data = skipHeader(start);
        if (data >= in.length) {
            end = End.TRUNCATED;
            return in.length;
        }
        inflater.reset();
        inflater.setInput(in, data, in.length - data);
        CRC32 crc = new CRC32();
        while (!inflater.finished()) {
            int inflated = inflater.inflate(buffer);
            if (inflated == 0 && !inflater.finished()) {
                if (inflater.needsDictionary()) {
                    throw new DataFormatException("a preset dictionary");
                }
                end = End.TRUNCATED;
                return in.length;
            }
            if (size + inflated > limit) {
                keep((int) (limit - size));
                end = End.OVER_LIMIT;
                return in.length;
            }
            crc.update(buffer, 0, inflated);
            keep(inflated);
        }
        int trailer = in.length - inflater.getRemaining();
        if (in.length - trailer < TRAILER) {
            end = End.TRUNCATED;
            return in.length;
        }
        if (crc.getValue() != littleEndian(trailer)
                || (inflater.getBytesWritten() & 0xffffffffL) != littleEndian(trailer + 4)) {
            throw new DataFormatException("the check sum is wrong");
        }
        return trailer + TRAILER;
    }

    private void keep(int inflated) {
        if (!measuring || size < out.length) {
            System.arraycopy(buffer, 0, out, (int) size, (int) Math.min(inflated, out.length - size));
        }
        size += inflated;
    }

    /// @return where the deflated data starts; the end of the input or more when the header is cut off
    private int skipHeader(int start) {
        if (in.length - start < HEADER) {
            return in.length;
        }
        int flags = in[start + 3];
        int at = start + HEADER;
        if ((flags & FEXTRA) != 0) {
            at = at + 2 > in.length ? in.length : at + 2 + (in[at] & 0xff) + ((in[at + 1] & 0xff) << 8);
        }
        if ((flags & FNAME) != 0) {
            at = skipText(at);
        }
        if ((flags & FCOMMENT) != 0) {
            at = skipText(at);
        }
        return (flags & FHCRC) != 0 ? at + 2 : at;
    }

    private int skipText(int start) {
        int at = start;
        while (at < in.length && in[at] != 0) {
            at++;
        }
        return at + 1;
    }

    private long littleEndian(int at) {
        return (in[at] & 0xffL) | (in[at + 1] & 0xffL) << 8 | (in[at + 2] & 0xffL) << 16 | (in[at + 3] & 0xffL) << 24;
    }
}
