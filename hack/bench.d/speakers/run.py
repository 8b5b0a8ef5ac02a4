#!/usr/bin/env python3
"""run.py [CASE…] [--speakers A,B] [--reps N] [--quick] [--check] [--json FILE] | selftest: runs scenarios against
speakers, in turn, and prints a table. A failed or very slow case is not repeated."""
import argparse
import datetime
import json
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import time

import adapters
import scenarios
from scenarios import CASES, applies

SHOWN = {
    "s1": ["time_s", "cpu_s", "withdraw_s", "rss_peak", "bytes_per_prefix"],
    "s2": ["time_s", "cpu_s", "estab_s", "rss_peak"],
    "s3": ["time_s", "cpu_s", "rss_peak"],
    "s4": ["time_s", "withdraw_s", "cpu_s", "lost_max", "missing_s", "stale_s"],
    "s5": ["time_s", "mon_s"],
    "s6": ["cpu_s", "us_per_flap", "converge_s", "updates"],
    "s7": ["time_s", "cpu_s", "rss_peak", "bytes_per_peer"],
}
# (case, metric, whose value apus' is divided by (the best of them; none: the value itself), bound).
BOUNDS = [
    ("s1 net 1000000", "cpu_s", ["bird"], 1.0), ("s1 net 1000000", "time_s", ["bird"], 1.0),
    ("s1 net 1000000", "bytes_per_prefix", ["bird"], 1.5), ("s1 pod 100000", "cpu_s", ["bird"], 1.0),
    ("s1 pod 100000", "time_s", ["bird"], 1.0), ("s2 500x64", "cpu_s", ["bird", "frr"], 1.0),
    ("s2 500x64", "time_s", ["bird", "frr"], 1.0), ("s3 200x64", "cpu_s", ["frr"], 1.0),
    ("s3 200x64", "time_s", ["frr"], 1.0), ("s3 200x64", "rss_peak", ["bird"], 3.0),
    ("s3 500x4", "cpu_s", ["frr"], 1.0), ("s3 500x4", "time_s", ["frr"], 1.0), ("s3 500x4", "rss_peak", ["bird"], 3.0),
    ("s4 100000", "time_s", ["bird"], 0.4), ("s4 100000", "withdraw_s", ["bird"], 0.4),
    ("s4 restart-gr", "lost_max", [], 0), ("s4 restart-gr", "stale_s", [], 1.0), ("s5 rst", "time_s", [], 0.005),
    ("s5 hold3", "time_s", [], 3.2), ("s5 bfd", "time_s", [], 0.35), ("s6 mesh", "us_per_flap", ["bird"], 1.0),
    ("s6 rr50", "us_per_flap", ["frr"], 1.0), ("s7 connect-1000", "time_s", [], 5.0),
    ("s7 connect-1000", "bytes_per_peer", [], 30000), ("s7 idle-200", "cpu_s", ["bird"], 1.0),
]


def measure(case, speaker, rep):
    start = time.monotonic()
    function, arguments = CASES[case][:2]
    try:
        metrics, ok, note = function(speaker, *arguments)
    except RuntimeError as error:
        metrics, ok, note = {}, False, str(error)
    record = dict(
        case=case, speaker=speaker, rep=rep, ok=ok, note=note, wall=round(time.monotonic() - start, 1),
        m={key: round(value, 6) if isinstance(value, float) else value for key, value in metrics.items()})
    values = " ".join(f"{key}={value:.4g}" if value is not None else f"{key}=-" for key, value in record["m"].items())
    print(f"{case:16} {speaker:9} #{rep} {'ok  ' if ok else 'FAIL'} {values} {note}", file=sys.stderr, flush=True)
    return record


def run(cases, speakers, reps):
    records, dead = [], set()
    for case in cases:
        for rep in range(reps):
            for speaker in speakers:
                if (speaker, case) in dead or not applies(speaker, case):
                    continue
                record = measure(case, speaker, rep)
                records.append(record)
                if not record["ok"] or record["wall"] > 60:
                    dead.add((speaker, case))
    return records


def values(records, case, speaker, metric):
    return [r["m"][metric] for r in records if r["case"] == case and r["speaker"] == speaker and r["ok"]
            and r["m"].get(metric) is not None]


