#!/usr/bin/env python3
"""Stands in for muster-engine and does what a test says, at the moment it says so:

    stand_in_engine.py serve --fd N

The folder MUSTER_STAND_IN says what; each where it is there, looked for anew at each message:

    engine    the real muster-engine, which is asked; without it every request scores -1
    load      a FIFO: a load goes on when whoever opened it for writing has closed it
    score     a FIFO: a score likewise; with "crash" written into it, the child ends instead
    progress  while a score is held back, the item moves on all the same
    model     names the folder that is loaded instead of the one asked for
    starts    gets a line when a child starts

StandInEngine writes such a folder for a pool in Python; src/io/engine_process_test.cc does so by itself. The frames are
those of docs/engine_protocol.md."""
import contextlib
import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

PROGRESS = {"type": "progress", "id": 0}
PROGRESS_EVERY_S = 0.5
PR_SET_PDEATHSIG = 1
PROGRAM = os.path.abspath(__file__)


class Gate:
    """A FIFO at `path` while it is closed: engines that come to it wait until it is opened."""

    def __init__(self, path):
        self.path = path

    def close(self):
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self.path)

    def open(self):
        """Those that wait go on, and whoever comes later is not held."""
        with contextlib.suppress(FileNotFoundError):
            # For both ways, since to open it for writing alone would wait for an engine.
            self._let_through(os.open(self.path, os.O_RDWR))

    def crash_one(self):
        """Waits until an engine is at it, which then ends. Nobody is held any more."""
        self._let_through(os.open(self.path, os.O_WRONLY), b"crash")

    def _let_through(self, held, words=b""):
        os.remove(self.path)
        os.write(held, words)
        os.close(held)


class StandInEngine:
    """What the engines do of those workers that are started with `env`, from a folder with `install`ed stand-ins.

      folder    is made for it
      real      a muster-engine that gives the answers; None: each is -1"""

    def __init__(self, folder, real=None):
        os.mkdir(folder)
        self.folder, self.env = folder, {"MUSTER_STAND_IN": folder}
        self.loads, self.scores = Gate(os.path.join(folder, "load")), Gate(os.path.join(folder, "score"))
        if real:
            os.symlink(real, os.path.join(folder, "engine"))

    @staticmethod
    def install(folder):
        """Where muster looks for its engine: beside itself."""
        os.symlink(PROGRAM, os.path.join(folder, "muster-engine"))

    def say_progress(self):
        with open(os.path.join(self.folder, "progress"), "w"):
            pass

    def say_no_progress(self):
        os.remove(os.path.join(self.folder, "progress"))

    def load_instead(self, model):
        with open(os.path.join(self.folder, "model"), "w") as file:
            file.write(model)

    def starts(self):
        with open(os.path.join(self.folder, "starts")) as lines:
            return len(lines.readlines())


# What follows is the program.

def told(name):
    """What a test has written into a file, or writes into a FIFO until it closes it; nothing where there is none."""
    try:
        with open(os.path.join(os.environ["MUSTER_STAND_IN"], name)) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def is_there(name):
    return os.path.exists(os.path.join(os.environ["MUSTER_STAND_IN"], name))


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
    return struct.pack(">BQ", major << 5 | 27, number)


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


def send(line, message):
    body = encode(message)
    line.sendall(struct.pack(">I", len(body)) + body)


def receive(line):
    """The next message; the program ends where the line does."""
    size = line.recv(4, socket.MSG_WAITALL)
    if len(size) < 4:
        sys.exit(0)
    return decode(line.recv(struct.unpack(">I", size)[0], socket.MSG_WAITALL), 0)[0]


@contextlib.contextmanager
def progress_said(worker):
    over = threading.Event()

    def say():
        while not over.wait(PROGRESS_EVERY_S):
            send(worker, PROGRESS)

    thread = threading.Thread(target=say)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def hold_back(message, worker):
    """Returns when the test lets the message through."""
    kind = message["type"]
    with progress_said(worker) if kind == "score" and is_there("progress") else contextlib.nullcontext():
        words = told(kind)
    if words == "crash":
        os._exit(1)


def answer(message):
    if message["type"] == "load":
        return {"type": "ready", "id": message["id"], "numeric_class": "stand-in", "parameters": 1}
    return {"type": "scores", "id": message["id"], "model_digest": "0" * 64,
            "results": [[-1.0, False, 1, 1.0] for _ in message["requests"]]}


def pass_answers(engine, worker):
    with contextlib.suppress(OSError):
        while piece := engine.recv(1 << 16):
            worker.sendall(piece)
    os._exit(1)


def start_engine(worker):
    """The line to a real engine, whose answers go straight to the worker."""
    ours, theirs = socket.socketpair()
    program = os.path.realpath(os.path.join(os.environ["MUSTER_STAND_IN"], "engine"))
    subprocess.Popen([program, "serve", "--fd", str(theirs.fileno())], pass_fds=[theirs.fileno()])
    theirs.close()
    threading.Thread(target=pass_answers, args=(ours, worker), daemon=True).start()
    return ours


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # As muster-engine: killed with its worker.
    with open(os.path.join(os.environ["MUSTER_STAND_IN"], "starts"), "a") as starts:
        starts.write("start\n")
    worker = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
    engine = start_engine(worker) if is_there("engine") else None
    while True:
        message = receive(worker)
        hold_back(message, worker)
        if message["type"] == "load" and (model := told("model")):
            message["model"] = model
        if engine:
            send(engine, message)
        else:
            send(worker, answer(message))


if __name__ == "__main__":
    main()
