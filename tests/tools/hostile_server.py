# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server that lies, drips, hangs, floods and loops, for tests of whoever fetches.

    with Hostile() as server:                       # or Hostile("::1"), Hostile(tls=make_tls(folder))
        server.publish("/ca.crl", der)              # honest: ETag, Last-Modified, 304
        fetch(server.url("/ca.crl"))
        fetch(server.url("/drip-body?every=1"))     # see ENDPOINTS
        server.requests                             # what was asked, oldest first

Each path's first part names an endpoint (a function below with that name and "_"
for "-"); numbers come from the query. Everything runs in threads of its own and
ends with the `with`. The same server over TLS: make_tls() makes a CA and a
certificate for 127.0.0.1, ::1 and localhost, with the pin of its key.

Proxy (HTTP and CONNECT), Socks5 and Directory (LDAP) are small servers of the
same kind; dead_port() is an address that answers nothing at all. Run by itself
it serves until it is killed: hostile_server.py [HOST [PORT]]."""
import base64
import contextlib
import datetime
import email.utils
import gzip
import hashlib
import ipaddress
import os
import select
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

PATTERN = bytes(range(256)) * 256       # 64 KiB of body
ENDPOINTS = {}


def endpoint(function):
    ENDPOINTS[function.__name__.strip("_").replace("_", "-")] = function
    return function


class Request:
    """One request: method, path with query, headers in lower case, body."""

    def __init__(self, method, target, headers, body):
        self.method = method
        self.target = target
        parts = urllib.parse.urlsplit(target)
        self.path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query))
        self.headers = headers
        self.body = body
        self.at = time.monotonic()

    def number(self, name, default):
        return type(default)(self.query.get(name, default))


class Server:
    """Accepts in a thread, serves each connection in another; stop() ends all of them."""

    def __init__(self, host="127.0.0.1", port=0, tls=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.host = host
        self.tls = tls
        self.context = tls.context() if tls else None
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(256)
        self.port = self.listener.getsockname()[1]
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.requests = []
        self.connections = 0
        self.open = set()
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.over.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for c in self.open:
                with contextlib.suppress(OSError):
                    c.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)

    def authority(self, host=None):
        host = host or self.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def url(self, path="/", host=None):
        return f"{'https' if self.tls else 'http'}://{self.authority(host)}{path}"

    def wait(self, seconds):
        """Sleep that ends with the server; True when it is over."""
        return self.over.wait(seconds)

    def _accept(self):
        while not self.over.is_set():
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(c)
            threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _serve(self, c):
        raw = c
        try:
            if self.context:
                c.settimeout(10)
                c = self.context.wrap_socket(c, server_side=True)
                c.settimeout(None)
                with self.lock:
                    self.open.add(c)
            self.serve(c)
        except (OSError, ValueError, ssl.SSLError, IndexError, struct.error):
            pass
        finally:
            with self.lock:
                self.open.discard(c)
                self.open.discard(raw)
            with contextlib.suppress(OSError):
                c.close()

    def serve(self, c):
        raise NotImplementedError


def read_request(c):
    """None at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = c.recv(65536)
        if not piece or len(data) > 1 << 20:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    want = int(headers.get("content-length", 0))
    while len(body) < want:
        piece = c.recv(65536)
        if not piece:
            return None
        body += piece
    return Request(method, target, headers, body)


def answer(c, body=b"", status="200 OK", length=True, **headers):
    """One answer; headers by keyword, with "_" for "-"."""
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    c.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


