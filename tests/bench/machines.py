#!/usr/bin/env python3
"""What machines that are lent and idle cost a server over TLS, and how soon all are back when it was killed: machines.py [COUNT].
Both ends are on this machine, so that the server has half of it at most."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.processes import Pool  # noqa: E402
from pool.programs import BIN  # noqa: E402

WATCHED_S = 30
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) / 1024


class Machines:
    """The process that is all of them."""

    def __init__(self, port, authority, count):
        self.process = subprocess.Popen([os.path.join(BIN, "bench_machines"), str(port), authority, str(count)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def next(self, word):
        """Its next line that begins so."""
        for line in self.process.stdout:
            if line.startswith(word):
                return line.strip()
        sys.exit("bench machines: the machines ended")

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)


def watch(server, words):
    pid, began, used = server.process.pid, time.monotonic(), cpu_s(server.process.pid)
    time.sleep(WATCHED_S)  # What is measured is a rate.
    share = (cpu_s(pid) - used) / (time.monotonic() - began)
    print(f"{words}: {memory_mib(pid):.0f} MiB, {share:.2f} of a core", flush=True)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    pool = Pool(purpose="bench")
    try:
        server = pool.start("server")
        server.wait_for("serving on")
        for number in (1, 2):  # Else everybody who comes is asked whether he could store.
            pool.start("worker", "--role", "storage")
            server.wait_for("holds a copy", count=number)
        watch(server, "the server, and two that store")
        machines = Machines(pool.port, server.state, count)
        print("connecting:", machines.next("all"), flush=True)
        watch(server, f"{count} idle machines")
        server.kill()
        machines.next("lost")
        server = pool.start("server", state=server.state)
        server.wait_for("serving on")
        began = time.monotonic()
        machines.next("all")
        print(f"all are back {time.monotonic() - began:.1f} s after the server served again", flush=True)
        watch(server, f"{count} idle machines that came back")
        machines.end()
    finally:
        pool.close()


if __name__ == "__main__":
    main()
