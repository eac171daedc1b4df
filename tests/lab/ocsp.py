# SPDX-License-Identifier: GPL-2.0-or-later
"""An OCSP responder that says whatever it is told to, and its answers octet by octet."""
import collections
import http.server
import socket
import threading

from .crl import extension, integer, now, oid, seq, tlv, HOUR

OK = 0
NONCE = "1.3.6.1.5.5.7.48.1.2"


class Question:
    """What was asked: the CertID as it came, its serial, and the nonce's content or None."""

    def __init__(self, der):
        self.cert_id, self.serial, self.nonce = None, None, None
        request = _inside(_inside(_inside(der)[0][1])[0][1])
        for tag, content, whole in request:
            if tag == 0x30:
                self.cert_id = _inside(_inside(content)[0][1])[0][2]
            elif tag == 0xa2:
                for _, ext, _ in _inside(_inside(content)[0][1]):
                    parts = _inside(ext)
                    if parts[0][2] == oid(NONCE):
                        self.nonce = parts[-1][1]
        self.serial = int.from_bytes(_inside(_inside(self.cert_id)[0][1])[3][1], "big")


def _inside(data):
    """[(tag, content, whole)] of the elements in data."""
    out, at = [], 0
    while at < len(data):
        begin, tag, n = at, data[at], data[at + 1]
        at += 2
        if n & 0x80:
            k = n & 0x7f
            n, at = int.from_bytes(data[at:at + k], "big"), at + k
        out.append((tag, data[at:at + n], data[begin:at + n]))
        at += n
    return out


def generalized(when):
    return tlv(0x18, when.strftime("%Y%m%d%H%M%SZ").encode())


def error(status):
    return seq(tlv(10, bytes([status])))


def response(ca, question, status, signer=None, key=None, nonce="same", serial=None, this=None, next=1, reason=1,
             times=1, pad=0):
    """An answer; signer: a CA object whose certificate comes along; key: who signs instead.
    nonce: "same", None or other content. next: hours, or None."""
    this = this or now()
    cert_id = question.cert_id
    if serial is not None:
        parts = _inside(_inside(cert_id)[0][1])
        cert_id = seq(*(p[2] for p in parts[:3]), integer(serial))
    word = {"good": b"\x80\0", "unknown": b"\x82\0",
            "revoked": tlv(0xa1, generalized(this - HOUR), tlv(0xa0, tlv(10, bytes([reason]))))}[status]
    single = seq(cert_id, word, generalized(this), tlv(0xa0, generalized(this + next * HOUR)) if next else b"")
    content = question.nonce if nonce == "same" else nonce
    extensions = [extension(NONCE, content if nonce == "same" else tlv(4, content))] if content is not None else []
    if pad:
        extensions.append(extension("1.3.6.1.4.1.99999.2", tlv(4, bytes(pad))))
    who = signer or ca
    data = seq(tlv(0xa1, who.name), generalized(this), seq(single * times),
               tlv(0xa1, seq(*extensions)) if extensions else b"")
    using = key or who.key
    certificates = tlv(0xa0, seq(signer.certificate)) if signer else b""
    basic = seq(data, using.algorithm(), tlv(3, b"\0", using.sign(data)), certificates)
    return seq(tlv(10, bytes([OK])), tlv(0xa0, seq(oid("1.3.6.1.5.5.7.48.1.1"), tlv(4, basic))))


class Responder:
    """Answers POSTs at /NAME with what say() told; in a host's namespace."""

    def __init__(self, host, port):
        self._say, self._asked, self.errors = {}, collections.Counter(), []
        server = http.server.ThreadingHTTPServer((host.ip4, port), self._handler(), bind_and_activate=False)
        server.daemon_threads = True
        server.socket.close()
        server.socket = host.ns.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.socket.bind((host.ip4, port))
        server.socket.listen(64)
        server.server_address = (host.ip4, port)
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def say(self, authority, answer):
        """answer: from a Question to octets."""
        self._say[authority.name] = answer

    def count(self, name):
        return self._asked[name]

    def _handler(responder):        # pylint: disable=no-self-argument
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                name = self.path.strip("/")
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = responder._say.get(name)
                data = answer(Question(body)) if answer else error(3)
                self.send_response(200)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                responder._asked[name] += 1
                self.wfile.write(data)

            def log_message(self, *args):
                pass
        return Handler

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


__all__ = ["Question", "Responder", "error", "response"]
