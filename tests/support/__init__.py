# SPDX-License-Identifier: Apache-2.0
"""What the integration tests stand on: a real engine, a real registry, the shipped binary.

Nothing here knows pytest; tests/integration/conftest.py makes fixtures of it.
"""
