# SPDX-License-Identifier: Apache-2.0
"""Where things are in this repository."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
EXAMPLES = ROOT / "examples"


def freshet_binary():
    """The binary under test: $FRESHET_BIN, else the one of the preset 'release'."""
    return Path(os.environ.get("FRESHET_BIN", ROOT / "build/release/freshet"))
