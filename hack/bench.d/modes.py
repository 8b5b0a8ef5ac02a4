"""modes.py FIGURES SECONDS TICKS: the table of hack/bench modes. Each line of FIGURES is a round, a mode, Gbit/s, ticks of
CPU, and microseconds of a round trip. Ratios to plain are taken within a round; what is shown is their median."""
import os
import platform
import statistics
import sys


def main(path, seconds, ticks):
    rounds = {}
    for line in open(path):
        number, mode, rate, busy, trip = line.split()
        rate, busy, trip = float(rate), float(busy), float(trip)
        # Seconds of CPU for a gigabyte.
        cost = busy / float(ticks) / (rate * float(seconds) / 8)
        rounds.setdefault(int(number), {})[mode] = (rate, cost, trip)
    modes = list(next(iter(rounds.values())))
    print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, {len(rounds)} interleaved rounds of {seconds} s, medians\n")
    print("| mode | Gbit/s | of plain | CPU s per GB | of plain | round trip µs | of plain |")
    print("|---|---|---|---|---|---|---|")
    for mode in modes:
        cells = [mode]
        for index, form in enumerate(("{:.2f}", "{:.2f}", "{:.0f}")):
            values = [found[mode][index] for found in rounds.values()]
            ratios = [found[mode][index] / found["plain"][index] for found in rounds.values()]
            cells += [form.format(statistics.median(values)), f"{statistics.median(ratios):.3f}"]
        print("| " + " | ".join(cells) + " |")


main(*sys.argv[1:])
