"""C6 and a part of C4 and H11 of the review: a job that no command of muster would send is refused before it is
accepted, whoever asks; nobody dies of it, and the next job is done."""
import os
import unittest

import grpc
import wire
from insider import NEOX, InsiderTest

REFUSALS = {"invalid argument", "unsupported", grpc.StatusCode.INVALID_ARGUMENT}  # The last: over a bound.


class HostileJobs(InsiderTest):
    def setUp(self):
        super().setUp()
        self.start_honest_pool()
        self.table = self.undisturbed()
        self.client = self.researcher()
        self.good = dict(model=NEOX, tasks=["tinyMMLU"], limit=2, redundancy=2, directory_pin=self.pin())

    def pin(self):
        """What a client computes of the model's directory."""
        return self.client.list().rows[0].model

    def assert_refused(self, **fields):
        self.refuses(REFUSALS, **fields)

    def refuses(self, codes, **fields):
        """Looks at the next job, too, so that a failure tells the whole of what happened."""
        reply = self.submit(**{**self.good, **fields})
        found = reply in codes or reply, self.outcome(self.begin_job()), self.harmed()
        self.assertEqual(found, (True, self.table, []))

    def submit(self, **fields):
        try:
            return self.client.submit(**fields).failure.code or "accepted"
        except grpc.RpcError as error:
            return error.code()

    def test_a_good_one_is_accepted(self):
        self.assertEqual(self.submit(**self.good), "accepted")

    def test_no_items(self):
        self.assert_refused(limit=0)

    def test_a_negative_limit(self):
        self.assert_refused(limit=-5)

    def test_a_limit_that_is_no_number(self):
        self.assert_refused(limit=float("nan"))

    def test_twenty_thousand_tasks(self):
        self.assert_refused(tasks=["tinyMMLU"] * 20_000)

    def test_the_same_task_twice(self):
        self.assert_refused(tasks=["tinyMMLU", "tinyMMLU"])

    def test_an_unknown_task(self):
        self.assert_refused(tasks=["tinyHallucination"])

    def test_no_task(self):
        self.assert_refused(tasks=[])

    def test_a_million_votes(self):
        self.assert_refused(redundancy=1_000_000)

    def test_more_few_shot_examples_than_there_are(self):
        self.assert_refused(num_fewshot=2_000_000_000)

    def test_a_commit_that_is_no_digest(self):
        self.assert_refused(directory_pin=self.altered_pin(commit="../../../token"))

    def test_a_commit_of_five_thousand_characters(self):
        self.assert_refused(directory_pin=self.altered_pin(commit="a" * 5000))

    def test_a_directory_without_a_pin(self):
        self.assert_refused(directory_pin=None)

    def test_a_path_of_a_megabyte(self):
        self.assert_refused(directory_pin=self.altered_pin(path="/" + "x" * 1_000_000))

    def test_a_model_of_a_megabyte(self):
        self.assert_refused(model="x" * 1_000_000)

    def test_a_username_of_a_megabyte(self):
        self.assert_refused(username="x" * 1_000_000)

    def test_a_request_of_4_mib(self):
        self.refuses(REFUSALS | {grpc.StatusCode.RESOURCE_EXHAUSTED}, username="x" * ((4 << 20) - 1000))

    def altered_pin(self, **fields):
        pin = wire.job.ModelPin()
        pin.CopyFrom(self.good["directory_pin"])
        for name, value in fields.items():
            setattr(pin, name, value)
        return pin


class OffTheHub(InsiderTest):
    """H11: a coordinator that is offline looks into the Hub's cache, and nowhere else."""

    def test_a_models_name_does_not_read_the_token(self):
        os.makedirs(self.path("hf", "hub", "models--a--b", "refs"))
        with open(self.path("hf", "token"), "w") as token:
            token.write("hf_secret")
        offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": self.path("hf"), "HF_TOKEN": "", "HF_HUB_CACHE": ""}
        self.start_server()
        self.start_store()
        self.start_computer(env=offline)
        self.coordinator = self.join("coordinator", env=offline)
        found = self.outcome(self.begin_job(model="a/b@../../../token"))
        self.assertNotIn("hf_secret", str(self.researcher().list()) + "".join(self.coordinator.lines))
        self.assertRegex(found, "exit code (2|78): ")
        self.assertEqual(self.harmed(), [])


if __name__ == "__main__":
    unittest.main()
