"""A node that keeps to no rule. It has a key of its own, joins as a worker or as a store, hears everything that is
said to it, and says anything to anybody:

    rogue = Rogue(port)                                    joins as a machine that computes
    rogue.say(SERVER, finish=wire.envelope.Finish(...))    one message, to a role or to one machine
    rogue.wait_for("grant")                                the first message of that kind, once it is there

Lender and Store do a worker's and a store's duties rightly as far as nothing else is asked of them, so that they come
into the positions where lies count. Researcher asks the Pool service what no command of muster would ask."""
import base64
import collections
import hashlib
import json
import os
import queue
import threading
import time

import grpc
import wire
from nacl.signing import SigningKey

e = wire.envelope
SERVER, COORDINATOR, WORKER, STORAGE = e.ROLE_SERVER, e.ROLE_COORDINATOR, e.ROLE_WORKER, e.ROLE_STORAGE
COMPUTE_FLAG, STORAGE_FLAG, COORDINATOR_FLAG = e.ROLE_FLAG_COMPUTE, e.ROLE_FLAG_STORAGE, e.ROLE_FLAG_COORDINATOR
# What stands before the bytes that are signed, so that no signature serves for another purpose.
HELLO, RECORD = b"muster hello", b"muster record"
BEAT_S = 2
UNBOUNDED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
             ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]


def serialised(message):
    return message if isinstance(message, bytes) else message.SerializeToString()


def digest_of_fields(*fields):
    """SHA-256 over byte strings, each behind its length (base/digest.h)."""
    hasher = hashlib.sha256()
    for field in fields:
        hasher.update(len(field).to_bytes(8, "little") + field)
    return hasher.digest()


def request_digest(requests):
    """Of an item's (context, continuation) pairs, as a coordinator freezes them."""
    return digest_of_fields(*(text.encode() for pair in requests for text in pair))


def record_digest(signed):
    return digest_of_fields(signed.body, signed.public_key)


class Identity:
    """A key pair and the machine's id that follows from it. Anybody can make up as many as they like."""

    def __init__(self, key=None):
        self.key = key or SigningKey.generate()
        self.public_key = bytes(self.key.verify_key)
        self.machine = hashlib.sha256(self.public_key).digest()[:8].hex()

    def sign(self, record):
        signed = wire.record.SignedRecord(body=record.SerializeToString(), public_key=self.public_key)
        signed.signature = self.key.sign(RECORD + record_digest(signed)).signature
        return signed


