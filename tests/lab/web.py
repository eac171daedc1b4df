# SPDX-License-Identifier: GPL-2.0-or-later
"""A small web server in a namespace: publishes the files of one folder."""
import http.server
import os
import socket
import threading
import time


def publish(folder, name, data):
    """Put a file in place whole: readers see the old one or the new one."""
    path = os.path.join(folder, name)
    with open(path + ".new", "wb") as f:
        f.write(data)
    os.rename(path + ".new", path)


class Web:
    """Serves `folder` on port 80 of a host, both families; can misbehave on demand."""

    def __init__(self, host, folder, port=80):
        self.folder = folder
        self.sent = []          # (path, status, time.time() of the last byte)
        self.fail_with = None   # an HTTP status to answer instead
        self.body = None        # bytes to answer instead of a file
        self.delay = 0.0
        os.makedirs(folder, mode=0o755, exist_ok=True)
        self._servers = []
        for address in (host.ip4, host.ip6):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            server = http.server.ThreadingHTTPServer((address, port), self._handler(),
                                                     bind_and_activate=False)
            server.daemon_threads = True
            server.address_family = family
            server.socket.close()
            server.socket = host.ns.socket(family, socket.SOCK_STREAM)
            server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.socket.bind((address, port))
            server.socket.listen(64)
            server.server_address = (address, port)
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            self._servers.append((server, thread))

    def publish(self, name, data):
        publish(self.folder, name, data)

    def _handler(web):      # pylint: disable=no-self-argument
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, data, validators = web.look_up(self.path)
                known = self.headers.get("If-None-Match")
                if status == 200 and known and known == validators.get("ETag"):
                    status, data = 304, b""
                self.send_response(status)
                for key, value in validators.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                # the clock is read before: a thread may wait long for its turn after the write
                now = time.time()
                self.wfile.write(data)
                web.sent.append((self.path, status, now))

            def log_message(self, *args):
                pass

        return Handler

    def look_up(self, path):
        if self.delay:
            threading.Event().wait(self.delay)
        if self.fail_with:
            return self.fail_with, b"no\n", {}
        if self.body is not None:
            return 200, self.body, {}
        name = os.path.basename(path)
        try:
            with open(os.path.join(self.folder, name), "rb") as f:
                data = f.read()
                stat = os.fstat(f.fileno())
        except (FileNotFoundError, IsADirectoryError):
            return 404, b"not found\n", {}
        return 200, data, {"ETag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'}

    def close(self):
        for server, thread in self._servers:
            server.shutdown()
            server.server_close()
            thread.join(5)
