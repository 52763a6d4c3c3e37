"""A TCP relay before the server that can die by halves: the connections that there are stay open and pass nothing,
new ones are carried as before. So does a NAT that forgot them, or a laptop that changed its network."""
import contextlib
import socket
import threading


class Relay:
    def __init__(self, target):
        self.target, self.lock, self.pairs = target, threading.Lock(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                pair = near, socket.create_connection(("127.0.0.1", self.target)), threading.Event()
                pair[2].set()
                with self.lock:
                    self.pairs.append(pair)
                for source, sink in (pair[:2], pair[1::-1]):
                    threading.Thread(target=self._pump, args=(source, sink, pair[2]), daemon=True).start()

    @staticmethod
    def _pump(source, sink, passes):
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                passes.wait()
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    def half_die(self):
        """Those that are there pass nothing from now on, until `revive`."""
        with self.lock:
            for pair in self.pairs:
                pair[2].clear()

    def revive(self):
        with self.lock:
            for pair in self.pairs:
                pair[2].set()

    def stop(self):
        self.revive()
        self.listener.close()
        with self.lock:
            for near, far, _ in self.pairs:
                for end in (near, far):
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                    end.close()
