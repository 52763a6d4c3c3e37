"""The website beside a pool of real processes: what it says is what the commands say."""
import json
import os
import re
import signal
import sys
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.processes import RUN_S, free_port  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402
from pool.waiting import eventually  # noqa: E402

TASKS = "tinyMMLU,tinyHellaswag"


class Website(PoolTest):
    def open_website(self, **more):
        self.address_of_pages = f"127.0.0.1:{free_port()}"
        website = self.start("website", "--listen", self.address_of_pages,
                             "--database", os.path.join(self.server.state, "server.db"), **more)
        website.wait_for("the pages are at http://" + self.address_of_pages)
        return website

    def ask(self, path):
        """The status, and what it says."""
        try:
            with urllib.request.urlopen(f"http://{self.address_of_pages}{path}", timeout=30) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def tell(self, path):
        status, said = self.ask("/api/v1" + path)
        self.assertEqual(status, 200, said)
        return json.loads(said)

    def follow(self, topics):
        """A stream of events, of which one line after the other is read."""
        stream = urllib.request.urlopen(f"http://{self.address_of_pages}/api/v1/events?topics={topics}", timeout=60)
        self.addCleanup(stream.close)
        return stream

    def test_a_job_from_its_beginning_to_the_board(self):
        self.start_pool([["--role", "storage"]] * 2 + [["--role", "compute"]] * 2)
        self.open_website()
        eventually(lambda: self.ask("/api/v1/pool")[0] == 200, "nothing is known of the pool")
        machines = {machine["machine"]: machine for machine in self.tell("/machines")["items"]}
        status = json.loads(self.muster("status", "--json").stdout)
        self.assertEqual({machine["machine"] for machine in status["machines"]}, set(machines))
        self.assertTrue(all(machine["cores"] > 0 and machine["memory_bytes"] > 0 for machine in machines.values()))
        stream = self.follow("pool,board")
        run = self.begin_run("--llm_name", NEOX, "--tasks", TASKS, "--limit", "12", "--json")
        names = set()
        for line in stream:
            if match := re.match(rb"event: (\w+)", line):
                names.add(match[1].decode())
                if match[1] == b"result":
                    break
        self.assertLessEqual({"job", "machine", "pool", "result"}, names)
        code, printed, complaints = run.end(RUN_S)
        self.assertEqual(code, 0, complaints)
        done = [json.loads(line) for line in printed.splitlines()][-1]
        self.assert_says_the_same(done)

    def assert_says_the_same(self, done):
        """To the last digit."""
        identity = done["results"]["muster"]
        job = self.tell(f"/jobs/{identity['job']}")
        self.assertEqual((job["state"], job["settled"], job["total"]), ("done", 24, 24))
        self.assertIn(NEOX, job["command"])
        results = json.loads(self.ask(f"/api/v1/jobs/{identity['job']}/runs/{identity['run']}")[1])
        said = {(task["task"], score["metric"]): (score["value"], score["stderr"])
                for task in results["task_details"] for score in task["scores"]}
        for task, values in done["results"]["results"].items():
            for (name, metric), (value, error) in said.items():
                if name == task:
                    self.assertEqual((value, error), (values[f"{metric},none"], values[f"{metric}_stderr,none"]))
        self.assertEqual({task for task, _ in said}, set(TASKS.split(",")))
        self.assertEqual(self.tell("/leaderboard")["items"], [], "a part of a benchmark is not on the board")
        self.assertEqual(len(self.tell("/leaderboard?show=all")["items"]), 1)

    def test_it_goes_on_without_the_server_and_tells_of_it(self):
        self.start_pool([["--role", "storage"]], coordinator=False)
        website = self.open_website()
        eventually(lambda: self.ask("/api/v1/pool")[0] == 200, "nothing is known of the pool")
        self.server.kill()
        website.wait_for("no muster server answers")
        before = self.tell("/pool")["at_ms"]
        self.assertEqual(self.ask("/api/v1/jobs")[0], 200)
        self.server = self.start("server", state=self.server.state)
        self.server.wait_for("serving on")
        website.wait_for("the pool is heard again")
        self.assertGreater(self.tell("/pool")["at_ms"], before)
        self.assertEqual(website.stop(signal.SIGTERM), 0)

    def test_it_says_why_it_cannot_begin(self):
        self.start_pool([], coordinator=False)
        self.open_website()
        twin = self.start("website", "--listen", self.address_of_pages)
        self.assertEqual(twin.wait(), 69)
        twin.wait_for("--listen", seconds=1)
        self.assertEqual(self.muster("website", "--listen", "nowhere:99999").returncode, 2)


if __name__ == "__main__":
    unittest.main()
