"""Rows 1, 3, 4 and 15 to 17 through the Hub: which files count, whether their bytes are right, who writes them where."""
import hashlib
import json
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.fake_hub import COMMIT, LARGE  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import HubPoolTest  # noqa: E402

INDEX = "model.safetensors.index.json"
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def in_shards(content):
    """The index and the two shards of a safetensors file."""
    size, = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    header.pop("__metadata__", None)
    names, files, places = sorted(header), {}, {}
    for shard, part in zip(SHARDS, (names[:len(names) // 2], names[len(names) // 2:])):
        entries, body = {}, b""
        for name in part:
            begin, end = header[name]["data_offsets"]
            entries[name] = {**header[name], "data_offsets": [len(body), len(body) + end - begin]}
            body += data[begin:end]
            places[name] = shard
        words = json.dumps(entries).encode()
        words += b" " * (-len(words) % 8)
        files[shard] = struct.pack("<Q", len(words)) + words + body
    files[INDEX] = json.dumps({"metadata": {}, "weight_map": places}).encode()
    return files


class Hub(HubPoolTest):
    def table(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()[3:]

    def expected(self):
        return self.table(self.muster("run", "--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "2"))

    def blob(self, content):
        return self.path("hf", "hub", "models--lab--tiny", "blobs", hashlib.sha256(content).hexdigest())

    def test_01_a_whole_file_counts_before_shards_through_the_hub(self):
        self.hub.files.update(in_shards(bytes(self.hub.files[LARGE])))
        self.hub.files[SHARDS[0]] = b"old"
        self.start_hub_pool()
        self.assertEqual(self.table(self.run_tiny()), self.expected())
        self.assertFalse(set(SHARDS) & set(self.hub.downloads))

    def test_01_of_shards_those_of_the_index_through_the_hub(self):
        self.hub.files.update(in_shards(self.hub.files.pop(LARGE)))
        self.hub.files["model-00003-of-00003.safetensors"] = b"old"
        self.start_hub_pool()
        self.assertEqual(self.table(self.run_tiny()), self.expected())
        self.assertEqual({name for name in self.hub.downloads if name.endswith(".safetensors")}, set(SHARDS))

    def test_03_a_cached_blob_with_other_bytes_is_fetched_anew(self):
        self.start_hub_pool()
        first = self.table(self.run_tiny())
        content = self.hub.files[LARGE]
        with open(self.blob(content), "r+b") as blob:
            blob.seek(len(content) // 2)
            blob.write(bytes(4096))
        self.forget_daemons()
        self.start_hub_pool()
        self.assertEqual(self.table(self.run_tiny("lab/tiny", "--force")), first)
        with open(self.blob(content), "rb") as blob:
            self.assertEqual(hashlib.sha256(blob.read()).digest(), hashlib.sha256(content).digest())

    def test_04_a_ref_is_of_the_revision_that_was_asked_for(self):
        self.start_hub_pool()
        self.hub.main = "f" * 40  # Has moved on since.
        self.assertEqual(self.run_tiny(f"lab/tiny@{COMMIT}").returncode, 0)
        refs = self.path("hf", "hub", "models--lab--tiny", "refs")
        self.assertEqual(os.listdir(refs), [])
        self.hub.main = COMMIT
        self.assertEqual(self.run_tiny("lab/tiny@main", "--force").returncode, 0)
        self.assertEqual(os.listdir(refs), ["main"])

    def test_15_machines_that_share_an_empty_cache(self):
        self.start_pool([["--role", "storage"]] * 2 + [["--role", "compute"]] * 4, env=self.env)
        self.assertEqual(self.table(self.run_tiny()), self.expected())
        self.assertEqual(self.hub.downloads.count(LARGE), 1)
        self.assertEqual([line for worker in self.workers for line in worker.lines if "cannot load" in line], [])
        kept = [name for _, _, files in os.walk(self.path("hf")) for name in files]
        self.assertEqual([name for name in kept if "part" in name], [])

    def test_16_a_complete_cache_is_not_written_to(self):
        self.start_hub_pool()
        first = self.table(self.run_tiny())
        self.forget_daemons()
        locks = self.path("hf", "hub", ".locks")
        os.rename(locks, locks + "-before")
        with open(locks, "w"):  # Where folders were to be made, none can be.
            pass
        self.start_hub_pool()
        self.assertEqual(self.table(self.run_tiny("lab/tiny", "--force")), first)

    def test_17_the_environment_is_read_as_the_hubs_tools_read_it(self):
        home = {"HF_HOME": "", "HOME": self.path("home"), "XDG_CACHE_HOME": self.path("cache")}
        self.hub.token = "secret"
        self.start_hub_pool(**home, HF_TOKEN="secret\n")
        self.assertEqual(self.table(self.run_tiny()), self.expected())
        self.assertIn(LARGE, os.listdir(self.path("cache", "huggingface", "hub", "models--lab--tiny", "snapshots", COMMIT)))
        self.forget_daemons()
        asked = len(self.hub.downloads)
        self.start_hub_pool(**home, HF_HUB_OFFLINE="True")
        self.assertEqual(self.table(self.run_tiny("lab/tiny", "--force")), self.expected())
        self.assertEqual(len(self.hub.downloads), asked)

    def test_16_without_links_there_are_copies(self):
        self.start_hub_pool(HF_HUB_DISABLE_SYMLINKS="1")
        self.assertEqual(self.table(self.run_tiny()), self.expected())
        path = self.path("hf", "hub", "models--lab--tiny", "snapshots", COMMIT, LARGE)
        self.assertFalse(os.path.islink(path))
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o666 & ~self.umask())

    @staticmethod
    def umask():
        umask = os.umask(0)
        os.umask(umask)
        return umask


if __name__ == "__main__":
    unittest.main()
