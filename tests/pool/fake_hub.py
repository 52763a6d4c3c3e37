"""A local HTTP server that behaves like the Hugging Face Hub: it has one small model, and fails as a test says."""
import hashlib
import http.server
import json
import os
import threading

from .programs import NEOX

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = "model.safetensors"


class FakeHub:
    """Serves one repository, lab/tiny, with a redirect for its large file; `trouble` makes it fail."""

    def __init__(self):
        self.trouble, self.token, self.downloads = None, None, []
        self.dribbling, self.over = threading.Semaphore(0), threading.Event()
        self.main, self.files = COMMIT, {}
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json", LARGE):
            with open(os.path.join(NEOX, name), "rb") as file:
                self.files[name] = file.read()
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                hub.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def listing(self):
        siblings = [{"rfilename": "pytorch_model.bin", "size": 1, "blobId": "0" * 40}]
        for name, content in self.files.items():
            entry = {"rfilename": name, "size": len(content),
                     "blobId": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()}
            if name == LARGE:
                entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            siblings.append(entry)
        parameters = 7_000_000_000 if self.trouble == "large" else 13_000_000
        return {"sha": COMMIT, "siblings": siblings, "safetensors": {"total": parameters}}

    def answer(self, request):
        path = request.path.split("?")[0]
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return self.reply(request, 401, b"")
        if path.startswith("/api/models/lab/slow/") or (self.trouble == "dribble" and path == f"/cdn/{LARGE}"):
            return self.dribble(request)
        if path in ("/api/models/lab/tiny/revision/main", f"/api/models/lab/tiny/revision/{COMMIT}"):
            listing = self.listing()
            listing["sha"] = self.main if path.endswith("/main") else COMMIT
            return self.reply(request, 200, json.dumps(listing).encode())
        name = path.rsplit("/", 1)[-1]
        if path == f"/lab/tiny/resolve/{COMMIT}/{LARGE}":
            request.send_response(302)
            request.send_header("Location", f"{self.url}/cdn/{LARGE}")
            request.send_header("Content-Length", "0")
            return request.end_headers()
        if path in (f"/lab/tiny/resolve/{COMMIT}/{name}", f"/cdn/{LARGE}") and name in self.files:
            self.downloads.append(name)
            return self.reply(request, 200, self.files[name])
        return self.reply(request, 404, b"")

    def dribble(self, request):
        """Gives an answer byte by byte, without end."""
        request.send_response(200)
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        self.dribbling.release()
        try:
            while not self.over.wait(0.2):
                request.wfile.write(b" ")
        except ConnectionError:
            pass
        request.close_connection = True

    def reply(self, request, status, body):
        large = request.path.endswith(LARGE)
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if large and self.trouble == "cut":
            body = body[:len(body) // 2]
        if large and self.trouble == "wrong bytes":
            body = body[:-1] + bytes([body[-1] ^ 1])
        try:
            request.wfile.write(body)
        except ConnectionError:
            pass
        request.close_connection = True
