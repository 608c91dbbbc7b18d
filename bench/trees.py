# SPDX-License-Identifier: Apache-2.0
"""Trees of files as builds get them."""

import random

SPREAD = 1.1  # of the logarithm of a size: the mean is then about 1.8 times the median


def write_tree(root, files, folders, median_bytes, max_bytes):
    """Sizes as in a tree of sources; contents that nothing can compress. Returns bytes."""
    chance = random.Random(files)
    total = 0
    for folder in range(folders):
        path = root / f"part-{folder % 20}" / f"module_{folder // 20 % 10}" / f"folder.{folder}"
        path.mkdir(parents=True)
        for number in range(files // folders):
            size = min(max_bytes, int(chance.lognormvariate(0, SPREAD) * median_bytes))
            (path / f"file-{number}.bin").write_bytes(chance.randbytes(size))
            total += size
    return total