def cell(records, case, speaker, metric, reference):
    found = values(records, case, speaker, metric)
    if not found:
        failed = any(r["case"] == case and r["speaker"] == speaker and not r["ok"] for r in records)
        return ("FAIL" if failed else "–" if applies(speaker, case) else "n/a"), False
    value = statistics.median(found)
    text = f"{value / 1e6:.1f} MB" if metric == "rss_peak" else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    if reference and speaker != "bird":
        text += f" ({value / reference:.2f}×)"
    return text, True


def table(records, speakers):
    print("| case | metric | " + " | ".join(speakers) + " |\n|---|---|" + "---|" * len(speakers))
    for case in dict.fromkeys(r["case"] for r in records):
        for metric in SHOWN[case[:2]]:
            base = values(records, case, "bird", metric)
            reference = statistics.median(base) if base else None
            cells = [cell(records, case, speaker, metric, reference) for speaker in speakers]
            if any(shown for _, shown in cells) or (metric == SHOWN[case[:2]][0] and records):
                print(f"| {case} | {metric} | " + " | ".join(text for text, _ in cells) + " |")


def bounds(records):
    """Prints every bound, kept or not; the result is what was not kept or not measured of the cases that were run."""
    broken = []
    for case, metric, others, bound in BOUNDS:
        if not any(r["case"] == case and r["speaker"] == "apus" for r in records):
            print(f"     {case} {metric}: not run, bound {bound}")
            continue
        mine = values(records, case, "apus", metric)
        best = min((statistics.median(v) for o in others if (v := values(records, case, o, metric))), default=None)
        if not mine or (others and not best):
            broken.append(f"{case} {metric}: not measured")
            print(f"OVER {broken[-1]}, bound {bound}")
            continue
        value = statistics.median(mine) / best if others else statistics.median(mine)
        words = f"{case} {metric}{' by the best of ' + ', '.join(others) if others else ''}: {value:.3g}"
        print(f"{'ok  ' if value <= bound else 'OVER'} {words}, bound {bound}")
        if value > bound:
            broken.append(words)
    return broken


def host():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    commit = subprocess.run(
        ["git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe", "--always", "--dirty"],
        capture_output=True, text=True, check=False).stdout.strip()
    return dict(kernel=platform.release(), cpu=model, cores=os.cpu_count(), load=os.getloadavg()[0],
                commit=commit, at=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"))


def selftest():
    """The bench must accept a correct speaker and refuse one that loses, swaps or damages a single route."""
    wrong = 0
    short = dict(timeout=4)
    for name, wanted, result in [
        ("correct, 10,000 prefixes", True, lambda: scenarios.ingest("bird", "net", 10000)),
        ("one lost", False, lambda: scenarios.ingest("bird", "net", 10000, variant="lossy", **short)),
        ("one swapped", False, lambda: scenarios.ingest("bird", "net", 10000, variant="swap", **short)),
        ("one with the wrong origin AS", False,
         lambda: scenarios.ingest("bird", "net", 10000, variant="badattr", **short)),
        ("one of 3,200 blocks lost", False, lambda: scenarios.fan_in("bird", 50, 64, variant="lossy", **short)),
        ("kernel routes correct", True, lambda: scenarios.kernel("bird", 1000)),
        ("one kernel route removed", False, lambda: scenarios.kernel("bird", 1000, tamper="16.0.1.64/26")),
    ]:
        _, ok, note = result()
        wrong += ok != wanted
        print(f"{'PASS' if ok == wanted else 'WRONG'} {name}: {'ok' if ok else 'refused'} {note}", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="all, s1 … s7, or a case such as 's1 net 100000'")
    parser.add_argument("--speakers", default="bird,frr,apus")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="the cases that matter most")
    parser.add_argument("--check", action="store_true", help="the exit status tells whether all bounds are kept")
    parser.add_argument("--json", help="also write what was measured to this file")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
    if options.cases == ["selftest"]:
        sys.exit(selftest())
    everything = "all" in options.cases or not (options.cases or options.quick)
    cases = [case for case in CASES if everything or (options.quick and CASES[case][3])
             or any(case == wanted or case.startswith(wanted + " ") for wanted in options.cases)]
    speakers = [name for name in adapters.NAMES if name in options.speakers.split(",")]
    if not cases or not speakers:
        parser.error("no such case or speaker")
    facts = host()
    records = run(cases, speakers, options.reps)
    print(f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, load {facts['load']:.1f}, "
          f"{facts['commit']}, medians of {options.reps}\n")
    table(records, speakers)
    print()
    broken = bounds(records)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(dict(host=facts, records=records, broken=broken), file, indent=1)
    sys.exit(1 if options.check and broken else 0)


if __name__ == "__main__":
    main()
