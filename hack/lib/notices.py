"""notices.py NAME RUN: listens as a service manager does (sd_notify(3)), at a path or, after @, at a name that is no
file's. Prints a line for each notice: its text, and which files the run directory has at that moment."""

import os
import socket
import sys

name, run = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("\0" + name[1:] if name.startswith("@") else name)
print("listening", flush=True)
while True:
    for notice in listener.recv(4096).decode().splitlines():
        files = (file for file in ("apusd.sock", "calls.sock", "node.json") if os.path.exists(os.path.join(run, file)))
        print(notice, *files, flush=True)
