package io.tlsrpt.standalone;

import io.tlsrpt.runtime.HostPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A DNS server on loopback that knows some TXT records and says of every other name that it does not exist.
final class KeyServer implements AutoCloseable {

    private static final int HEADER = 12;

    private final Map<String, String> records;
    private final DatagramSocket socket;

    /// @param records by name, lower case, without a final dot
    KeyServer(Map<String, String> records) {
        this.records = records;
        try {
            socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        } catch (SocketException none) {
            throw new UncheckedIOException(none);
        }
        Thread.ofPlatform().daemon().name("key-server").start(this::serve);
    }

    HostPort address() {
        return new HostPort("127.0.0.1", socket.getLocalPort());
    }

    private void serve() {
        byte[] buffer = new byte[4096];
        while (!socket.isClosed()) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            try {
                socket.receive(packet);
                byte[] answer = answer(buffer);
                socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
            } catch (IOException failed) {
                if (!socket.isClosed()) {
                    throw new UncheckedIOException(failed);
                }
            }
        }
    }

    private byte[] answer(byte[] asked) {
        ByteBuffer question = ByteBuffer.wrap(asked);
        int id = question.getShort(0);
        question.position(HEADER);
        List<String> labels = new ArrayList<>();
        for (int length = question.get(); length > 0; length = question.get()) {
            byte[] label = new byte[length];
            question.get(label);
            labels.add(new String(label, StandardCharsets.US_ASCII).toLowerCase(java.util.Locale.ROOT));
        }
        int end = question.position() + 4; // type and class
        String text = records.get(String.join(".", labels));
        ByteBuffer answer = ByteBuffer.allocate(4096);
        answer.putShort((short) id).putShort((short) (text == null ? 0x8583 : 0x8580)); // NXDOMAIN, or an answer
        answer.putShort((short) 1).putShort((short) (text == null ? 0 : 1)).putInt(0);
        answer.put(asked, HEADER, end - HEADER);
        if (text != null) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            int strings = (bytes.length + 254) / 255;
            answer.putShort((short) 0xc00c)
                    .putShort((short) 16)
                    .putShort((short) 1)
                    .putInt(60);
            answer.putShort((short) (bytes.length + strings));
            for (int at = 0; at < bytes.length; at += 255) {
                int length = Math.min(255, bytes.length - at);
                answer.put((byte) length).put(bytes, at, length);
            }
        }
        byte[] sent = new byte[answer.position()];
        answer.get(0, sent);
        return sent;
    }

    @Override
    public void close() {
        socket.close();
    }
}
