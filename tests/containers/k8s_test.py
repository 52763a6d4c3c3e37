"""The manual's kubectl lines on a real cluster of one node (kubernetes.sh), as docs/containers.md has them."""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from containers.docker import CHECKOUT, OWN_MOUNTS, TREE, Docker  # noqa: E402
from containers.table import LIMIT, expected_values, say, values_of  # noqa: E402
from pool.programs import BIN, MODELS, SMOL  # noqa: E402
from pool.waiting import eventually  # noqa: E402

IMAGES = ("muster:0.1.0", "muster-worker:0.1.0", "muster-sql:0.1.0")
SCRIPT = os.path.join(TREE, "tests/containers/kubernetes.sh")
INSIDE = "MUSTER_TEST_NODE"  # A folder, in the process that runs on the node.
FOLDER = os.environ.get(INSIDE, "")
ROLES = {"server": 1, "sql": 1, "coordinator": 1, "storage": 2, "worker": 2}


def kubectl(*words, check=True, **more):
    done = subprocess.run(["kubectl", *words], capture_output=True, text=True, cwd=CHECKOUT, timeout=300, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"kubectl {shlex.join(words)}: {done.stdout}\n{done.stderr}")
    return done.stdout


def documented(beginning):
    """The line of docs/containers.md that begins so, run by a shell as it is printed there."""
    with open(os.path.join(CHECKOUT, "docs/containers.md")) as file:
        line, = [line.strip() for line in file if line.strip().startswith(beginning)]
    subprocess.run(["bash", "-ec", line], cwd=CHECKOUT, check=True, timeout=300, stdout=subprocess.DEVNULL)


def pods(what="{.items[*].metadata.name}", role=None):
    chosen = ["-l", f"app.kubernetes.io/name={role}"] if role else []
    return kubectl("get", "pods", *chosen, "-o", f"jsonpath={what}").split()


def ready(role):
    states = pods('{.items[*].status.conditions[?(@.type=="Ready")].status}', role)
    return states == ["True"] * ROLES[role]


def wait_ready(*roles):
    for role in roles:
        eventually(lambda role=role: ready(role), f"{role} is not ready", seconds=180)


def muster(*words):
    """On the server's pod, where its user is an operator."""
    return kubectl("exec", "deploy/server", "--", "muster", *words)


def apply(**thing):
    kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", **thing}))


def offer(claim, folder):
    """A volume for this claim, as a cluster of several nodes would have provided it."""
    apply(kind="PersistentVolume", metadata={"name": claim}, spec={
        "capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": folder},
        "claimRef": {"namespace": "default", "name": claim}})


def offer_empty(claim, owner):
    folder = os.path.join(FOLDER, claim)
    os.makedirs(folder)
    os.chown(folder, owner, owner)
    os.chmod(folder, 0o700)
    offer(claim, folder)


