"""`mop-locust keygen`: one key file for a whole swarm."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mop_locust.config.cluster_key import FILE_NAME, ClusterKey
from mop_locust.verdict.exit_codes import CONFIGURATION, PASSED


def keygen(folder: str) -> int:
    """Writes a new key into `folder`, readable by its owner alone; returns 2 when it cannot, or when there is one."""
    file = Path(folder) / FILE_NAME
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"mop-locust keygen: {file} exists and stays as it is; remove it first for a new key", file=sys.stderr)
        return CONFIGURATION
    except OSError as error:
        print(f"mop-locust keygen: {file} cannot be written: {error.strerror}", file=sys.stderr)
        return CONFIGURATION
    with open(descriptor, "w") as written:
        written.write(ClusterKey.new().secret + "\n")
    print(f"{file}: give it to the master and to each worker as MOP_CLUSTER_KEY_FILE")
    return PASSED
