"""The machine's side of hack/vm: takes one command after the other from a port, and sends back what it writes and its
exit status. Every message is one line of JSON; each answer carries the number of its request, so that an answer that is
still under way when a client has gone is nobody's."""

import base64
import json
import os
import select
import signal
import subprocess
import sys
import time


class Port:
    """The virtio port: lines in both directions, and whether somebody listens at the other end."""

    def __init__(self, path):
        self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.rest = b""

    def is_open(self):
        poll = select.poll()
        poll.register(self.descriptor, 0)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def lines(self):
        try:
            self.rest += os.read(self.descriptor, 65536)
        except BlockingIOError:
            pass
        *whole, self.rest = self.rest.split(b"\n")
        return whole

    def send(self, message):
        data = json.dumps(message).encode() + b"\n"
        while data and self.is_open():
            try:
                data = data[os.write(self.descriptor, data):]
            except BlockingIOError:
                select.select([], [self.descriptor], [], 0.1)


def relay(port, number, process):
    """Sends on what the process writes, until it has ended; what it left in the background may write to nobody."""
    names = {process.stdout.fileno(): "out", process.stderr.fileno(): "err"}
    for descriptor in names:
        os.set_blocking(descriptor, False)
    while True:
        is_over = process.poll() is not None
        readable, _, _ = select.select(list(names), [], [], 0 if is_over else 0.1)
        for descriptor in readable:
            data = os.read(descriptor, 65536)
            if data:
                port.send({"number": number, names[descriptor]: base64.b64encode(data).decode()})
            else:
                del names[descriptor]
        if is_over and not readable:
            return process.returncode
        if not names and not is_over:
            time.sleep(0.05)
        if not port.is_open() and not is_over:
            end(process)


def end(process):
    """Nobody waits any more: the command and what it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(5)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def main():
    port = Port(sys.argv[1])
    while True:
        if not port.is_open():
            time.sleep(0.05)
            continue
        select.select([port.descriptor], [], [], 1)
        for line in port.lines():
            try:
                request = json.loads(line)
            except ValueError:
                continue
            if request.get("end"):
                return
            process = subprocess.Popen(
                request["command"], cwd=request["directory"], env={**os.environ, **request["environment"]},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
            status = relay(port, request["number"], process)
            port.send({"number": request["number"], "status": status if status >= 0 else 128 - status})


main()
