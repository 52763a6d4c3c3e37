"""What a daemon says of itself on its --status_port."""
import json
import socket
import urllib.error
import urllib.request


def get(port, path):
    """The code and the text of a page; (0, "") when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=20) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def health(port, path="/healthz"):
    """The code and the JSON of a page about health."""
    code, text = get(port, path)
    return code, json.loads(text) if text else {}


def metrics(port):
    """What /metrics says, by name with labels: {'muster_jobs{state="waiting"}': 0.0}."""
    _, text = get(port, "/metrics")
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


class Silent:
    """Connections that say nothing, in a number."""

    def __init__(self, port, count):
        self.sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]

    def close(self):
        for one in self.sockets:
            one.close()
