package io.tlsrpt.inspection;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/// Tells addresses of the public internet from those of this machine, of the networks around it and of cloud metadata
/// services, so that a name of somebody's choice cannot be used to reach what stands behind our
/// firewall.
public final class AddressGuard {

    private AddressGuard() {}

    /// Whether the address is one of the public internet. Addresses that carry an IPv4 address inside (mapped, 6to4,
    /// NAT64) are judged by that one.
    public static boolean isPublic(InetAddress address) {
        if (address.isAnyLocalAddress()
                || address.isLoopbackAddress()
                || address.isLinkLocalAddress()
                || address.isSiteLocalAddress()
                || address.isMulticastAddress()) {
            return false;
        }
        return switch (address) {
            case Inet4Address four -> isPublic(four.getAddress());
            case Inet6Address six -> isPublicSix(six.getAddress());
            default -> false;
        };
    }

    /// The special blocks of RFC 6890 that the methods of `InetAddress` do not know.
    private static boolean isPublic(byte[] four) {
        int first = four[0] & 0xff;
        int second = four[1] & 0xff;
        int third = four[2] & 0xff;
        return first != 0
                && first < 240
                && !(first == 100 && second >= 64 && second < 128)
                && !(first == 192 && second == 0 && (third == 0 || third == 2))
                && !(first == 198 && (second == 18 || second == 19))
                && !(first == 198 && second == 51 && third == 100)
                && !(first == 203 && second == 0 && third == 113);
    }

    private static boolean isPublicSix(byte[] six) {
        int first = (six[0] & 0xff) << 8 | (six[1] & 0xff);
        int second = (six[2] & 0xff) << 8 | (six[3] & 0xff);
        if (first == 0x2002) {
            return carriesPublic(six, 2);
        }
        if (first == 0x0064 && second == 0xff9b) {
            return six[4] == 0 && six[5] == 0 && carriesPublic(six, 12);
        }
        boolean globalUnicast = first >= 0x2000 && first < 0x4000;
        boolean teredoOrOther = first == 0x2001 && second < 0x0200;
        boolean documentation = (first == 0x2001 && second == 0x0db8) || first == 0x3fff;
        return globalUnicast && !teredoOrOther && !documentation;
    }

    private static boolean carriesPublic(byte[] six, int offset) {
        try {
            return isPublic(InetAddress.getByAddress(Arrays.copyOfRange(six, offset, offset + 4)));
        } catch (UnknownHostException cannotBe) {
            throw new IllegalStateException("four bytes are an address", cannotBe);
        }
    }
}
