"""What one node has on its way to the stores: the records that it has put and that are not acknowledged yet, by store.

A relay between the node and the server gives every piece that passes (tests/pool/relay.py). A line is plain gRPC: HTTP/2
frames, of which those of data hold messages, each behind a byte and its length. An acknowledgement is counted before it goes
on to the node and a Put before it goes on to the server. So what is seen here is never more than the node believes to have
on its way, and what is seen beyond a window is a window that was not kept."""
import hashlib
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../insider"))
import wire  # noqa: E402

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEAD, MESSAGE_HEAD = 9, 5
DATA, PADDED = 0, 8


def record_digest(signed):
    """SHA-256 over the body and the key, each behind its length (base/digest.h)."""
    hasher = hashlib.sha256()
    for field in (signed.body, signed.public_key):
        hasher.update(len(field).to_bytes(8, "little") + field)
    return hasher.digest()


class Messages:
    """The gRPC messages of one direction of a connection, from pieces of any size."""

    def __init__(self, begins_with=b""):
        self.unread, self.preface, self.streams = bytearray(), begins_with, {}

    def of(self, piece):
        """Those that are whole with this piece, as bytes."""
        self.unread += piece
        at = 0
        if self.preface:
            if len(self.unread) < len(self.preface):
                return
            if not self.unread.startswith(self.preface):
                raise ValueError("this is not HTTP/2")
            at, self.preface = len(self.preface), b""
        while at + FRAME_HEAD <= len(self.unread):
            size, kind, flags = int.from_bytes(self.unread[at:at + 3], "big"), self.unread[at + 3], self.unread[at + 4]
            end = at + FRAME_HEAD + size
            if end > len(self.unread):
                break
            if kind == DATA:
                if flags & PADDED:
                    raise ValueError("a frame is padded, which gRPC's are not")
                stream = bytes(self.unread[at + 5:at + FRAME_HEAD])
                yield from self._of_stream(self.streams.setdefault(stream, bytearray()), self.unread[at + FRAME_HEAD:end])
            at = end
        del self.unread[:at]

    @staticmethod
    def _of_stream(unread, data):
        unread += data
        at = 0
        while at + MESSAGE_HEAD <= len(unread):
            if unread[at]:
                raise ValueError("a message is compressed, which muster's are not")
            begin = at + MESSAGE_HEAD
            end = begin + int.from_bytes(unread[at + 1:begin], "big")
            if end > len(unread):
                break
            yield bytes(unread[begin:end])
            at = end
        del unread[:at]


class Store:
    """One store under one view, as a node that writes to it sees it."""

    def __init__(self):
        self.on_the_way, self.acknowledged = {}, set()  # Sizes by digest; digests.
        self.bytes = 0  # Of those on the way.


class Flight:
    """Of one node; `heed` is for its relay.

      most      bytes of records on their way to one store at a time, the most there were
      records   put so far, to each store once. A record that is said once more, even one whose acknowledgement has
                passed here and not come to the node, is counted in `again` alone
      unread    why the line could not be read, if it could not"""

    def __init__(self):
        self.lock, self.directions, self.stores, self.view = threading.Lock(), {}, {}, 0
        self.most, self.records, self.again, self.unread = 0, 0, 0, ""

    def heed(self, connection, upwards, piece):
        key = connection, upwards
        if key not in self.directions:
            self.directions[key] = Messages(PREFACE if upwards else b"")
        try:
            for message in self.directions[key].of(piece):
                self._on_message(wire.envelope.Envelope.FromString(message), upwards)
        except Exception as error:  # Whatever it is: the line goes on, and the count is worth nothing.
            self.unread = self.unread or repr(error)

    def _on_message(self, envelope, upwards):
        body = envelope.WhichOneof("body")
        with self.lock:
            if upwards and body == "put":
                self._on_put(envelope.to.machine, envelope.put)
            elif not upwards and body == "put_done":
                self._on_done(getattr(envelope, "from").machine, envelope.put_done)

    def _on_put(self, machine, put):
        if self.view != put.view:  # Whoever hears of another view begins anew.
            self.view, self.stores = put.view, {}
        store = self.stores.setdefault(machine, Store())
        for signed in put.records:
            digest = record_digest(signed)
            if digest in store.on_the_way or digest in store.acknowledged:
                self.again += 1
                continue
            store.on_the_way[digest] = signed.ByteSize()
            store.bytes += store.on_the_way[digest]
            self.records += 1
        self.most = max(self.most, store.bytes)

    def _on_done(self, machine, done):
        store = self.stores.get(machine) if done.view == self.view else None
        for digest in done.digests if store else ():
            store.bytes -= store.on_the_way.pop(digest, 0)
            store.acknowledged.add(digest)