class Hostile(Server):
    def __init__(self, host="127.0.0.1", port=0, tls=None):
        self.files = {}
        super().__init__(host, port, tls)

    def publish(self, path, data, etag=None, modified=None, **headers):
        """Serve data under path, as an honest server would: with validators and 304."""
        etag = etag if etag is not None else '"' + hashlib.sha256(data).hexdigest()[:16] + '"'
        modified = modified if modified is not None else email.utils.formatdate(time.time() - 3600, usegmt=True)
        self.files[path] = (data, etag, modified, headers)

    def asked(self, path):
        with self.lock:
            return [r for r in self.requests if r.path == path]

    def serve(self, c):
        r = read_request(c)
        if r is None:
            return
        with self.lock:
            self.requests.append(r)
        if r.path in self.files:
            self.honest(c, r)
            return
        function = ENDPOINTS.get(r.path.strip("/").split("/")[0])
        if function is None:
            answer(c, b"no such page\n", "404 Not Found")
        else:
            function(self, c, r)
        # what was sent shall arrive, also where the other side says nothing more
        with contextlib.suppress(OSError):
            c.shutdown(socket.SHUT_WR)

    def honest(self, c, r):
        data, etag, modified, headers = self.files[r.path]
        headers = dict(headers, Date=email.utils.formatdate(usegmt=True))
        if etag:
            headers["ETag"] = etag
        if modified:
            headers["Last-Modified"] = modified
        if (etag and r.headers.get("if-none-match") == etag) or \
                ("if-none-match" not in r.headers and modified and r.headers.get("if-modified-since") == modified):
            answer(c, b"", "304 Not Modified", length=False, **headers)
        else:
            answer(c, data, **headers)


def begin(c, *lines, status="200 OK"):
    c.sendall(f"HTTP/1.1 {status}\r\n".encode() + b"".join(line.encode() + b"\r\n" for line in lines) + b"\r\n")


# ---- bodies --------------------------------------------------------------------

@endpoint
def plain(_s, c, r):
    """size: an honest body."""
    left = r.number("size", 1000)
    begin(c, f"Content-Length: {left}", "Content-Type: application/pkix-crl")
    while left > 0:
        n = min(left, len(PATTERN))
        c.sendall(PATTERN[:n])
        left -= n


