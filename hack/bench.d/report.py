#!/usr/bin/env python3
"""report.py [--check] [--json FILE] SAMPLES: tables of what hack/bench.d/driver.c has measured.

Ratios are medians over the rounds of the run: in each round both sides had their turn within the same second.
"""
import argparse
import collections
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# (what, phase, verb, of, to, bound): the median over the rounds of `of`'s time by `to`'s is at most the bound.
BOUNDS = [
    ("ADD by ptp's", "sequential", "ADD", "apus@0", "ptp@0", 0.20),
    ("DEL by ptp's", "sequential", "DEL", "apus@0", "ptp@0", 0.06),
    ("CHECK by ptp's", "sequential", "CHECK", "apus@0", "ptp@0", None),
    ("VERSION by ptp's", "sequential", "VERSION", "apus@0", "ptp@0", 0.40),
    ("ADD with 4,000 leases by ADD with none", "sequential", "ADD", "apus@4000", "apus@0", 1.2),
    ("ADD with 4,000 leases by ptp's with as many", "sequential", "ADD", "apus@4000", "ptp@4000", None),
    ("ADD, 32 at once, per pod, by ptp's", "32 at once", "ADD", "apus@0", "ptp@0", 0.35),
    ("DEL, 200 at once, per pod, by ptp's", "burst of 200", "DEL", "apus@0", "ptp@0", 0.15),
    ("ADD by the floor as a process", "sequential", "ADD", "apus@0", "floor-exec", 2.0),
    ("VERSION by the start of a C program", "sequential", "VERSION", "apus@0", "floor-exec", None),
]
VERBS = ["ADD", "CHECK", "DEL", "VERSION"]


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def read(path):
    """Calls by (phase, contender, verb), groups by the same, and names found after DEL by contender."""
    calls, groups = collections.defaultdict(list), collections.defaultdict(dict)
    left = collections.Counter()
    deletes = collections.Counter()
    with open(path, encoding="utf-8") as file:
        for line in file:
            kind, *fields = line.rstrip("\n").split("\t")
            if kind == "call":
                phase, name, verb, wall, user, system, memory = fields
                calls[phase, name, verb].append((int(wall), int(user) + int(system), int(memory)))
            elif kind == "group":
                phase, name, verb, number, pods, wall, elsewhere = fields
                groups[phase, name, verb][int(number)] = (int(wall) / int(pods), int(elsewhere) / int(pods))
            elif kind == "left":
                deletes[fields[0]] += 1
                left[fields[0]] += int(fields[1])
    return calls, groups, left, deletes


def rows(calls, groups):
    for (phase, name, verb), samples in calls.items():
        if phase == "warm":
            continue
        walls = [wall for wall, _, _ in samples]
        turns = groups[phase, name, verb].values()
        yield {
            "phase": phase, "contender": name, "verb": verb, "calls": len(samples),
            "p50_ms": quantile(walls, 0.50) / 1e6, "p95_ms": quantile(walls, 0.95) / 1e6,
            "p99_ms": quantile(walls, 0.99) / 1e6,
            # A group's time by its pods: what a node can do, whatever each pod waits.
            "per_pod_ms": statistics.median(wall for wall, _ in turns) / 1e6,
            "cpu_ms": (statistics.mean(cpu for _, cpu, _ in samples)
                       + statistics.mean(elsewhere for _, elsewhere in turns)) / 1e3,
            "elsewhere_ms": statistics.mean(elsewhere for _, elsewhere in turns) / 1e3,
            "peak_mib": max(memory for _, _, memory in samples) / 1024,
        }


def ratios(groups):
    for what, phase, verb, of, to, bound in BOUNDS:
        mine, theirs = groups.get((phase, of, verb)), groups.get((phase, to, verb))
        if not mine or not theirs:
            yield {"what": what, "ratio": None, "bound": bound, "rounds": 0}
            continue
        both = sorted(set(mine) & set(theirs))
        yield {
            "what": what, "bound": bound, "rounds": len(both),
            "ratio": statistics.median(mine[i][0] / theirs[i][0] for i in both),
        }


def output(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TOP)
    return result.stdout.strip()


def host():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(next(line for line in file if line.startswith("MemTotal")).split()[1]) // 1024
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "kernel": platform.release(), "machine": platform.machine(), "cpu": models[0] if models else "unknown",
        "cpus": os.cpu_count(), "memory_mib": memory, "load": os.getloadavg(),
        "commit": output("git", "rev-parse", "--short", "HEAD"),
        "plugins": output("dpkg-query", "-W", "-f=${Version}", "containernetworking-plugins"),
    }


def show(facts, table, bounds, left, deletes):
    print(", ".join(f"{key} {value}" for key, value in facts.items()))
    order = sorted(table, key=lambda r: VERBS.index(r["verb"]))
    for phase in dict.fromkeys(row["phase"] for row in table):
        print(f"\n{phase}\n{'':8} {'':12}    p50 ms    p95 ms    p99 ms  per pod  CPU ms  elsewhere  peak MiB")
        for row in (r for r in order if r["phase"] == phase):
            print(f"{row['verb']:8} {row['contender']:12} {row['p50_ms']:9.2f} {row['p95_ms']:9.2f} {row['p99_ms']:9.2f}"
                  f" {row['per_pod_ms']:8.2f} {row['cpu_ms']:7.2f} {row['elsewhere_ms']:10.2f} {row['peak_mib']:9.1f}")
    print("\nCPU is the whole tree's with the daemon's; elsewhere is the part of the daemon and of processes left behind.")
    print("\nnames still there when DEL returned: "
          + ", ".join(f"{name} {left[name]} of {2 * deletes[name]}" for name in deletes))
    print("\nmedians of the ratios of one run")
    for row in bounds:
        ratio = "     –" if row["ratio"] is None else f"{row['ratio']:6.3f}"
        verdict = "" if row["bound"] is None else f"at most {row['bound']:<5g} {'ok' if is_met(row) else 'MISSED'}"
        print(f"{row['what']:48} {ratio}  {verdict}")


def is_met(row):
    return row["bound"] is None or (row["ratio"] is not None and row["ratio"] <= row["bound"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("samples")
    arguments = parser.parse_args()
    calls, groups, left, deletes = read(arguments.samples)
    facts, table, bounds = host(), list(rows(calls, groups)), list(ratios(groups))
    show(facts, table, bounds, left, deletes)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"host": facts, "rows": table, "ratios": bounds, "left_after_delete": dict(left)}, file, indent=1)
    missed = [row["what"] for row in bounds if not is_met(row)]
    missed += [f"names left by {name}" for name in left if left[name] and name.startswith("apus")]
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
