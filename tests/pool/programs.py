"""Where the programs under test and the models of the tests lie. MUSTER_BIN and MUSTER_MODELS name the two folders, as
CMake sets them; without them they are those of the release build, seen from the top of the tree."""
import os

BIN = os.path.abspath(os.environ.get("MUSTER_BIN", "build/release/bin"))
MODELS = os.path.abspath(os.environ.get("MUSTER_MODELS", "build/models"))
MUSTER, ENGINE = (os.path.join(BIN, name) for name in ("muster", "muster-engine"))
SMOL, NEOX = (os.path.join(MODELS, name) for name in ("SmolLM2-135M-Instruct", "random-neox"))
