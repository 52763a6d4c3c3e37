#!/usr/bin/env python3
"""A stand-in for muster-engine that does what a test says, at the moment it says so.

In the folder MUSTER_STAND_IN, each where it is there:
  starts  one line is added when a child starts
  load    a FIFO: a load ends when whoever opened it for writing has closed it
  score   a FIFO: a score ends likewise; with "crash" written into it, by the end of the child
The answer to a score is -1 for every request."""
import os
import socket
import struct

FOLDER = os.environ["MUSTER_STAND_IN"]


def decode(data, at):
    """The CBOR value at `at`, and where it ends; what muster writes of it."""
    major, more = data[at] >> 5, data[at] & 31
    at += 1
    if more >= 24:
        size = 1 << more - 24
        more, at = int.from_bytes(data[at:at + size], "big"), at + size
    if major == 0:
        return more, at
    if major == 3:
        return data[at:at + more].decode(), at + more
    if major == 4:
        items = []
        for _ in range(more):
            item, at = decode(data, at)
            items.append(item)
        return items, at
    assert major == 5, data
    pairs = {}
    for _ in range(more):
        key, at = decode(data, at)
        pairs[key], at = decode(data, at)
    return pairs, at


def head(major, number):
    return struct.pack(">BI", major << 5 | 26, number)


def encode(value):
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    return head(5, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())


def told(name):
    """What a test writes into a FIFO until it closes it; nothing at once where there is none."""
    path = os.path.join(FOLDER, name)
    if not os.path.exists(path):
        return ""
    with open(path) as fifo:
        return fifo.read()


def read(line):
    data = b""
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
        more = line.recv(1 << 16)
        if not more:
            raise SystemExit(0)
        data += more
    return decode(data, 4)[0]


def answer(message):
    if message["type"] == "load":
        told("load")
        return {"type": "ready", "id": message["id"], "numeric_class": "stand-in", "parameters": 1}
    if told("score") == "crash":
        raise SystemExit(1)
    return {"type": "scores", "id": message["id"], "model_digest": "0" * 64, "results": [[-1.0, False, 1, 1.0] for _ in message["requests"]]}


def main():
    with open(os.path.join(FOLDER, "starts"), "a") as starts:
        starts.write("start\n")
    line = socket.socket(fileno=3)
    while True:
        body = encode(answer(read(line)))
        line.sendall(struct.pack(">I", len(body)) + body)


if __name__ == "__main__":
    main()
