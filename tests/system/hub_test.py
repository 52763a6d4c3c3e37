"""A model by its name, from a local HTTP server that behaves like the Hugging Face Hub."""
import hashlib
import http.server
import json
import os
import subprocess
import threading
import unittest

from pool import MUSTER, NEOX, PoolTest

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


class Hub(PoolTest):
    def setUp(self):
        super().setUp()
        self.hub = FakeHub()
        self.env = {"HF_ENDPOINT": self.hub.url, "HF_HOME": self.path("hf"), "HF_TOKEN": "", "HF_HUB_CACHE": "", "HF_HUB_OFFLINE": ""}

    def tearDown(self):
        super().tearDown()
        self.hub.stop()

    def start_hub_pool(self, **env):
        self.start_pool([["--role", "storage"]] * 2 + [["--role", "compute"]] * 2, env={**self.env, **env})

    def run_tiny(self, name="lab/tiny", *more):
        return self.muster("run", "--llm_name", name, "--tasks", "tinyHellaswag", "--limit", "2", *more)

    def test_a_name_is_pinned_fetched_once_and_evaluated(self):
        self.start_hub_pool()
        done = self.run_tiny()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"pretrained=lab/tiny,revision={COMMIT}", done.stdout)
        # Two workers of one machine share the cache: each file came down once, and no pickle did.
        self.assertEqual(sorted(self.hub.downloads), sorted(self.hub.files))
        top = self.path("hf", "hub", "models--lab--tiny")
        with open(os.path.join(top, "refs", "main")) as ref:
            self.assertEqual(ref.read(), COMMIT)
        link = os.readlink(os.path.join(top, "snapshots", COMMIT, LARGE))
        self.assertEqual(link, "../../blobs/" + hashlib.sha256(self.hub.files[LARGE]).hexdigest())
        by_directory = self.muster("run", "--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "2")
        self.assertEqual(by_directory.stdout.splitlines()[3:], done.stdout.splitlines()[3:])

    def test_offline_uses_what_the_cache_holds(self):
        self.start_hub_pool()
        self.assertEqual(self.run_tiny().returncode, 0)
        for daemon in reversed(self.daemons):
            daemon.stop()
        self.daemons.clear()
        self.hub.trouble, self.hub.files = "gone", {}
        self.start_hub_pool(HF_HUB_OFFLINE="1")
        self.assertEqual(self.run_tiny("lab/tiny", "--force").returncode, 0)
        self.assert_fails(self.run_tiny("lab/other"), 75, "HF_HUB_OFFLINE")

    def test_what_is_not_there_private_or_too_large(self):
        self.start_hub_pool()
        self.assert_fails(self.run_tiny("lab/none"), 78, "no such model")
        self.assert_fails(self.run_tiny("lab/tiny@v9"), 78, "no such model or revision")
        self.hub.trouble = "large"
        self.assert_fails(self.run_tiny(), 78, "7000 M parameters")
        self.hub.trouble, self.hub.token = None, "hf_right"
        self.assert_fails(self.run_tiny(), 77, "HF_TOKEN")

    def test_a_token_opens_a_private_model(self):
        self.hub.token = "hf_right"
        self.start_hub_pool(HF_TOKEN="hf_right")
        self.assertEqual(self.run_tiny().returncode, 0)

    def test_a_hub_that_is_not_there(self):
        self.start_hub_pool(HF_ENDPOINT="http://127.0.0.1:1")
        self.assert_fails(self.run_tiny(), 75, "127.0.0.1:1")

    def start_run(self, name):
        run = subprocess.Popen([MUSTER, "run", "--llm_name", name, "--limit", "1", "--port", str(self.port)],
                               stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)

    def test_a_name_for_which_the_hub_dribbles_keeps_nobody_waiting(self):
        self.start_hub_pool()
        self.start_run("lab/slow")
        self.hub.dribbling.acquire()
        self.assertEqual(self.run_tiny().returncode, 0)
        self.start_run("lab/slow@next")
        self.hub.dribbling.acquire()
        self.assertEqual(self.coordinator.stop(), 0)

    def test_a_download_that_dribbles_ends_with_its_worker(self):
        self.hub.trouble = "dribble"
        self.start_hub_pool()
        self.start_run("lab/tiny")
        self.hub.dribbling.acquire()
        for worker in self.workers[2:]:  # One fetches, the other waits for it.
            self.assertEqual(worker.stop(), 0)

    def test_a_ref_is_of_the_revision_that_was_asked_for(self):
        self.start_hub_pool()
        self.hub.main = "f" * 40  # Has moved on since.
        self.assertEqual(self.run_tiny(f"lab/tiny@{COMMIT}").returncode, 0)
        refs = self.path("hf", "hub", "models--lab--tiny", "refs")
        self.assertEqual(os.listdir(refs), [])
        self.hub.main = COMMIT
        self.assertEqual(self.run_tiny("lab/tiny@main", "--force").returncode, 0)
        self.assertEqual(os.listdir(refs), ["main"])

    def test_a_cut_connection_and_wrong_bytes_are_never_kept_and_tried_again(self):
        self.hub.trouble = "cut"
        self.start_hub_pool()
        run = threading.Thread(target=lambda: setattr(self, "done", self.run_tiny()))
        run.start()
        self.workers[2].wait_for("cannot load the model: .*resolve")
        self.hub.trouble = "wrong bytes"
        self.workers[2].wait_for("cannot load the model: .*hash")
        top = self.path("hf", "hub", "models--lab--tiny")
        self.assertFalse(os.path.exists(os.path.join(top, "snapshots", COMMIT, LARGE)))
        self.assertNotIn(hashlib.sha256(self.hub.files[LARGE]).hexdigest(), os.listdir(os.path.join(top, "blobs")))
        self.hub.trouble = None
        run.join()
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        self.assertIn("waiting: machine", self.done.stderr)


if __name__ == "__main__":
    unittest.main()
