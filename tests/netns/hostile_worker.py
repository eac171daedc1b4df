#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that stands in for one of cordon's workers and breaks the rules: @HOW@ says which one.
Its channel is descriptor 3."""
import os
import socket
import struct
import time

HOW = "@HOW@"
(READY, FLOW_FLUSHED, PKI_FETCH, PKI_REVOKE, PKI_REVOKE_DONE, PKI_CLEAR, PKI_SOURCE, PKI_AUTHORITY, PKI_CHECKED,
 PKI_LOOKED, COMPILED, CRL_REFRESH, IMAGE, PKI_LOOKUP) = @NUMBERS@

channel = socket.socket(fileno=3)
channel.setblocking(True)


def send(kind, payload, length=None, fd=None):
    data = struct.pack("=IIII", kind, 0, len(payload) if length is None else length, 0) + payload
    if fd is None:
        channel.send(data)
    else:
        socket.send_fds(channel, [data], [fd])


REVOKED, OPERATOR, STALE, NEW, LIMITED = 1, 2, 4, 8, 16    # enum station_cause


def revoke(device, authority=1, cause=REVOKED, reason=0, evidence=None, serial_len=1, number_len=1):
    send(PKI_REVOKE, struct.pack("=IIIIIIqBB20s20s6x", device, authority, cause, reason,
                                 int(cause == REVOKED) if evidence is None else evidence, 2 ** 32 - 1, 0,
                                 serial_len, number_len, b"\x01", b"\x02"))


def clear(device, cause, authority=1):
    send(PKI_CLEAR, struct.pack("=IIII", device, authority, cause, 0))


def done(source=2 ** 32 - 1):
    send(PKI_REVOKE_DONE, struct.pack("=IIq", source, 0, 0))


def memory(data, seal=True):
    import fcntl
    fd = os.memfd_create("lie", os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if seal:
        fcntl.fcntl(fd, 1033, 0xf)
    return fd


send(READY, struct.pack("=II", 1, 0))

if HOW == "garbage":
    channel.send(os.urandom(500))
elif HOW == "unknown-type":
    send(77777, b"12345678")
elif HOW == "wrong-direction":
    send(CRL_REFRESH, struct.pack("=II", 1, 0))
elif HOW == "wrong-size":
    send(READY, b"1234")
elif HOW == "length-lie":
    send(READY, b"12345678", length=4000)
elif HOW == "too-many-descriptors":
    send(READY, b"12345678", fd=0)
elif HOW == "flood-ready":
    for _ in range(300000):
        send(READY, struct.pack("=II", 1, 0))
elif HOW == "flood-flushed":
    for i in range(300000):
        send(FLOW_FLUSHED, struct.pack("=IIQQQQ", i, 5, 2 ** 64 - 1, 0, 0, 0))
elif HOW == "unknown-devices":
    for i in range(20000):
        revoke(0xf00000 + i)
        revoke(1, authority=4711)
    send(PKI_REVOKE_DONE, struct.pack("=IIq", 4711, 40000, 2 ** 62))
    send(PKI_REVOKE_DONE, struct.pack("=IIq", 2 ** 32 - 1, 0, -2 ** 63))
elif HOW == "revocations-without-end":
    while True:
        revoke(1)
elif HOW == "sources":
    for i in range(2000):
        send(PKI_SOURCE, struct.pack("=8I6qQ6IBB20s2s", 2 ** 32 - 1 - i, i, 99, 99, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0,
                                     0, 0, 0, 0, 0, 0, 255, 255, b"\xff" * 20, b"\xff" * 2))
        send(PKI_FETCH, struct.pack("=IIII", 0, 0x7fffffff - i, 0, 0))
elif HOW == "fetches-of-nothing":
    for i in range(2000):
        send(PKI_FETCH, struct.pack("=IIII", i % 3, 0x7fffffff - i, 2 ** 32 - 1, 0))
elif HOW == "fetches-of-no-kind":
    send(PKI_FETCH, struct.pack("=IIII", 3, 0, 0, 0))
elif HOW == "looked":
    for i in range(2000):
        send(PKI_LOOKED, struct.pack("=QII", i, 2 ** 32 - 1, i % 2))
elif HOW == "looks-badly":
    # of that policy it could not, and of others it could
    while True:
        data, fds, _, _ = socket.recv_fds(channel, 65536, 4)
        for fd in fds:
            os.close(fd)
        kind, revision = struct.unpack("=I12xQ", data[:24])
        if kind in (IMAGE, PKI_LOOKUP):
            send(PKI_LOOKED, struct.pack("=QII", revision + 1, 0, 0))
            send(PKI_LOOKED, struct.pack("=QII", revision - 1, 0, 0))
            send(PKI_LOOKED, struct.pack("=QII", revision, 0, 5))
elif HOW == "authorities":
    for i in range(2000):
        send(PKI_AUTHORITY, struct.pack("=14I", i, 255, *[2 ** 32 - 1] * 12))
elif HOW == "alarm-of-no-kind":
    send(PKI_AUTHORITY, struct.pack("=14I", 1, 256, *[0] * 12))
elif HOW == "checks":
    for data, seal in ((b"", True), (b"\xff" * 3, True), (b"\0" * 3, False)):
        send(PKI_CHECKED, struct.pack("=QII", 1, 3, 0), fd=memory(data, seal))
elif HOW == "cause-of-an-operator":
    revoke(1, cause=OPERATOR, evidence=0)
elif HOW == "two-causes":
    revoke(1, cause=REVOKED | STALE)
elif HOW == "evidence-of-no-kind":
    revoke(1, evidence=9)
elif HOW == "long-serial":
    revoke(1, serial_len=255)
elif HOW == "long-number":
    revoke(1, number_len=21)
elif HOW == "clears-an-operator":
    clear(1, OPERATOR)
elif HOW == "clears-all":
    clear(1, 31)
elif HOW == "clears-without-end":
    while True:
        clear(1, STALE)
elif HOW == "loosens":
    # what it may say by its form, and our own tables say no to
    for device in range(1, 4):
        for cause in (REVOKED, STALE, LIMITED):
            for authority in (0, 1, 4711):
                clear(device, cause, authority)
    done()
elif HOW == "tightens-beyond-the-policy":
    for device in range(1, 4):
        revoke(device, cause=STALE)
        revoke(device, cause=LIMITED)
    done()
elif HOW == "fetches":
    while True:
        send(PKI_FETCH, struct.pack("=IIII", 0, 0, 0, 0))
        time.sleep(0.001)
elif HOW == "image-open":
    send(COMPILED, struct.pack("=II", 0, 0), fd=memory(b"x" * 4096, seal=False))
elif HOW == "image-garbage":
    send(COMPILED, struct.pack("=II", 0, 0), fd=memory(os.urandom(100000)))
elif HOW == "image-device":
    send(COMPILED, struct.pack("=II", 0, 0), fd=os.open("/dev/zero", os.O_RDONLY))
elif HOW == "text-pipe":
    send(COMPILED, struct.pack("=II", 3, 0), fd=os.pipe()[0])
elif HOW == "twice":
    for _ in range(50):
        send(COMPILED, struct.pack("=II", 1, 0), fd=memory(b"a:1: mistake: none\n"))
elif HOW == "closes":
    channel.close()
    os.close(3)
# and then neither reads nor ends
time.sleep(1000)
