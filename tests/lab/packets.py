# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames made by hand, for senders that lie about who they are."""
import ipaddress
import socket
import struct

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
IGMP, GRE, ESP, SCTP = 2, 47, 50, 132
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32

BROADCAST = "ff:ff:ff:ff:ff:ff"


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def pseudo_header(src, dst, proto, length):
    if src.version == 4:
        return src.packed + dst.packed + struct.pack("!BBH", 0, proto, length)
    return src.packed + dst.packed + struct.pack("!IxxxB", length, proto)


def udp(src, dst, sport, dport, payload=b""):
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    length = 8 + len(payload)
    head = struct.pack("!HHHH", sport, dport, length, 0)
    csum = checksum(pseudo_header(src, dst, UDP, length) + head + payload) or 0xffff
    return head[:6] + struct.pack("!H", csum) + payload


def tcp(src, dst, sport, dport, flags=SYN, seq=1, ack=0, payload=b"", bad=False):
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 65535, 0, 0)
    csum = checksum(pseudo_header(src, dst, TCP, len(head) + len(payload)) + head + payload)
    if bad:
        csum ^= 0x5555
    return head[:16] + struct.pack("!H", csum) + head[18:] + payload


def icmp(src, dst, kind=None, code=0, ident=1, seq=1, payload=b""):
    """An echo request, or another type, of the addresses' family."""
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if kind is None:
        kind = 8 if src.version == 4 else 128
    head = struct.pack("!BBHHH", kind, code, 0, ident, seq)
    pseudo = b"" if src.version == 4 else pseudo_header(src, dst, ICMP6, 8 + len(payload))
    csum = checksum(pseudo + head + payload)
    return head[:2] + struct.pack("!H", csum) + head[4:] + payload


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def sctp(sport, dport, tag=b"", kind=1, vtag=0, init_tag=7):
    """One chunk, INIT unless named, with the tag in a parameter that nobody knows (RFC 9260 3.2.2)."""
    tag += b"\0" * (-len(tag) % 4)
    value = struct.pack("!IIHHI", init_tag, 65536, 1, 1, 1) if kind in (1, 2) else b""
    value += struct.pack("!HH", 0x8001, 4 + len(tag)) + tag
    chunk = struct.pack("!BBH", kind, 0, 4 + len(value)) + value
    head = struct.pack("!HHI", sport, dport, vtag)
    return head + struct.pack("<I", crc32c(head + b"\0\0\0\0" + chunk)) + chunk


def gre(tag=b""):
    """Version 0 without options (RFC 2784)."""
    return struct.pack("!HH", 0, 0x0800) + tag


def ip_packet(src, dst, proto, payload, ttl=64):
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if src.version == 6:
        return (struct.pack("!IHBB", 6 << 28, len(payload), proto, ttl)
                + src.packed + dst.packed + payload)
    head = (struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, ttl, proto, 0)
            + src.packed + dst.packed)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def frame(mac_src, mac_dst, src, dst, proto, payload, ttl=64):
    kind = 0x0800 if ipaddress.ip_address(src).version == 4 else 0x86dd
    return (mac_bytes(mac_dst) + mac_bytes(mac_src) + struct.pack("!H", kind)
            + ip_packet(src, dst, proto, payload, ttl))


def udp_frame(mac_src, mac_dst, src, dst, sport, dport, payload=b""):
    return frame(mac_src, mac_dst, src, dst, UDP, udp(src, dst, sport, dport, payload))


def tcp_frame(mac_src, mac_dst, src, dst, sport, dport, **kw):
    return frame(mac_src, mac_dst, src, dst, TCP, tcp(src, dst, sport, dport, **kw))


def icmp_frame(mac_src, mac_dst, src, dst, **kw):
    proto = ICMP if ipaddress.ip_address(src).version == 4 else ICMP6
    return frame(mac_src, mac_dst, src, dst, proto, icmp(src, dst, **kw))


class Wire:
    """A raw socket on one interface of a namespace: send frames, see frames."""

    ETH_P_ALL = 3
    SO_RCVBUFFORCE = 33

    def __init__(self, ns, interface="eth0", receive=False):
        self.interface = interface
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.sock.setsockopt(socket.SOL_SOCKET, self.SO_RCVBUFFORCE, 16 << 20)
        with ns.inside():
            self.sock.bind((interface, self.ETH_P_ALL if receive else 0))
        self.sock.setblocking(False)
        self.frames = []

    def send(self, *frames):
        for one in frames:
            while True:
                try:
                    self.sock.send(one)
                    break
                except (BlockingIOError, OSError) as e:
                    if getattr(e, "errno", 0) not in (11, 105):
                        raise

    def read(self):
        """All frames that came in (not those sent here) since the socket was made."""
        while True:
            try:
                data, where = self.sock.recvfrom(65536)
            except BlockingIOError:
                return self.frames
            if where[2] != 4:       # PACKET_OUTGOING
                self.frames.append(data)

    def count(self, tag):
        """How many frames that came in hold these bytes."""
        return sum(tag in data for data in self.read())

    def close(self):
        self.sock.close()
