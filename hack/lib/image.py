#!/usr/bin/env python3
"""image.py ROOTFS.tar ARCHIVE.tar: an image of the static busybox, as a bare root file system and as a docker archive
(manifest.json, the configuration and one layer), named docker.io/library/apus-busybox:1."""
import hashlib
import io
import json
import subprocess
import sys
import tarfile

BUSYBOX = "/bin/busybox"


def add(archive, name, data=None, mode=0o644, link=None):
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    if link is not None:
        entry.type, entry.linkname = tarfile.SYMTYPE, link
    elif data is None:
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    else:
        entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data) if data is not None else None)


def main(rootfs, image):
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    with tarfile.open(rootfs, "w") as layer:
        for name in ("bin", "etc", "proc", "sys", "dev", "tmp", "www"):
            add(layer, name)
        with open(BUSYBOX, "rb") as file:
            add(layer, "bin/busybox", file.read(), 0o755)
        for applet in applets:
            if applet != "busybox":
                add(layer, f"bin/{applet}", link="busybox")
        add(layer, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
        add(layer, "etc/group", b"root:x:0:\n")
        add(layer, "www/index.html", b"apus\n")
    with open(rootfs, "rb") as file:
        content = file.read()
    configuration = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(content).hexdigest()]},
    }).encode()
    manifest = [{"Config": "config.json", "RepoTags": ["docker.io/library/apus-busybox:1"], "Layers": ["layer.tar"]}]
    with tarfile.open(image, "w") as archive:
        add(archive, "config.json", configuration)
        add(archive, "layer.tar", content)
        add(archive, "manifest.json", json.dumps(manifest).encode())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
