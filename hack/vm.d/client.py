"""hack/vm's side of the machine: client.py SOCKET SECONDS COMMAND…, or client.py SOCKET SECONDS to switch it off. Ends
with the command's exit status; 124 at the deadline, 125 when the machine says nothing any more."""

import base64
import json
import os
import socket
import sys
import time


def connect(path, deadline):
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            return connection
        except OSError:
            if time.monotonic() > deadline:
                sys.exit(125)
            time.sleep(0.05)


def main():
    path, seconds, command = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    deadline = time.monotonic() + seconds
    connection = connect(path, deadline)
    number = os.getpid() * 1000000 + time.monotonic_ns() % 1000000
    environment = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ["PATH"]
    request = {"number": number, "command": command, "directory": os.getcwd(), "environment": environment}
    connection.sendall(json.dumps(request if command else {"end": True}).encode() + b"\n")
    rest = b""
    while True:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = connection.recv(1 << 16)
        except TimeoutError:
            print(f"hack/vm: not done within {seconds:g} s", file=sys.stderr)
            return 124
        if not data:
            return 125 if command else 0
        *lines, rest = (rest + data).split(b"\n")
        for answer in map(json.loads, lines):
            if answer["number"] != number:
                continue
            if "status" in answer:
                return answer["status"]
            for name, stream in (("out", sys.stdout), ("err", sys.stderr)):
                if name in answer:
                    stream.buffer.write(base64.b64decode(answer[name]))
                    stream.flush()


sys.exit(main())
