"""A model by its name, from a local HTTP server that behaves like the Hugging Face Hub."""
import hashlib
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.fake_hub import COMMIT, LARGE  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import HubPoolTest  # noqa: E402


class Hub(HubPoolTest):
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
        self.forget_daemons()
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

    def test_a_name_for_which_the_hub_dribbles_keeps_nobody_waiting(self):
        self.start_hub_pool()
        self.begin_run("--llm_name", "lab/slow", "--limit", "1")
        self.hub.dribbling.acquire()
        self.assertEqual(self.run_tiny().returncode, 0)
        self.begin_run("--llm_name", "lab/slow@next", "--limit", "1")
        self.hub.dribbling.acquire()
        self.assertEqual(self.coordinator.stop(), 0)

    def test_a_download_that_dribbles_ends_with_its_worker(self):
        self.hub.trouble = "dribble"
        self.start_hub_pool()
        self.begin_run("--llm_name", "lab/tiny", "--limit", "1")
        self.hub.dribbling.acquire()
        for worker in self.workers[2:]:  # One fetches, the other waits for it.
            self.assertEqual(worker.stop(), 0)

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
