"""C7, H4, H9 and L8 of the review: connections without end, that die by halves, that carry a flood or say nothing."""
import os
import queue
import resource
import socket
import unittest

import grpc
import wire
from insider import WAIT_S, InsiderTest, lie, numeric_class
from pool.waiting import eventually
from rogue import STORAGE, STORAGE_FLAG, UNBOUNDED, WORKER, Lender, Rogue, Store

e, r = wire.envelope, wire.record
MIB = 1 << 20


def resident_bytes(daemon):
    with open(f"/proc/{daemon.process.pid}/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()


class ManyConnections(InsiderTest):
    DESCRIPTORS = 64

    def test_a_server_that_ran_out_of_descriptors_hears_again(self):
        self.start_honest_pool()
        table = self.undisturbed()
        self.fill_up()
        worker = self.start_computer()
        self.server.wait_for(f"worker {worker.machine[:8]} joined")
        self.assert_honest(self.begin_job(), table)

    def fill_up(self):
        pid = self.server.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (self.DESCRIPTORS, self.DESCRIPTORS))
        idle = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(3 * self.DESCRIPTORS)]
        eventually(lambda: len(os.listdir(f"/proc/{pid}/fd")) >= self.DESCRIPTORS - 4 or self.refuses_lines(idle),
                        "the server neither ran out of descriptors nor refused anybody")
        for connection in idle:
            connection.close()

    @staticmethod
    def refuses_lines(connections):
        """Whether the server has closed one of them."""
        connections[-1].setblocking(False)
        try:
            return connections[-1].recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def test_a_stream_without_a_hello_is_closed(self):
        self.start_server()
        channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=UNBOUNDED)
        self.addCleanup(channel.close)
        saying_nothing = queue.Queue()
        self.addCleanup(saying_nothing.put, None)
        connect = channel.stream_stream("/muster.v1.Mesh/Connect", request_serializer=None,
                                        response_deserializer=e.Envelope.FromString)
        with self.assertRaises(grpc.RpcError) as closed:
            for heard in connect(iter(saying_nothing.get, None), timeout=WAIT_S):
                self.assertIn(heard.WhichOneof("body"), ("challenge", "refused"))
            raise grpc.RpcError("closed")
        self.assertNotIn("DEADLINE", str(closed.exception))


class HalfDead(InsiderTest):
    def test_a_machine_behind_a_line_that_passes_nothing_comes_back(self):
        relay = self.relay()
        self.start_honest_pool(compute=1)
        behind = self.start_computer(port=relay.port)
        table = self.undisturbed()
        job = self.begin_held_job()
        relay.half_die()
        behind.wait_for("connected to the server", count=2)
        self.scores.open()
        self.assertEqual((self.outcome(job), self.ended()), (table, []))

    def test_a_researcher_behind_a_line_that_passes_nothing_gets_the_table(self):
        self.start_honest_pool()
        table = self.undisturbed()
        relay = self.relay()
        job = self.begin_held_job(port=relay.port)
        relay.half_die()
        self.assert_honest(job, table)


class Floods(InsiderTest):
    def test_bogus_records_fill_no_stores_memory(self):
        self.start_honest_pool()
        table = self.undisturbed()
        job = self.begin_held_job()
        node = self.rogue()
        key, view = job.key, node.state.view.number
        bogus = r.Record(job=key.job, run=key.run, epoch=key.epoch, answer=r.Answer(item=0, numeric_class="x" * 190))
        records = [node.identity.sign(bogus) for _ in range(100)]
        for _ in range(175):
            for store in self.stores:
                node.say(STORAGE, store.machine, put=e.Put(view=view, records=records))
        self.assert_honest(job, table, node)
        for store in self.stores:
            self.assertLess(resident_bytes(store), 256 * MIB)

    def test_thousands_of_answers_to_one_item_cost_no_store_its_place(self):
        """Each is signed and was asked for: whoever was asked answers once."""
        self.start_honest_pool(compute=3)
        table = self.undisturbed()
        self.scores.close()
        node = self.rogue(Lender, numeric_class(), lambda item: None)
        job = self.begin_job()
        node.wait_for("grant", WAIT_S)
        grant = node.grants[0]

        def answer(number):
            responses = lie(len(grant.items[0].requests), 0)
            responses[0].margin = number
            return node.signed_answer(grant, grant.items[0], responses)
        for batch in range(60):
            node.put([answer(batch * 100 + number) for number in range(100)])
        self.assert_honest(job, table, node)
        self.assertEqual(self.server.count("leaves the view"), 0)

    def test_a_store_whose_feed_never_ends_holds_nothing_up(self):
        self.start_server()
        store = self.add(Store(self.port)).wait_joined(WAIT_S)
        self.start_store()
        self.server.wait_for("copies 2 of 2")
        self.computers = [self.start_computer() for _ in range(self.COMPUTE)]
        self.coordinator = self.join("coordinator")
        table = self.undisturbed()
        number = iter(range(1, 1 << 62))

        def endless(request):
            junk = [store.identity.sign(r.Record(job=request.job, run=request.run, epoch=next(number),
                                                 answer=r.Answer(item=0, numeric_class="x" * 190))) for _ in range(200)]
            return e.Feed(records=junk, next=request.cursor + 200)
        store.lie(endless)
        self.assert_honest(self.begin_job(), table, store, words="refused|feed|end|duty")
        self.assertLess(resident_bytes(self.coordinator), 256 * MIB)

    def test_a_flood_towards_a_slow_reader_does_not_cost_it_its_line(self):
        relay = self.relay()
        self.start_honest_pool(compute=1)
        victim = self.start_computer(port=relay.port)
        table = self.undisturbed()
        node = self.rogue(Rogue, flag=STORAGE_FLAG)
        relay.half_die()
        flood = e.PutDone(view=1, digests=[b"x" * 32] * 4000)
        for _ in range(700):  # 90 MB.
            node.say(WORKER, victim.machine, put_done=flood)
        node.wait_until(lambda: node.closed or node.outgoing.empty(), WAIT_S, "the flood does not flow off")
        relay.revive()
        self.assert_honest(self.begin_job(), table)


if __name__ == "__main__":
    unittest.main()