class Certificate:
    """What somebody got for a token: a key (32 bytes, an Ed25519 seed), a certificate of it and the authority's, in PEM."""

    PKCS8 = bytes.fromhex("302e020100300506032b657004220420")  # Stands before such a key.

    def __init__(self, seed, certificate, authority):
        self.identity = Identity(SigningKey(seed))
        key = base64.b64encode(self.PKCS8 + seed).decode()
        self.credentials = grpc.ssl_channel_credentials(
            root_certificates=authority.encode(), certificate_chain=certificate.encode(),
            private_key=f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n".encode())

    @classmethod
    def of_machine(cls, state):
        """Of the machine whose folder this is."""
        with open(os.path.join(state, "machine.key"), "rb") as key, open(os.path.join(state, "membership.pem")) as file:
            own, _, authority = file.read().partition("-----END CERTIFICATE-----\n")
            return cls(key.read(), own + "-----END CERTIFICATE-----\n", authority)

    @classmethod
    def of_person(cls, file):
        """Of who has logged in."""
        with open(file) as text:
            login = json.load(text)
        return cls(bytes.fromhex(login["key"])[:32], login["certificate"], login["authority"])


def connection(port, certificate=None):
    """With a certificate over TLS, else without."""
    if not certificate:
        return grpc.insecure_channel(f"127.0.0.1:{port}", options=UNBOUNDED)
    return grpc.secure_channel(f"127.0.0.1:{port}", certificate.credentials,
                               options=[*UNBOUNDED, ("grpc.ssl_target_name_override", "server.muster")])


class Researcher:
    """The Pool service as a foreign client speaks it: requests may be messages or any bytes."""

    def __init__(self, port, certificate=None):
        self.channel = connection(port, certificate)

    def _call(self, name, request, reply):
        call = self.channel.unary_unary(f"/muster.v1.Pool/{name}", request_serializer=serialised,
                                        response_deserializer=reply.FromString)
        return call(request, timeout=60)

    def submit(self, **fields):
        return self._call("Submit", e.Submit(request=wire.job.JobRequest(**fields)), e.SubmitReply)

    def status(self):
        return self._call("Status", e.GetStatus(), e.PoolStatus)

    def pardon(self, machine):
        return self._call("Pardon", e.Pardon(machine=machine), e.PardonReply)

    def list(self):
        return self._call("List", e.ListJobs(), e.JobList)

    def running(self):
        """The rows of the jobs in progress: everybody may read them, keys and all."""
        return list(self.status().jobs)

    def close(self):
        self.channel.close()


class Rogue:
    """One node: a line to the server, and what came over it.

    `change` may alter the Hello before it leaves. Handlers (`handle[kind] = function(envelope)`) run on the thread
    that reads the line."""

    def __init__(self, port, flag=COMPUTE_FLAG, owner="", store_id="", identity=None, change=None, certificate=None):
        self.identity = identity or Identity()
        self.machine, self.flag, self.owner, self.store_id = self.identity.machine, flag, owner, store_id
        self.role = {COORDINATOR_FLAG: COORDINATOR, STORAGE_FLAG: STORAGE}.get(flag, WORKER)
        self.change, self.handle = change, {"pool_state": self.on_pool_state}
        self.state, self.heard, self.refusal, self.closed = None, [], "", False
        self.changed, self.outgoing = threading.Condition(), queue.Queue()
        self.done = threading.Event()
        self.channel = connection(port, certificate)
        connect = self.channel.stream_stream("/muster.v1.Mesh/Connect", request_serializer=serialised,
                                             response_deserializer=e.Envelope.FromString)
        self.call = connect(iter(self.outgoing.get, None))
        for loop in (self._read, self._beat):
            threading.Thread(target=loop, daemon=True).start()

    # What it says.

    def say(self, role, machine="", speaks_as=None, **body):
        """One envelope with one body. `speaks_as`: the role it claims to speak in."""
        envelope = e.Envelope(to=e.Address(role=role, machine=machine), **body)
        getattr(envelope, "from").role = self.role if speaks_as is None else speaks_as
        self.outgoing.put(envelope)

    def say_bytes(self, envelope):
        self.outgoing.put(envelope)

    def greet(self, nonce):
        hello = e.Hello(public_key=self.identity.public_key, version="0.1.0", role_flag=self.flag, owner=self.owner,
                        store_id=self.store_id, signature=self.identity.key.sign(HELLO + nonce).signature)
        if self.change:
            self.change(hello)
        self.say(SERVER, hello=hello)

    # What it hears.

    def on_pool_state(self, envelope):
        state = envelope.pool_state
        self.say(SERVER, pool_state_seen=e.PoolStateSeen(revision=state.revision))
        if not state.lent_known and self.role == WORKER:
            self.say(SERVER, holding=e.Holding())
        self.state = state

    def repeat(self):
        """Called at every beat: what a duty must repeat."""

    def _read(self):
        try:
            for envelope in self.call:
                self._hear(envelope, envelope.WhichOneof("body"))
        except grpc.RpcError as error:
            self.refusal = self.refusal or error.details() or str(error.code())
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        self.done.set()

    def _hear(self, envelope, kind):
        if kind == "challenge" and not self.heard:
            self.greet(envelope.challenge.nonce)
        if kind == "refused":
            self.refusal = envelope.refused.reason
        if kind in self.handle:
            self.handle[kind](envelope)
        with self.changed:
            self.heard.append((kind, envelope))
            self.changed.notify_all()

    def _beat(self):
        while not self.done.wait(BEAT_S):
            self.say(SERVER, speaks_as=e.ROLE_UNSPECIFIED, heartbeat=e.Heartbeat())  # For all its roles.
            self.repeat()

    def wait_until(self, holds, seconds, what):
        deadline = time.monotonic() + seconds
        with self.changed:
            while not holds():
                if time.monotonic() > deadline:
                    raise AssertionError(f"{what}; heard were {[kind for kind, _ in self.heard][-30:]}, "
                                         f"the line is {'closed: ' + self.refusal if self.closed else 'open'}")
                self.changed.wait(0.2)

    def heard_of(self, kind):
        return [envelope for heard, envelope in self.heard if heard == kind]

    def wait_for(self, kind, seconds):
        self.wait_until(lambda: self.heard_of(kind), seconds, f"no {kind} was heard")
        return self.heard_of(kind)[0]

    def wait_joined(self, seconds):
        self.wait_until(lambda: self.state is not None, seconds, "the rogue was not admitted")
        return self

    def wait_closed(self, seconds):
        self.wait_until(lambda: self.closed, seconds, "the line is still open")

    def leave(self):
        self.done.set()
        self.outgoing.put(None)
        self.call.cancel()
        self.channel.close()


class Lender(Rogue):
    """A machine that computes. `answer(item)` makes the responses to one ItemRequests, or None for none at all;
    `prepare(envelope)` may stand in for saying Ready."""

    def __init__(self, port, numeric_class, answer, prepare=None, **hello):
        self.numeric_class, self.answer = numeric_class, answer
        self.unstored, self.grants = {}, []
        super().__init__(port, **hello)
        self.handle.update(prepare=prepare or self.on_prepare, grant=self.on_grant, put_done=self.on_put_done)

    def on_prepare(self, envelope):
        self.say(COORDINATOR, getattr(envelope, "from").machine,
                 ready=e.Ready(key=envelope.prepare.key, numeric_class=self.numeric_class))

    def on_grant(self, envelope):
        grant = envelope.grant
        self.grants.append(grant)
        for item in grant.items:
            responses = self.answer(item)
            if responses is not None:
                self.store(self.signed_answer(grant, item, responses))

    def signed_answer(self, grant, item, responses):
        answer = wire.record.Answer(item=item.item, request_digest=item.digest, numeric_class=self.numeric_class,
                                    responses=responses, grant=grant.terms)
        return self.identity.sign(wire.record.Record(job=grant.key.job, run=grant.key.run, epoch=grant.key.epoch,
                                                     answer=answer))

    def store(self, signed):
        self.unstored[record_digest(signed)] = (signed, set())
        self.put([signed])

    def put(self, records):
        view = self.state.view
        for store in [*view.members, *view.joiners]:
            self.say(STORAGE, store.machine, put=e.Put(view=view.number, records=records))

    def on_put_done(self, envelope):
        view = self.state.view
        wanted = {store.machine for store in [*view.members, *view.joiners]}
        for digest in envelope.put_done.digests:
            if digest in self.unstored:
                self.unstored[digest][1].add(getattr(envelope, "from").machine)
                if self.unstored[digest][1] >= wanted:
                    del self.unstored[digest]

    def repeat(self):
        if self.unstored:
            self.put([signed for signed, _ in list(self.unstored.values())])


class Store(Rogue):
    """A machine that stores, in memory. Duties in `neglects` (copied, put, subscribe) are not done;
    `feed(request)` may stand in for what it answers to a Subscribe."""

    def __init__(self, port, neglects=(), feed=None, store_id="5708e0000000000f", **hello):
        self.neglects, self.readers = set(neglects), []
        self.records = collections.defaultdict(list)  # By (job, run), in the order in which they came.
        self.feed = feed or self.honest_feed
        super().__init__(port, flag=STORAGE_FLAG, store_id=store_id, **hello)
        self.handle.update(put=self.on_put, subscribe=self.on_subscribe)

    def on_pool_state(self, envelope):
        super().on_pool_state(envelope)
        view = self.state.view
        if "copied" not in self.neglects and self.machine in [joiner.machine for joiner in view.joiners]:
            self.say(SERVER, caught_up=e.CaughtUp(view=view.number))

    def is_member(self):
        return self.state is not None and self.machine in [member.machine for member in self.state.view.members]

    def wait_member(self, seconds):
        self.wait_until(self.is_member, seconds, "the rogue never became a storage node")
        return self

    def on_put(self, envelope):
        if "put" in self.neglects:
            return
        put = envelope.put
        for signed in put.records:
            kept = wire.record.Record.FromString(signed.body)
            self.records[kept.job, kept.run].append(signed)
        who = getattr(envelope, "from")
        self.say(who.role, who.machine, put_done=e.PutDone(view=put.view, digests=map(record_digest, put.records)))
        self.wake_readers()

    def lie(self, feed):
        """From now on this is what it answers, first of all to those who wait."""
        self.feed = feed
        self.wake_readers()

    def wake_readers(self):
        waiting, self.readers = self.readers, []
        for reader in waiting:
            self.on_subscribe(reader)

    def honest_feed(self, request):
        kept = self.records[request.job, request.run]
        records = kept[request.cursor:]
        if not records and not request.copying:
            return None
        return e.Feed(records=records, next=len(kept), at_end=True)

    def on_subscribe(self, envelope):
        if "subscribe" in self.neglects:
            return
        request, who = envelope.subscribe, getattr(envelope, "from")
        feed = self.feed(request)
        if feed is None:
            self.readers = [other for other in self.readers if other.subscribe.run != request.run or
                            getattr(other, "from") != who] + [envelope]
            return
        feed.job, feed.run, feed.epoch, feed.view = request.job, request.run, request.epoch, request.view
        setattr(feed, "from", request.cursor)
        feed.copying, feed.picked = request.copying, bool(request.digests)
        self.say(who.role, who.machine, feed=feed)
