#!/usr/bin/env python3
"""pods.py churn|removal PROGRAM RUN-DIRECTORY NODE-NAMESPACE PREFIX …: the pods suite's work. Exit 1 says what is wrong.

churn PODS AT-A-TIME TIMES: every pod is added and deleted so often, in an order that mixes both.
removal PODS: the run directory is removed under so many pods, and so many more are added.
"""
import concurrent.futures
import shutil
import subprocess
import sys
import time

import plugin as cni


def churn(plugin, pods, width, times):
    at_work = cni.Churn(plugin, pods)
    with concurrent.futures.ThreadPoolExecutor(width) as pool:
        # The next round's ADDs begin while the last DELs of this one are at work.
        done = [pool.submit(work, pod) for _ in range(times) for work in (at_work.add, at_work.delete)
                for pod in range(pods)]
        for one in done:
            one.result()
    print(at_work.counts)
    if at_work.counts != {"ADD": pods * times, "DEL": pods * times}:
        at_work.wrong.append(f"calls: {at_work.counts}")
    return at_work.wrong + left(plugin)


def removal(plugin, pods):
    first = {pod: plugin.add(pod)[0] for pod in range(pods)}
    shutil.rmtree(plugin.run_directory)
    start = time.monotonic()
    second = {pod: plugin.add(pod)[0] for pod in range(pods, 2 * pods)}
    print(f"{pods} ADDs after the removal: {time.monotonic() - start:.2f} s")
    wrong = []
    addresses = list(first.values()) + list(second.values())
    if len(set(addresses)) != 2 * pods:
        wrong.append(f"{2 * pods - len(set(addresses))} addresses were given out twice: {sorted(addresses)}")
    reached = 0
    for address in addresses:
        command = ["ping", "-n", "-c", "1", "-W", "1", address.split("/")[0]]
        reached += subprocess.run(command, capture_output=True, check=False).returncode == 0
    print(f"{reached} of {len(addresses)} pods reached")
    if reached != len(addresses):
        wrong.append(f"{reached} of {len(addresses)} pods are reached")
    names = {record[1] for record in plugin.records() if record[0] == "attachment"}
    if names != {f"pod{pod}" for pod in range(2 * pods)}:
        wrong.append(f"the store knows {sorted(names)}")
    for pod in range(2 * pods):
        plugin.delete(pod)
    return wrong + left(plugin)


def left(plugin):
    return [f"left: {one}" for one in plugin.records() + plugin.kernel()]


def main():
    what, program, directory, namespace, prefix, *numbers = sys.argv[1:]
    cni.enter(namespace)
    plugin = cni.Plugin(program, directory, prefix)
    wrong = {"churn": churn, "removal": removal}[what](plugin, *map(int, numbers))
    for line in wrong[:20]:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
