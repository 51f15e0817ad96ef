# SPDX-License-Identifier: Apache-2.0
"""Stands between the server and a service that does not speak HTTP: passes bytes on, late, not at all, or until it is cut."""

import socket
import threading
import time


class Relay:
    """delay: seconds before each piece goes on; held: nothing goes on; refusing: who connects is turned away."""

    def __init__(self, port):
        self.target, self.delay, self.held, self.refusing = port, 0, False, False
        self.passed, self.connections, self.pairs, self.lock = bytearray(), 0, [], threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def good(self):
        """No misbehaviour from now on."""
        self.delay, self.held, self.refusing = 0, False, False

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            try:
                behind = None if self.refusing else socket.create_connection(("127.0.0.1", self.target), 10)
            except OSError:
                behind = None
            if behind is None:
                client.close()
                continue
            with self.lock:
                self.connections += 1
                self.pairs.append((client, behind))
            for one, other in ((client, behind), (behind, client)):
                threading.Thread(target=self.copy, args=(one, other), daemon=True).start()

    def copy(self, source, target):
        try:
            source.settimeout(None)
            while data := source.recv(65536):
                self.passed += data
                time.sleep(self.delay)
                while self.held:
                    time.sleep(0.05)
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            self.end(one)

    @staticmethod
    def end(one):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def cut(self):
        """Ends every connection, in the middle of whatever it carries."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for one in pair:
                self.end(one)
        return len(pairs)

    def close(self):
        self.socket.close()
        self.cut()
