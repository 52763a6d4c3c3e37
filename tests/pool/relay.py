"""A TCP relay before a server, which does to its connections what networks do. It needs no privileges, as network
namespaces would, and only whoever connects through it is hurt:

    half_die()   connections that are there pass nothing from now on, new ones are carried: a NAT that forgot them, or a
                 laptop that changed its network. Until revive().
    cut()        nothing passes, of new connections neither. Until mend().
    delay        by how many seconds each piece is late
    blip()       connections that are there are closed; new ones are carried

`carried` counts the connections so far. Whoever listens is given each piece before it goes on: `heed(connection, upwards,
piece)`, upwards being towards the server; it runs on a thread for each direction.

What passes nothing passes no end of a connection either: both sides have to notice by themselves."""
import contextlib
import socket
import threading
import time

CONNECT_S = 5
PIECE_BYTES = 1 << 16


class Connection:
    """One that is carried: the end of whoever connected, and that of the server."""

    def __init__(self, near, far):
        self.near, self.far, self.passes = near, far, threading.Event()
        self.lock, self.ways = threading.Lock(), 2
        self.passes.set()

    def end_one_way(self, sink):
        """Whether it was the last: what one side said before it closed may still be under way to the other."""
        sink.shutdown(socket.SHUT_WR)
        with self.lock:
            self.ways -= 1
            return self.ways == 0

    def close(self):
        for end in (self.near, self.far):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Relay:
    """Carries whoever connects to `port` on to port `target`, both of loopback."""

    def __init__(self, target, heed=None):
        self.target, self.heed, self.delay, self.passes = target, heed, 0.0, threading.Event()
        self.carried = 0
        self.passes.set()
        self.connections, self.lock = set(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                self.passes.wait()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target), timeout=CONNECT_S)
                except OSError:  # The server is away.
                    near.close()
                    continue
                far.settimeout(None)
                self._carry(Connection(near, far))

    def _carry(self, connection):
        with self.lock:
            self.connections.add(connection)
            self.carried += 1
        for source, sink in ((connection.near, connection.far), (connection.far, connection.near)):
            threading.Thread(target=self._pump, args=(source, sink, connection), daemon=True).start()

    def _pump(self, source, sink, connection):
        try:
            while piece := source.recv(PIECE_BYTES):
                self._wait(connection)
                if self.heed:
                    self.heed(connection, source is connection.near, piece)
                sink.sendall(piece)
            self._wait(connection)
            over = connection.end_one_way(sink)
        except OSError:  # It was reset, or closed by blip().
            self._wait(connection)
            over = True
        if over:
            self._close(connection)

    def _close(self, connection):
        with self.lock:
            self.connections.discard(connection)
        connection.close()

    def _wait(self, connection):
        connection.passes.wait()
        self.passes.wait()
        if self.delay:
            time.sleep(self.delay)

    def _there(self):
        with self.lock:
            return list(self.connections)

    def half_die(self):
        for connection in self._there():
            connection.passes.clear()

    def revive(self):
        for connection in self._there():
            connection.passes.set()

    def cut(self):
        self.passes.clear()

    def mend(self):
        self.passes.set()

    def blip(self):
        for connection in self._there():
            self._close(connection)

    def stop(self):
        self.mend()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # Else the thread that accepts keeps it open.
        self.listener.close()
        self.revive()
        self.blip()
