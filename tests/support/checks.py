# SPDX-License-Identifier: Apache-2.0
"""What a connection test says of a registry on this machine, by plain http."""

ALL_PASSED = {
    "reach": "passed",
    "tls": "skipped",
    "protocol": "passed",
    "credentials": "passed",
    "pull": "passed",
    "push": "passed",
}
