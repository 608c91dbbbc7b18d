# SPDX-License-Identifier: Apache-2.0
"""A line to a server on loopback on which everything takes its time, as to one far away."""

import queue
import socket
import threading
import time

PIECE = 64 * 1024
PIECES_UNDER_WAY = 64  # 4 MB: what the line holds before the sender has to wait


class SlowLine:
    """Passes connections on to a port of this machine; each byte arrives `delay_ms` later, and so
    does its answer: a request takes twice that and whatever the server takes."""

    def __init__(self, port, delay_ms):
        self.port = port
        self.delay = delay_ms / 1000
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # closed
            server = socket.create_connection(("127.0.0.1", self.port))
            for source, sink in ((client, server), (server, client)):
                sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pieces = queue.Queue(PIECES_UNDER_WAY)
                threading.Thread(target=self.take, args=(source, pieces), daemon=True).start()
                threading.Thread(target=self.give, args=(sink, pieces), daemon=True).start()

    def take(self, source, pieces):
        while True:
            try:
                piece = source.recv(PIECE)
            except OSError:
                piece = b""
            pieces.put((time.monotonic() + self.delay, piece))
            if not piece:
                return

    def give(self, sink, pieces):
        while True:
            due, piece = pieces.get()
            time.sleep(max(0, due - time.monotonic()))
            try:
                if not piece:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(piece)
            except OSError:
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
