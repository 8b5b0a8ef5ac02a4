#!/usr/bin/env python3
"""seeds.py DIRECTORY: the fuzzer's seeds, made of what other speakers have sent (testdata/bgp/*.hex) and of the malformed
UPDATEs (testdata/bgp/malformed.tsv). Each is one octet that chooses the session, then the frame."""
import glob
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import malformed  # noqa: E402


def seeds():
    """Octets of inputs."""
    for path in sorted(glob.glob(os.path.join(malformed.TOP, "testdata", "bgp", "*.hex"))):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if not line.startswith("#") and len(line.split()) == 2:
                    for choice in range(4):
                        yield bytes([choice]) + bytes.fromhex(line.split()[1])
    for row in malformed.rows():
        for choice, session in ((0, "ibgp"), (1, "ebgp"), (2, "ebgp"), (6, "ibgp"), (7, "ebgp")):
            yield bytes([choice]) + row.frame(session)


def main():
    """Writes one file for each seed, named for its content."""
    os.makedirs(sys.argv[1], exist_ok=True)
    for seed in seeds():
        with open(os.path.join(sys.argv[1], hashlib.sha1(seed).hexdigest()), "wb") as file:
            file.write(seed)


if __name__ == "__main__":
    main()
