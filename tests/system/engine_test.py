"""The engine as a program: what it says of a model, and that the converted model knows its capital."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.evaluation import score, score_command  # noqa: E402
from pool.programs import ENGINE, NEOX, SMOL  # noqa: E402


class Engine(unittest.TestCase):
    def test_after_the_capital_of_france_is_comes_paris(self):
        asked = "The capital of France is"
        paris, london = score(SMOL, [(asked, " Paris"), (asked, " London")])
        self.assertTrue(paris["is_greedy"])
        self.assertFalse(london["is_greedy"])
        self.assertGreater(paris["loglikelihood"], london["loglikelihood"])

    def test_blank_lines_and_line_ends_of_other_systems(self):
        line = json.dumps({"context": "a", "continuation": " b"})
        with tempfile.TemporaryDirectory() as work:
            with open(os.path.join(work, "in"), "w", newline="") as out:
                out.write(f"\r\n{line}\r\n \t\r\n\n{line}")
            command = score_command(NEOX, os.path.join(work, "in"), os.path.join(work, "out"))
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(work, "out")) as lines:
                self.assertEqual(len(list(lines)), 2)

    def test_info_tells_what_a_model_is(self):
        for model, family, parameters in ((SMOL, "llama", 134515008), (NEOX, "gpt_neox", 14067712)):
            info = json.loads(subprocess.run([ENGINE, "info", "--model", model], check=True, capture_output=True).stdout)
            self.assertEqual((info["architecture"], info["parameters"]), (family, parameters))
            self.assertTrue(info["numeric_class"].startswith("approximate-float32-"))


if __name__ == "__main__":
    unittest.main()
