"""A machine that has nothing in common with this one but a wire: a network namespace. It needs root, and iproute2."""
import contextlib
import os
import shutil
import subprocess
import unittest

from .processes import Process

COUNT = 5  # Addresses of this machine on the wire.


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


def needs_namespaces(case):
    return unittest.skipUnless(os.geteuid() == 0 and shutil.which("ip"), "namespaces are root's")(case)


class WireTest:
    """For a PoolTest, first of its classes: `here` has addresses of this machine that the other one reaches, `beyond` one
    that it has no way to. What it runs has `there` in its environment; `hosts(...)` says what names mean there."""

    def set_up_wire(self):
        self.space, net = f"muster-{os.getpid()}", f"{os.getpid() % 256}"
        wire = f"m{os.getpid() % 10**6}"
        self.here = [f"198.18.{net}.{number + 2}" for number in range(COUNT)]  # For tests of networks, and nobody's.
        self.beyond = f"198.19.{net}.1"
        self.hosts_file = os.path.join("/etc/netns", self.space, "hosts")
        self.addCleanup(self.remove_hosts)
        self.addCleanup(ip, "netns", "delete", self.space, check=False)
        if ip("netns", "add", self.space, check=False).returncode != 0:
            self.skipTest("no namespace can be made here")
        self.hosts({})
        ip("link", "add", f"{wire}a", "type", "veth", "peer", "name", f"{wire}b", "netns", self.space)
        self.addCleanup(ip, "link", "delete", f"{wire}a", check=False)
        for address in self.here:
            ip("address", "add", f"{address}/28", "dev", f"{wire}a")
        ip("address", "add", f"{self.beyond}/32", "dev", f"{wire}a")
        ip("link", "set", f"{wire}a", "up")
        ip("-n", self.space, "address", "add", f"198.18.{net}.1/28", "dev", f"{wire}b")
        ip("-n", self.space, "link", "set", f"{wire}b", "up")
        ip("-n", self.space, "link", "set", "lo", "up")
        self.there = {"XDG_STATE_HOME": self.path("there"), "XDG_CONFIG_HOME": self.path("there"), "MUSTER_TOKEN": "",
                      "PATH": os.path.dirname(self.program) + os.pathsep + os.environ["PATH"]}

    def hosts(self, names):
        """The other machine's /etc/hosts from now on; its processes see the same file all the time."""
        os.makedirs(os.path.dirname(self.hosts_file), exist_ok=True)
        with open(self.hosts_file, "w") as file:
            file.write("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in names.items()))

    def remove_hosts(self):
        folder = os.path.dirname(self.hosts_file)
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(folder))  # Unless it is somebody's.

    def inside(self, command, *more):
        """A shell's line in the other namespace, where `muster` is this program."""
        return ["ip", "netns", "exec", self.space, "sh", "-c", " ".join([command, *more])]

    def begin_inside(self, command, *more, env=None):
        process = Process(self.inside(command.replace("muster ", "exec muster ", 1), *more),
                          env={**self.there, **(env or {})})
        self.daemons.append(process)
        return process

    def run_inside(self, command, *more, env=None):
        return subprocess.run(self.inside(command, *more), capture_output=True, text=True,
                              env={**os.environ, **self.there, **(env or {})}, timeout=300)
