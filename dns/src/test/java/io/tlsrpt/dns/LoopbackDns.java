package io.tlsrpt.dns;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// A DNS server on a loopback port that answers by a script, over UDP (truncating to 512 bytes or what EDNS allows) and
/// TCP.
public final class LoopbackDns implements AutoCloseable {

    /// Fills in the answer; false means silence.
    @FunctionalInterface
    public interface Script {
        boolean fill(Message query, Message answer);
    }

    final AtomicInteger udpQueries = new AtomicInteger();
    final AtomicInteger tcpQueries = new AtomicInteger();
    private final Script script;
    private final DatagramSocket udp;
    private final ServerSocket tcp;

    public LoopbackDns(Script script) throws IOException {
        this.script = script;
        this.tcp = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.udp = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), tcp.getLocalPort()));
        Thread.startVirtualThread(this::overUdp);
        Thread.startVirtualThread(this::overTcp);
    }

    /// Answers with TXT records as a zone file writes their data, such as `"a" "b"`: a name without entry is NXDOMAIN,
    /// one
    /// with an empty list SERVFAIL.
    ///
    /// @param texts by absolute lower-case name with a final dot
    public static LoopbackDns serving(Map<String, List<String>> texts) throws IOException {
        return new LoopbackDns((query, answer) -> {
            Name name = query.getQuestion().getName();
            List<String> records = texts.get(name.toString());
            if (records == null) {
                answer.getHeader().setRcode(Rcode.NXDOMAIN);
            } else if (records.isEmpty()) {
                answer.getHeader().setRcode(Rcode.SERVFAIL);
            } else {
                records.forEach(text -> answer.addRecord(record(name, Type.TXT, 300, text), Section.ANSWER));
            }
            return true;
        });
    }

    static Record record(Name owner, int type, long ttl, String data) {
        try {
            return Record.fromString(owner, type, DClass.IN, ttl, data, Name.root);
        } catch (IOException wrong) {
            throw new IllegalArgumentException(data, wrong);
        }
    }

    /// Where it listens.
    public InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), tcp.getLocalPort());
    }

    private @Nullable Message answered(byte[] bytes) throws IOException {
        Message query = new Message(bytes);
        Message answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.getHeader().setFlag(Flags.RD);
        answer.getHeader().setFlag(Flags.RA);
        answer.addRecord(query.getQuestion(), Section.QUESTION);
        return script.fill(query, answer) ? answer : null;
    }

    private void overUdp() {
        try {
            byte[] buffer = new byte[4096];
            while (true) {
                DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
                udp.receive(packet);
                udpQueries.incrementAndGet();
                byte[] query = Arrays.copyOf(packet.getData(), packet.getLength());
                Message answer = answered(query);
                if (answer != null) {
                    var opt = new Message(query).getOPT();
                    byte[] bytes = answer.toWire(opt == null ? 512 : opt.getPayloadSize());
                    udp.send(new DatagramPacket(bytes, bytes.length, packet.getSocketAddress()));
                }
            }
        } catch (SocketException closed) {
            // the end of the test
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private void overTcp() {
        try {
            while (true) {
                Socket connection = tcp.accept();
                Thread.startVirtualThread(() -> connection(connection));
            }
        } catch (SocketException closed) {
            // the end of the test
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private void connection(Socket connection) {
        try (connection) {
            DataInputStream in = new DataInputStream(connection.getInputStream());
            DataOutputStream out = new DataOutputStream(connection.getOutputStream());
            while (true) {
                byte[] query = new byte[in.readUnsignedShort()];
                in.readFully(query);
                tcpQueries.incrementAndGet();
                Message answer = answered(query);
                if (answer != null) {
                    byte[] bytes = answer.toWire();
                    out.writeShort(bytes.length);
                    out.write(bytes);
                    out.flush();
                }
            }
        } catch (IOException gone) {
            // the client may leave when it likes
        }
    }

    @Override
    public void close() throws IOException {
        udp.close();
        tcp.close();
    }
}
