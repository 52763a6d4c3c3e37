"""The pool's messages for Python: made from proto/ by the installed protoc whenever a test begins, so that they
are never older than the pool they are said to."""
import atexit
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


def _generate():
    folder = tempfile.mkdtemp(prefix="muster-proto-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = glob.glob(os.path.join(ROOT, "proto/muster/v1/*.proto"))
    subprocess.run(["protoc", f"--python_out={folder}", "-I", os.path.join(ROOT, "proto"), *files], check=True)
    sys.path.insert(0, folder)


_generate()
from muster.v1 import envelope_pb2 as envelope  # noqa: E402
from muster.v1 import job_pb2 as job  # noqa: E402
from muster.v1 import record_pb2 as record  # noqa: E402

__all__ = ["envelope", "job", "record"]
