# SPDX-License-Identifier: Apache-2.0
"""The library tests that need a real engine, run on the engine of the integration tests."""

import os
import subprocess

from support.paths import freshet_binary


def test_the_engine_library_passes_its_tests_on_a_real_engine(engine):
    program = freshet_binary().parent / "engine_test"
    # Debian's docker command, which some of them take as the peer, not the first of PATH.
    path = f"/usr/bin:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "FRESHET_TEST_ENGINE": engine.endpoint}
    # The push needs a registry with credentials that the library's test knows; pushes of the
    # whole program are tested next door.
    tests = "RealEngine.*:RealEngineImage.*:RealBuild.*-RealEngine.pushes*"

    done = subprocess.run(
        [program, f"--gtest_filter={tests}", "--gtest_brief=1"],
        env=environment, capture_output=True, text=True, timeout=170,
    )

    assert done.returncode == 0, done.stdout + done.stderr
