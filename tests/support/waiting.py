# SPDX-License-Identifier: Apache-2.0
"""Waiting for something to become true, never for time to pass."""

import time


def wait_for(condition, what, timeout=15):
    """Returns the first true value of condition(); fails the test at the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"still waiting after {timeout} s for {what}"
        time.sleep(0.02)
