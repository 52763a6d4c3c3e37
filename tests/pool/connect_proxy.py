"""An HTTP proxy that carries connections (CONNECT), as firms have them, and what such a one does to those who use it:

    password   "USER:PASSWORD" that it wants; None: it carries for everybody
    answer     bytes that it says in place of an answer; "endless": headers without end; "silent": nothing at all

`asked` has the HOST:PORT of each CONNECT so far, `carried` counts those that came through."""
import base64
import contextlib
import socket
import threading

CONNECT_S = 5
PIECE_BYTES = 1 << 16
HEADER = b"X-Filler: " + b"x" * 1000 + b"\r\n"


class ConnectProxy:
    """Listens at `host`; looks names up and connects as whoever runs it would."""

    def __init__(self, host, password=None, answer=None):
        self.password, self.answer, self.asked, self.carried = password, answer, [], 0
        self.ends, self.lock = set(), threading.Lock()
        self.listener = socket.create_server((host, 0))
        self.address = f"{host}:{self.listener.getsockname()[1]}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self._accept, daemon=True).start()

    def url_for(self, credentials):
        return f"http://{credentials}@{self.address}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                self._keep(near)
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _keep(self, end):
        with self.lock:
            self.ends.add(end)

    def _serve(self, near):
        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = near.recv(PIECE_BYTES)
                if not piece:
                    return self._close(near)
                head += piece
            lines = head.decode().split("\r\n")
            self.asked.append(lines[0].split()[1])
            self._answer(near, lines)
        self._close(near)

    def _answer(self, near, lines):
        if self.answer == "silent":
            near.recv(1)  # Until whoever asked has had enough.
        elif self.answer == "endless":
            near.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                near.sendall(HEADER)
        elif self.answer:
            near.sendall(self.answer)
        elif not self._may(lines):
            near.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"lab\"\r\n\r\n")
        else:
            self._carry(near, self.asked[-1])

    def _may(self, lines):
        if self.password is None:
            return True
        word = base64.b64encode(self.password.encode()).decode()
        return f"Proxy-Authorization: Basic {word}" in lines

    def _carry(self, near, target):
        host, port = target.rsplit(":", 1)
        try:
            far = socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S)
        except OSError:
            return near.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        far.settimeout(None)
        self._keep(far)
        self.carried += 1
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        down = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        down.start()
        self._pump(near, far)
        down.join()
        self._close(far)

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _close(self, end):
        with self.lock:
            self.ends.discard(end)
        end.close()

    def stop(self):
        for end in (self.listener, *self.ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # Else the thread that waits keeps it open.
        self.listener.close()
