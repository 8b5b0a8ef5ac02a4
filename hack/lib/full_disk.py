#!/usr/bin/env python3
"""full_disk.py PROGRAM NODE-STATE DIRECTORY: kills DELs on a full disk at each call that changes a file.

DIRECTORY becomes a small tmpfs with the run directory of a node whose node.json is NODE-STATE, so this wants a mount
namespace of its own. PROGRAM is `apus-ipam`: no link is made or deleted. Whatever is killed, every record can be read
afterwards, the next DEL succeeds, no address has two owners, and the next ADD succeeds.

Prints the kill points of each call; exit 1 says what was wrong.
"""
import collections
import json
import os
import shutil
import sys

import plugin as cni

PODS = 40
# What changes a file, or may. A call that DEL does not make costs one DEL.
CALLS = ["openat", "write", "fchmod", "ftruncate", "unlink", "rename"]


class FullDisk:
    def __init__(self, program, state, directory):
        cni.run("mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "none", directory)
        shutil.copy(state, f"{directory}/node.json")
        self.filler = f"{directory}/filler"
        # The records are longer than a page of memory, which is written in one go.
        ipam = {"type": "apus-ipam", "runDir": directory}
        self.plugin = cni.Plugin(program, directory, "full-disk-" + "x" * 40, ipam=ipam)
        environment = self.plugin.environment
        self.plugin.environment = lambda command, pod: {
            **environment(command, pod), "CNI_CONTAINERID": f"pod{pod:058}", "CNI_NETNS": "/proc/self/ns/net"}

    def fill(self):
        with open(self.filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    def make_room(self):
        os.unlink(self.filler)

    def check(self, where):
        """Every record can be read, and no address is two pods'."""
        try:
            records = self.plugin.records()
        except ValueError as error:
            raise RuntimeError(f"{where}: a record cannot be read: {error}") from error
        named = [address for record in records if record[0] == "attachment" for address in record[3]]
        twice = [address for address, count in collections.Counter(named).items() if count > 1]
        if twice:
            raise RuntimeError(f"{where}: two pods have {twice}")
        return records

    def kill(self, pod, name, count):
        """Whether a DEL was killed as it entered that call."""
        status, answer = self.plugin.call("DEL", pod, wrapper=(
            "strace", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={count}"))
        if status not in (0, -9, 137):
            raise RuntimeError(f"DEL on a full disk: exit {status}: {answer}")
        return status != 0

    def run(self):
        for pod in range(PODS):
            self.plugin.add(pod)
        kills = collections.Counter()
        for name in CALLS:
            is_killed, pod = True, 0
            while is_killed:
                pod = (pod + 7) % PODS
                where = f"DEL killed at {name} {kills[name] + 1}"
                self.fill()
                is_killed = self.kill(pod, name, kills[name] + 1)
                self.check(where)
                self.plugin.delete(pod)
                left = [record for record in self.check(f"{where}, then DEL") if f"{pod:058}" in str(record)]
                if left:
                    raise RuntimeError(f"{where}, then DEL: left are {left}")
                self.make_room()
                self.plugin.add(pod)
                kills[name] += is_killed
        owners = [record for record in self.check("at the end") if record[0] == "allocated"]
        if len(owners) != PODS:
            raise RuntimeError(f"at the end {len(owners)} addresses are given out to {PODS} pods")
        for pod in range(PODS):
            self.plugin.delete(pod)
        if self.plugin.records():
            raise RuntimeError(f"left at the end: {self.plugin.records()}")
        print("kill points:", ", ".join(f"{name} {count}" for name, count in kills.items() if count))
        # A record that found no room is removed before it is written: killed before the one and before the other.
        if kills["rename"] < 1 or kills["unlink"] < 2:
            raise RuntimeError("the way around a full disk was not reached")


if __name__ == "__main__":
    try:
        FullDisk(*sys.argv[1:4]).run()
    except RuntimeError as error:
        sys.exit(str(error))