@endpoint
def unsized(_s, c, r):
    """size: without Content-Length, ended by closing."""
    begin(c, "Connection: close")
    for _ in range(r.number("size", 1000) // 100):
        c.sendall(PATTERN[:100])


@endpoint
def chunked(_s, c, r):
    """size: an honest body in chunks."""
    begin(c, "Transfer-Encoding: chunked")
    left = r.number("size", 1000)
    while left > 0:
        n = min(left, 4000)
        c.sendall(b"%x\r\n" % n + PATTERN[:n] + b"\r\n")
        left -= n
    c.sendall(b"0\r\n\r\n")


@endpoint
def chunked_cut(_s, c, _r):
    """Chunks without their end."""
    begin(c, "Transfer-Encoding: chunked")
    c.sendall(b"100\r\n" + PATTERN[:256] + b"\r\n")


@endpoint
def empty(_s, c, _r):
    answer(c)


@endpoint
def html(_s, c, _r):
    """The page of a captive portal."""
    answer(c, b"<!DOCTYPE html><html><body>Please log in</body></html>", Content_Type="application/pkix-crl")


@endpoint
def gzipped(_s, c, r):
    """size: compressed though nobody asked for it."""
    answer(c, gzip.compress(b"\0" * r.number("size", 100000)), Content_Encoding="gzip")


@endpoint
def transfer_gzip(_s, c, r):
    """size: a bomb behind "Transfer-Encoding: gzip, chunked"."""
    data = gzip.compress(b"\0" * r.number("size", 1 << 28))
    begin(c, "Transfer-Encoding: gzip, chunked")
    c.sendall(b"%x\r\n" % len(data) + data + b"\r\n0\r\n\r\n")


@endpoint
def endless(s, c, _r):
    """A body without end at full speed."""
    begin(c, "Connection: close")
    while not s.over.is_set():
        c.sendall(PATTERN)


@endpoint
def endless_chunks(s, c, _r):
    """The same in chunks of one byte, each with an extension."""
    begin(c, "Transfer-Encoding: chunked")
    while not s.over.is_set():
        c.sendall(b"1;a=b\r\nx\r\n" * 4096)


@endpoint
def endless_trailers(s, c, _r):
    """An empty body, and trailers without end."""
    begin(c, "Transfer-Encoding: chunked")
    c.sendall(b"0\r\n")
    while not s.over.is_set():
        c.sendall(b"X-Trailer: " + b"a" * 1000 + b"\r\n")


# ---- lengths -------------------------------------------------------------------

@endpoint
def length_long(_s, c, r):
    """Says Content-Length size, sends half of it and closes."""
    size = r.number("size", 10000)
    begin(c, f"Content-Length: {size}")
    c.sendall(PATTERN[:1] * (size // 2))


@endpoint
def length_long_hang(s, c, r):
    """The same, and does not close."""
    length_long(s, c, r)
    s.wait(600)


@endpoint
def length_short(_s, c, r):
    """Says Content-Length size / 2 and sends size."""
    size = r.number("size", 10000)
    begin(c, f"Content-Length: {size // 2}")
    c.sendall(PATTERN[:1] * size)


@endpoint
def length_huge(s, c, r):
    """Only says that much (size)."""
    begin(c, f"Content-Length: {r.number('size', 1 << 50)}")
    s.wait(600)


@endpoint
def length_twice(_s, c, _r):
    begin(c, "Content-Length: 10", "Content-Length: 20")
    c.sendall(PATTERN[:20])


@endpoint
def length_negative(_s, c, _r):
    begin(c, "Content-Length: -1")
    c.sendall(PATTERN[:20])


# ---- slowness ------------------------------------------------------------------

@endpoint
def hang(s, _c, _r):
    """Takes the request and says nothing."""
    s.wait(600)


@endpoint
def drip_body(s, c, r):
    """size, every: a byte now and then."""
    begin(c, f"Content-Length: {r.number('size', 100000)}")
    for _ in range(r.number("size", 100000)):
        c.sendall(b"x")
        if s.wait(r.number("every", 1.0)):
            return


@endpoint
def drip_headers(s, c, r):
    """every: headers, a byte now and then."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 100000:
        c.sendall(bytes([byte]))
        if s.wait(r.number("every", 1.0)):
            return


@endpoint
def slow(s, c, r):
    """size, rate: that many bytes per second."""
    left, rate = r.number("size", 1 << 20), r.number("rate", 5000)
    begin(c, f"Content-Length: {left}")
    while left > 0 and not s.wait(0.1):
        n = min(left, max(rate // 10, 1), len(PATTERN))
        c.sendall(PATTERN[:n])
        left -= n


# ---- floods --------------------------------------------------------------------

@endpoint
def header_flood(s, c, _r):
    c.sendall(b"HTTP/1.1 200 OK\r\n")
    while not s.over.is_set():
        c.sendall(b"X-Flood: aaaaaaaaaaaaaaaa\r\n" * 1000)


@endpoint
def header_line(s, c, _r):
    """One header without end."""
    c.sendall(b"HTTP/1.1 200 OK\r\nX-Flood: ")
    while not s.over.is_set():
        c.sendall(b"a" * 65536)


@endpoint
def continue_flood(s, c, _r):
    """"100 Continue" for ever."""
    while not s.over.is_set():
        c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


@endpoint
def status_line(s, c, _r):
    """A status line without end."""
    c.sendall(b"HTTP/1.1 200 ")
    while not s.over.is_set():
        c.sendall(b"a" * 65536)


# ---- answers -------------------------------------------------------------------

@endpoint
def status(_s, c, r):
    """/status/503?retry-after=30: a page with that status."""
    headers = {"Retry_After": r.query["retry-after"]} if "retry-after" in r.query else {}
    if "date" in r.query:
        headers["Date"] = r.query["date"]
    answer(c, b"<html>no</html>", f"{r.path.split('/')[2]} Because", **headers)


@endpoint
def status_endless(s, c, r):
    """/status-endless/404: a page without end."""
    begin(c, "Connection: close", status=f"{r.path.split('/')[2]} Because")
    while not s.over.is_set():
        c.sendall(PATTERN)


@endpoint
def unmodified(_s, c, _r):
    """304, whatever was asked."""
    answer(c, b"", "304 Not Modified", length=False, ETag='"for-ever"')


@endpoint
def old_http(_s, c, _r):
    """HTTP/0.9: no header at all."""
    c.sendall(PATTERN[:1000])


@endpoint
def nothing(_s, _c, _r):
    """Closes without a word."""


@endpoint
def reset(_s, c, _r):
    """A reset in the middle of the body."""
    begin(c, "Content-Length: 100000")
    c.sendall(PATTERN[:1000])
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()


@endpoint
def echo(_s, c, r):
    """What was posted comes back."""
    answer(c, r.body, Content_Type="application/ocsp-response")


# ---- redirects -----------------------------------------------------------------

@endpoint
def redirect(_s, c, r):
    """to, code: there."""
    answer(c, b"<html>moved</html>", f"{r.number('code', 302)} Moved", Location=r.query["to"])


@endpoint
def redirect_loop(_s, c, _r):
    answer(c, b"", "302 Moved", Location="/redirect-loop")


@endpoint
def redirect_chain(_s, c, r):
    """n redirects, then an honest body."""
    n = r.number("n", 3)
    if n == 0:
        answer(c, b"at last")
    else:
        answer(c, b"", f"{(301, 302, 307, 308)[n % 4]} Moved", Location=f"/redirect-chain?n={n - 1}")


# ---- TLS -----------------------------------------------------------------------

class Tls:
    """A CA and a server's certificate below folder."""

    def __init__(self, folder, ca_der, pin):
        self.folder = folder
        self.ca_der = ca_der
        self.pin = pin
        self.oldest = ssl.TLSVersion.TLSv1_2
        self.newest = ssl.TLSVersion.MAXIMUM_SUPPORTED

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version, context.maximum_version = self.oldest, self.newest
        if self.newest < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(os.path.join(self.folder, "server.pem"), os.path.join(self.folder, "server.key"))
        return context


def make_tls(folder, names=("127.0.0.1", "::1", "localhost"), days=(-1, 30)):
    """A CA, and a server's certificate of it for names, valid from and to so many days from now."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    now = datetime.datetime.now(datetime.timezone.utc)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    ca_name, own_name = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in ("web CA", "web"))

    def certificate(subject, key, extensions, since=-1, until=30):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(
            now + datetime.timedelta(days=since)).not_valid_after(now + datetime.timedelta(days=until))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(keys[0], hashes.SHA256())

    def general(name):
        try:
            return x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            return x509.DNSName(name)

    ca = certificate(ca_name, keys[0], [(x509.BasicConstraints(True, None), True)])
    own = certificate(own_name, keys[1], [(x509.SubjectAlternativeName([general(n) for n in names]), False)], *days)
    with open(os.path.join(folder, "server.pem"), "wb") as f:
        f.write(own.public_bytes(serialization.Encoding.PEM))
    with open(os.path.join(folder, "server.key"), "wb") as f:
        f.write(keys[1].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption()))
    spki = keys[1].public_key().public_bytes(serialization.Encoding.DER,
                                             serialization.PublicFormat.SubjectPublicKeyInfo)
    pin = "sha256//" + base64.b64encode(hashlib.sha256(spki).digest()).decode()
    return Tls(folder, ca.public_bytes(serialization.Encoding.DER), pin)


# ---- proxies -------------------------------------------------------------------

def splice(s, a, b):
    """Both ways, until one side ends."""
    while not s.over.is_set():
        for ready in select.select([a, b], [], [], 0.5)[0]:
            data = ready.recv(65536)
            if not data:
                return
            (b if ready is a else a).sendall(data)


def dial(s, host, port):
    """Names that a proxy knows: s.names, for tests without DNS."""
    return socket.create_connection((s.names.get(host, host), port), 5)


class Proxy(Server):
    """An HTTP proxy: absolute URLs and CONNECT. requests holds what it was asked."""

    def __init__(self, host="127.0.0.1", port=0, names=None):
        self.names = names or {}
        super().__init__(host, port)

    def url(self, path="", host=None):
        return f"http://{self.authority(host)}{path}"

    def serve(self, c):
        r = read_request(c)
        if r is None:
            return
        with self.lock:
            self.requests.append(r)
        if r.method == "CONNECT":
            host, _, port = r.target.rpartition(":")
            with dial(self, host.strip("[]"), int(port)) as out:
                c.sendall(b"HTTP/1.1 200 Connection established\r\nETag: \"the proxy's own\"\r\n\r\n")
                splice(self, c, out)
            return
        parts = urllib.parse.urlsplit(r.target)
        with dial(self, parts.hostname, parts.port or 80) as out:
            path = parts.path + ("?" + parts.query if parts.query else "")
            lines = [f"{r.method} {path} HTTP/1.1"] + [f"{k}: {v}" for k, v in r.headers.items()]
            out.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + r.body)
            splice(self, c, out)


class Socks5(Server):
    """RFC 1928, without authentication, CONNECT only. requests: (address type, host, port)."""

    def __init__(self, host="127.0.0.1", port=0, names=None):
        self.names = names or {}
        super().__init__(host, port)

    def url(self, path="", host=None, scheme="socks5h"):
        return f"{scheme}://{self.authority(host)}{path}"

    def serve(self, c):
        c.recv(2 + 255)
        c.sendall(b"\x05\x00")
        head = c.recv(4)
        kind = head[3]
        if kind == 3:
            host = c.recv(c.recv(1)[0]).decode()
        else:
            host = str(ipaddress.ip_address(c.recv(4 if kind == 1 else 16)))
        port = struct.unpack("!H", c.recv(2))[0]
        with self.lock:
            self.requests.append((kind, host, port))
        with dial(self, host, port) as out:
            c.sendall(b"\x05\x00\x00\x01\0\0\0\0\0\0")
            splice(self, c, out)


@contextlib.contextmanager
def dead_port(host="127.0.0.1"):
    """A port that lets nobody in and refuses nobody: its queue is full."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listener.bind((host, 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


# ---- a directory ---------------------------------------------------------------

def ber(tag, *parts):
    """Tag, length and content of one element (X.690)."""
    content = b"".join(parts)
    n = len(content)
    if n < 128:
        return bytes([tag, n]) + content
    size = (n.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + n.to_bytes(size, "big") + content


def ber_read(c):
    """One whole element from a connection: (tag, content)."""
    def exactly(n):
        data = b""
        while len(data) < n:
            piece = c.recv(n - len(data))
            if not piece:
                raise OSError("closed")
            data += piece
        return data
    tag, n = exactly(2)
    if n & 0x80:
        n = int.from_bytes(exactly(n & 0x7f), "big")
    return tag, exactly(n)


class Directory(Server):
    """LDAP (RFC 4511) as far as it needs: bind, search, unbind. entries: a list of
    (DN, [(attribute, [values])]); every search finds all of them. how: "honest", or
    "hang" (after the bind), "endless" (entries for ever), "huge" (an element that
    claims 2 GiB), "refuse" (noSuchObject)."""

    def __init__(self, entries, host="127.0.0.1", how="honest", tls=None):
        self.entries = entries
        self.how = how
        super().__init__(host, 0, tls)

    def url(self, path="", host=None):
        return f"{'ldaps' if self.tls else 'ldap'}://{self.authority(host)}{path}"

    def reply(self, c, number, *operation):
        c.sendall(ber(0x30, ber(2, bytes([number])), *operation))

    def result(self, c, number, tag, code=0):
        self.reply(c, number, ber(tag, ber(10, bytes([code])), ber(4), ber(4)))

    def entry(self, c, number, dn, attributes):
        lists = [ber(0x30, ber(4, name.encode()), ber(0x31, *[ber(4, v) for v in values]))
                 for name, values in attributes]
        self.reply(c, number, ber(0x64, ber(4, dn.encode()), ber(0x30, *lists)))

    def serve(self, c):
        while True:
            _, content = ber_read(c)
            number, operation = content[2], content[3]
            with self.lock:
                self.requests.append(content)
            if operation == 0x60:
                self.result(c, number, 0x61)
            elif operation == 0x63:
                self.search(c, number)
            else:
                return

    def search(self, c, number):
        if self.how == "hang":
            self.wait(600)
        elif self.how == "huge":
            c.sendall(b"\x30\x84\x7f\xff\xff\xff\x02\x01" + bytes([number]) + b"\x64\x84\x7f\xff\xff\xf0")
            while not self.over.is_set():
                c.sendall(PATTERN)
        elif self.how == "refuse":
            self.result(c, number, 0x65, 32)
        else:
            for dn, attributes in self.entries:
                self.entry(c, number, dn, attributes)
            while self.how == "endless" and not self.over.is_set():
                self.entry(c, number, "cn=again", [("description", [b"x" * 1000])])
            self.result(c, number, 0x65)


if __name__ == "__main__":
    with Hostile(*sys.argv[1:2], *map(int, sys.argv[2:3])) as running:
        print(running.url(), " ".join(sorted(ENDPOINTS)), flush=True)
        running.wait(1 << 30)
