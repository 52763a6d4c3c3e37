"""A Docker of a test's own. It needs root, and Debian's docker.io, docker-compose and debootstrap (`./dev system containers`
installs them). Its images and layers stay in build/docker, so that the second time is short; what it runs lives in a network
namespace, with bridges and rules of its own, and is gone with it.

    docker = Docker()
    docker.build_images()        # `docker-compose build` on a copy of the tree, and the manual's two
    docker.start()               # from here on containers run; everything in `inside` sees their network
    docker.stop()"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile

from pool.processes import Process
from pool.waiting import WAIT_S, until

TREE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
KEPT = os.path.join(TREE, "build/docker")
CHECKOUT = os.path.join(KEPT, "checkout")
BASE = "debian:bookworm-slim"
# What an image of Debian leaves out of an installation.
UNNEEDED = ("var/lib/apt/lists/*", "var/cache/apt/*", "var/log/*", "usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
BUILD_S = 3600
# What the daemon mounts, and its bridges and rules, go with it.
OWN_MOUNTS = ("unshare", "--mount")
OWN_NETWORK = (*OWN_MOUNTS, "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def copy_tree():
    """What a clone would have, and what this machine trusts, for the build's downloads alone."""
    shutil.rmtree(CHECKOUT, ignore_errors=True)
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"], cwd=TREE, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        there = os.path.join(CHECKOUT, name)
        os.makedirs(os.path.dirname(there), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # Deleted, and not yet committed.
            shutil.copy2(os.path.join(TREE, name), there)
    with open(CERTIFICATES) as bundle:
        found = bundle.read().split("-----BEGIN CERTIFICATE-----")[1:]
    for number, text in enumerate(found):
        with open(os.path.join(CHECKOUT, "docker/ca", f"host-{number}.crt"), "w") as file:
            file.write("-----BEGIN CERTIFICATE-----" + text.split("-----END")[0] + "-----END CERTIFICATE-----\n")


class Docker:
    def __init__(self):
        self.folder, self.daemon = tempfile.mkdtemp(prefix="muster-docker-"), None  # Paths of sockets are short.
        self.env = {"DOCKER_HOST": f"unix://{self.folder}/sock", "COMPOSE_PROJECT_NAME": "muster",
                    "DOCKER_CONFIG": os.path.join(self.folder, "config"), "COMPOSE_HTTP_TIMEOUT": "300"}
        # Where it finds this program, Docker believes that there are GPUs: what the manual's --gpus=all needs to be read.
        self.stub = os.path.join(self.folder, "bin/nvidia-container-runtime-hook")
        os.makedirs(os.path.dirname(self.stub))
        with open(self.stub, "w") as stub:
            stub.write("#!/bin/sh\nexit 0\n")
        os.chmod(self.stub, 0o755)

    # The daemon.

    def start(self, within=OWN_NETWORK, *flags):
        os.makedirs(os.path.join(KEPT, "data"), exist_ok=True)
        path = os.path.dirname(self.stub) + os.pathsep + os.environ["PATH"]
        self.daemon = Process([*within, "dockerd", "--data-root", os.path.join(KEPT, "data"), "--exec-root",
                               os.path.join(self.folder, "exec"), "--pidfile", os.path.join(self.folder, "pid"), "-H",
                               self.env["DOCKER_HOST"], *flags], env={"PATH": path})
        self.daemon.wait_for("API listen on")

    def stop(self):
        if self.daemon:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(60)
            self.daemon = None

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Its commands.

    def command(self, *words):
        """To be run where the daemon is, so that a published port is there."""
        return ["nsenter", "--net", "--target", str(self.daemon.process.pid), *words]

    def do(self, *words, check=True, cwd=CHECKOUT, seconds=BUILD_S, env=None):
        done = subprocess.run(self.command(*words), cwd=cwd, env={**os.environ, **self.env, **(env or {})}, timeout=seconds,
                              capture_output=True, text=True)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def ask(self, *words):
        """What a `docker` command prints."""
        return self.do("docker", *words).stdout.strip()

    def begin(self, *words):
        """A `docker` or `docker-compose` command that goes on, with its console."""
        return Process(self.command(*words), env=self.env)

    def said(self, container):
        """All that its console has said."""
        done = self.do("docker", "logs", container)
        return done.stdout + done.stderr

    def wait_for(self, container, pattern, count=1, seconds=WAIT_S):
        """Until so many lines of its console match."""
        def holds():
            return len(re.findall(pattern, self.said(container))) >= count
        if not until(holds, seconds, every_s=0.3):
            raise AssertionError(f"{container} did not say '{pattern}' ({count}); instead:\n" + self.said(container)[-3000:])

    def state(self, container, what):
        return self.ask("inspect", "-f", "{{" + what + "}}", container)

    # Its images.

    def build_images(self):
        copy_tree()
        self.start(OWN_MOUNTS, "--iptables=false", "--bridge=none")
        try:
            self._make_base()
            network = os.path.join(self.folder, "network.yml")
            with open(network, "w") as file:
                file.write("services: {sql: {build: {network: host}}, server: {build: {network: host}}, "
                           "storage-1: {build: {network: host}}}\n")
            self.do("docker-compose", "-f", "docker-compose.yml", "-f", network, "build")
            self.do("docker", "build", "-t", "sit-distibuted-master", ".", cwd=os.path.join(CHECKOUT, "master"))
            self.do("docker", "build", "-t", "sit-distributed-slave", ".", cwd=os.path.join(CHECKOUT, "slave"))
        finally:
            self.stop()

    def _make_base(self):
        """Debian's image, from Debian's archive: there may be no registry here."""
        if self.ask("images", "-q", BASE):
            return
        root = os.path.join(self.folder, "base")
        subprocess.run(["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root], check=True,
                       stdout=subprocess.DEVNULL)
        archive = os.path.join(self.folder, "base.tar")
        subprocess.run(["tar", "-C", root, "--numeric-owner", *[f"--exclude=./{name}" for name in UNNEEDED], "-cf", archive, "."],
                       check=True)
        self.do("docker", "import", "--change", 'CMD ["bash"]', archive, BASE)
        shutil.rmtree(root)