class Kubernetes(unittest.TestCase):
    def resolve(self, kind, name, service):
        """This node has no DNS: what a name of a Service means is written into the pods' hosts files."""
        address = kubectl("get", "service", service, "-o", "jsonpath={.spec.clusterIP}")
        kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(
            {"spec": {"template": {"spec": {"hostAliases": [{"ip": address, "hostnames": [service]}]}}}}))

    def give_models(self, kind, name):
        """At the path that they have here, so that a researcher here names them."""
        offer("models", MODELS)
        apply(kind="PersistentVolumeClaim", metadata={"name": "models"}, spec={
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}})
        kubectl("patch", kind, name, "--type=json", "-p", json.dumps([
            {"op": "add", "path": "/spec/template/spec/volumes/-",
             "value": {"name": "models", "persistentVolumeClaim": {"claimName": "models"}}},
            {"op": "add", "path": "/spec/template/spec/containers/0/volumeMounts/-",
             "value": {"name": "models", "mountPath": MODELS, "readOnly": True}}]))

    def start_pool(self):
        documented("kubectl create secret generic muster ")
        began = time.monotonic()
        kubectl("apply", "-f", "k8s/")
        self.resolve("deployment", "server", "sql")
        wait_ready("sql", "server")
        say(f"server and sql are ready after {time.monotonic() - began:.1f} s")
        self.assertEqual(sorted(re.sub("-.*", "", name) for name in pods()), ["server", "sql"])

    def start_machines(self):
        documented("kubectl create secret generic muster-tokens ")
        kubectl("apply", "-f", "k8s/workers/")
        for kind, name in (("statefulset", "coordinator"), ("statefulset", "storage"), ("deployment", "worker")):
            self.resolve(kind, name, "server")
        self.give_models("deployment", "worker")
        kubectl("set", "resources", "deployment", "worker", "--requests=cpu=100m")  # This node may have two cores, and all of the pool.
        kubectl("delete", "pod", "-l", "app.kubernetes.io/name in (coordinator, storage)", "--wait=false")  # The patched ones follow.
        wait_ready("coordinator", "storage", "worker")

    def run_job(self):
        """A researcher outside of the cluster, at the node's port."""
        token = muster("token", "create", "--role", "researcher").strip()
        return subprocess.run([os.path.join(BIN, "muster"), "run", "--ip", "127.0.0.1", "--port", "30000", "--llm_name", SMOL,
                               "--limit", str(LIMIT)], env={**os.environ, "MUSTER_TOKEN": token, "XDG_CONFIG_HOME": FOLDER},
                              capture_output=True, text=True, timeout=600)

    def test_the_manuals_lines(self):
        kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted")
        for name, owner in (("data-sql-0", 10002), ("state-coordinator-0", 10001), ("state-storage-0", 10001), ("state-storage-1", 10001)):
            offer_empty(name, owner)
        self.start_pool()
        self.start_machines()
        began = time.monotonic()
        done = self.run_job()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(values_of(done.stdout), json.loads(os.environ["MUSTER_TEST_EXPECTED"]), done.stdout)
        say(f"the table after {time.monotonic() - began:.1f} s:\n" + done.stdout)
        self.server_elsewhere()
        documented("kubectl delete -f k8s/workers/ -f k8s/")
        eventually(lambda: not pods(), "pods are left")
        self.assertEqual(len(kubectl("get", "pvc", "-o", "name").split()), 5, "the models' and four more")
        documented("kubectl delete pvc ")
        documented("kubectl delete secret ")
        self.assertEqual(kubectl("get", "pvc,secret", "-o", "name").split(), ["persistentvolumeclaim/models"])

    def server_elsewhere(self):
        """Another pod is the same pool: its database has all, the Secret what opens it."""
        machines = len(json.loads(muster("machine", "ls", "--json"))["machines"])
        began = time.monotonic()
        kubectl("delete", "pod", *pods(role="server"))
        wait_ready("server")
        eventually(lambda: len(json.loads(muster("status", "--json"))["machines"]) == 5, "the machines are not back")
        say(f"a server in another pod has its machines after {time.monotonic() - began:.1f} s")
        self.assertEqual(len(json.loads(muster("machine", "ls", "--json"))["machines"]), machines)
        self.assertIn("done", muster("jobs"))


def on_a_node():
    """Builds the images, and runs this file again on a node that has them."""
    docker = Docker()
    try:
        docker.build_images()
        docker.start(OWN_MOUNTS, "--iptables=false", "--bridge=none")
        with tempfile.TemporaryDirectory() as folder:
            archive = os.path.join(folder, "images.tar")
            docker.ask("save", "-o", archive, *IMAGES)
            docker.stop()
            env = {**os.environ, INSIDE: folder, "MUSTER_TEST_EXPECTED": json.dumps(expected_values())}
            return subprocess.run([SCRIPT, "node", archive, "--", sys.executable, os.path.abspath(__file__), *sys.argv[1:]],
                                  env=env).returncode
    finally:
        docker.close()


if __name__ == "__main__":
    if FOLDER:
        unittest.main()
    else:
        sys.exit(on_a_node())
