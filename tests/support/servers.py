# SPDX-License-Identifier: Apache-2.0
"""Small servers that stand where a registry is expected, and certificates for servers."""

import base64
import contextlib
import http.server
import json
import re
import shutil
import socket
import ssl
import threading
import urllib.parse
from dataclasses import dataclass

from .commands import run


class Answer:
    def __init__(self, status, body=b"", headers=None):
        self.status = status
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = headers or {}


def json_answer(status, document, headers=None):
    return Answer(
        status, json.dumps(document), {"Content-Type": "application/json", **(headers or {})}
    )


@dataclass
class Request:
    method: str
    target: str  # path and query, as it was sent
    headers: object  # an email.message.Message: names in any case
    body: bytes
    certificate: str | None = None  # the name in the client's certificate, if it showed one

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        """{name: [values]}"""
        return urllib.parse.parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def form(self):
        """The body as a form: {name: value}."""
        fields = urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True)
        assert len(dict(fields)) == len(fields), fields
        return dict(fields)

    @property
    def basic(self):
        """(user, password) of Basic authentication, or None."""
        kind, _, value = (self.headers.get("Authorization") or "").partition(" ")
        if kind.lower() != "basic":
            return None
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        return user, password

    @property
    def bearer(self):
        kind, _, value = (self.headers.get("Authorization") or "").partition(" ")
        return value if kind.lower() == "bearer" else None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _handle(self):
        self.close_connection = True
        request = Request(
            self.command, self.path, self.headers, self._read_body(), self._shown_name()
        )
        answer = self.server.answer(request)
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Connection": "close"}.items():
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name in answer.headers):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _shown_name(self):
        if not isinstance(self.connection, ssl.SSLSocket):
            return None
        certificate = self.connection.getpeercert() or {}
        return dict(part[0] for part in certificate.get("subject", [])).get("commonName")

    def _read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size + 2)[:size])
        self.rfile.readline()
        return b"".join(pieces)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def log_message(self, *arguments):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that goes away, or speaks TLS to a plain server, is part of the tests


@contextlib.contextmanager
def serve(answer, host="127.0.0.1", certificate=None):
    """Serves answer(method, path, headers) -> Answer; yields 'host:port'.

    certificate: the path of a file with key and certificate, to serve https.
    """

    def answer_request(request):
        return answer(request.method, request.target, request.headers)

    with serve_requests(answer_request, host=host, certificate=certificate) as address:
        yield address


@contextlib.contextmanager
def serve_requests(
    answer, host="127.0.0.1", certificate=None, listener=None, client_authority=None
):
    """Serves answer(Request) -> Answer; yields 'host:port'.

    certificate: a file with key and certificate, to serve https. listener: a socket that listens
    already, instead of one at the host. client_authority: whose certificates clients may show.
    """
    server = _Server((host, 0), _Handler, bind_and_activate=listener is None)
    if listener is not None:
        server.socket.close()
        server.socket = listener
        server.server_address = listener.getsockname()
    server.answer = answer
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if client_authority is not None:
            context.load_verify_locations(client_authority)
            context.verify_mode = ssl.CERT_OPTIONAL
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def make_self_signed_certificate(directory, host):
    """A key and a certificate for an address, signed by nobody whom anybody trusts."""
    key, certificate, both = (directory / name for name in ("key.pem", "cert.pem", "both.pem"))
    run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", f"/CN={host}", "-addext", f"subjectAltName=IP:{host}",
        "-keyout", key, "-out", certificate,
    )
    both.write_text(key.read_text() + certificate.read_text())
    return both


@contextlib.contextmanager
def closed_port(host="127.0.0.1"):
    """Yields 'host:port' of a port that is taken and refuses connections."""
    with socket.socket() as holder:
        holder.bind((host, 0))
        yield f"{host}:{holder.getsockname()[1]}"


def free_port(host="127.0.0.1"):
    """A port that nobody has at the moment."""
    with socket.socket() as holder:
        holder.bind((host, 0))
        return holder.getsockname()[1]


class Authority:
    """A certificate authority of the tests' own."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir(parents=True)
        self._request(directory, "authority", "-x509", "-days", "2")
        self.certificate = directory / "cert.pem"

    def issue(self, name, valid_for="IP:127.0.0.1", days=2):
        """A directory with ca.pem, cert.pem, key.pem and both.pem: of a client, or of a server.

        valid_for: the addresses ("IP:...") and names ("DNS:...") of the server.
        days: how long from now; negative: it has expired.
        """
        directory = self.directory / name
        if not directory.exists():
            directory.mkdir()
            shutil.copy(self.certificate, directory / "ca.pem")
            request = self._request(directory, name)
            names = directory / "names"
            names.write_text(f"subjectAltName = {valid_for}\nbasicConstraints = CA:FALSE\n")
            run(
                "openssl", "x509", "-req", "-in", request, "-days", str(days), "-extfile", names,
                "-CA", self.certificate, "-CAkey", self.directory / "key.pem", "-CAcreateserial",
                "-out", directory / "cert.pem",
            )
            parts = [(directory / part).read_text() for part in ("key.pem", "cert.pem")]
            (directory / "both.pem").write_text("".join(parts))
        return directory

    def _request(self, directory, name, *options):
        output = directory / ("cert.pem" if "-x509" in options else "request.pem")
        run(
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", directory / "key.pem", "-out", output, *options,
        )
        return output


class TunnelProxy:
    """An HTTP proxy that makes tunnels, wherever they are to lead, to one address of its own."""

    def __init__(self, target):
        """target: 'host:port'"""
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self.asked_for = []  # 'host:port' of each tunnel
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        _shut(self._listener)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = client.recv(1)
            if not byte:
                return
            head += byte
        method, where = head.decode().split()[:2]
        if method != "CONNECT":
            client.sendall(b"HTTP/1.1 405 Only Tunnels\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        self.asked_for.append(where)
        server = socket.create_connection(self._target)
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


class Wiretap:
    """A port that leads to another one, and notes what clients ask there and as whom."""

    HEAD = re.compile(rb"(GET|HEAD|PUT|POST|PATCH|DELETE) (\S+) HTTP/1\.1\r\n(.*?)\r\n\r\n", re.S)
    LOGIN = re.compile(rb"^authorization: basic (\S+)", re.I | re.M)

    def __init__(self, target):
        """target: 'host:port'"""
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._heard = []  # one bytearray a connection
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        _shut(self._listener)

    def requests(self, path=""):
        """The requests so far as (user or None, method, path), those that begin with 'path'."""
        found = []
        for heard in list(self._heard):
            for method, asked, headers in self.HEAD.findall(bytes(heard)):
                if asked.decode().startswith(path):
                    login = self.LOGIN.search(headers)
                    user = base64.b64decode(login[1]).decode().partition(":")[0] if login else None
                    found.append((user, method.decode(), asked.decode()))
        return found

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                heard = bytearray()
                self._heard.append(heard)
                server = socket.create_connection(self._target)
                for source, target, notes in ((client, server, heard), (server, client, None)):
                    threading.Thread(
                        target=_pump, args=(source, target, notes), daemon=True
                    ).start()


def _shut(listener):
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
    listener.close()


def _pump(source, target, notes=None):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            if notes is not None:
                notes += data
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
