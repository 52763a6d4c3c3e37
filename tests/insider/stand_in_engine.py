"""Stands between a worker and its real muster-engine, and holds a message back while a test keeps a gate closed:

    stand_in_engine.py REAL_ENGINE serve --fd N

INSIDER_LOAD_GATE and INSIDER_SCORE_GATE name the gates (files that the test has locked) of the two messages;
INSIDER_PROGRESS=1 says that the item moves on meanwhile. INSIDER_CRASH_ONCE names a file: whoever can remove it dies at
the next item. INSIDER_MODEL names the folder that is loaded instead of the one asked for. INSIDER_STARTS names a file
that gets a line at each start. The frames are those of docs/engine_protocol.md; nothing in them is read but their type
and the model."""
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

PROGRESS = b"\xa2\x64type\x68progress\x62id\x00"  # CBOR: {"type": "progress", "id": 0}
PROGRESS_EVERY_S = 0.5
PR_SET_PDEATHSIG = 1


def read_frame(line):
    head = line.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        sys.exit(0)
    size = struct.unpack(">I", head)[0]
    return head + line.recv(size, socket.MSG_WAITALL)


@contextlib.contextmanager
def progress_said(worker):
    opened = threading.Event()

    def say():
        while not opened.wait(PROGRESS_EVERY_S):
            worker.sendall(struct.pack(">I", len(PROGRESS)) + PROGRESS)

    thread = threading.Thread(target=say)
    thread.start()
    try:
        yield
    finally:
        opened.set()
        thread.join()


def pass_gate(path):
    """Returns once nobody keeps the gate locked."""
    with open(path) as gate:
        fcntl.flock(gate, fcntl.LOCK_SH)


def hold(kind, worker):
    path = os.environ.get(f"INSIDER_{kind}_GATE")
    if not path:
        return
    speaks = kind == "SCORE" and os.environ.get("INSIDER_PROGRESS")
    with progress_said(worker) if speaks else contextlib.nullcontext():
        pass_gate(path)


def crash_once():
    with contextlib.suppress(OSError, TypeError):
        os.remove(os.environ.get("INSIDER_CRASH_ONCE"))
        os._exit(1)


def note_start():
    if path := os.environ.get("INSIDER_STARTS"):
        with open(path, "a") as file:
            file.write("started\n")


def with_model(frame, folder):
    """A load message (CBOR) that asks for another folder."""
    key = b"\x65model"
    before, after = frame[4:].split(key, 1)
    size, head = (after[1], 2) if after[0] == 0x78 else (after[0] & 31, 1)
    body = before + key + b"\x78" + bytes([len(folder)]) + folder + after[head + size:]
    return struct.pack(">I", len(body)) + body


def pass_answers(engine, worker):
    with contextlib.suppress(OSError):
        while piece := engine.recv(1 << 16):
            worker.sendall(piece)
    os._exit(1)


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # As muster-engine: killed with its worker.
    note_start()
    worker = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
    ours, theirs = socket.socketpair()
    engine = subprocess.Popen([sys.argv[1], "serve", "--fd", str(theirs.fileno())], pass_fds=[theirs.fileno()])
    theirs.close()
    threading.Thread(target=pass_answers, args=(ours, worker), daemon=True).start()
    while True:
        frame = read_frame(worker)
        if b"type\x65score" in frame:
            crash_once()
            hold("SCORE", worker)
        elif b"type\x64load" in frame:
            hold("LOAD", worker)
            if folder := os.environ.get("INSIDER_MODEL"):
                frame = with_model(frame, folder.encode())
        ours.sendall(frame)


if __name__ == "__main__":
    main()
