#!/usr/bin/env python3
"""ipamctl.py PROGRAM APUSCTL RUN-DIRECTORY NODE-NAMESPACE PREFIX PODS: so many pods are added at once, and deleted, again
and again, while the store is checked and the release of every address is tried: nobody may lose an address by that, nor
be given another's, and no check may find anything. Exit 1 says what is wrong.
"""
import concurrent.futures
import itertools
import json
import subprocess
import sys
import threading
import time

import plugin as cni


# Rounds, checks and releases that there must be, and the seconds for it.
ROUNDS, CHECKS, RELEASES, SECONDS = 3, 10, 40, 60


def ask(apusctl, run_directory, *words):
    command = [apusctl, "--run-dir", run_directory, "ipam", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def check(apusctl, run_directory, is_over, counts, wrong):
    while not is_over.is_set():
        done = ask(apusctl, run_directory, "check", "-o", "json")
        counts["check"] += 1
        if done.returncode != 0:
            found = json.loads(done.stdout)["findings"] if done.stdout else done.stderr
            wrong.append(f"check: exit {done.returncode}: {found}")


def release(apusctl, run_directory, is_over, counts, wrong):
    for number in itertools.cycle(range(1, 255)):
        if is_over.is_set():
            return
        done = ask(apusctl, run_directory, "release", f"10.244.0.{number}")
        counts["release"] += 1
        if done.returncode == 0:
            wrong.append(f"release of what is not leaked: {done.stdout}")


def churn(plugin, pods, counts):
    at_work = cni.Churn(plugin, pods)
    deadline = time.monotonic() + SECONDS
    with concurrent.futures.ThreadPoolExecutor(pods) as pool:
        while time.monotonic() < deadline:
            # The DELs of a round begin while its last ADDs are at work.
            done = [pool.submit(work, pod) for work in (at_work.add, at_work.delete) for pod in range(pods)]
            for one in done:
                one.result()
            counts["round"] += 1
            if counts["round"] >= ROUNDS and counts["check"] >= CHECKS and counts["release"] >= RELEASES:
                return at_work.wrong
    return [*at_work.wrong, f"too few in {SECONDS} s: {counts}"]


def main():
    program, apusctl, directory, namespace, prefix, pods = sys.argv[1:]
    cni.enter(namespace)
    plugin = cni.Plugin(program, directory, prefix)
    wrong, counts, is_over = [], {"round": 0, "check": 0, "release": 0}, threading.Event()
    before = plugin.records()
    watchers = [threading.Thread(target=watch, args=(apusctl, directory, is_over, counts, wrong))
                for watch in (check, release)]
    for watcher in watchers:
        watcher.start()
    try:
        wrong += churn(plugin, int(pods), counts)
    finally:
        is_over.set()
        for watcher in watchers:
            watcher.join()
    print(counts)
    if plugin.records() != before:
        wrong.append(f"left: {plugin.records()}")
    for line in wrong[:20]:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
