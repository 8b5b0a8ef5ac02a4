#!/usr/bin/env python3
"""swift-tests.py LOG RESULTS: what Swift Testing printed, as rows of hack/test.

The closing line says how many tests there were; the tests that failed or were skipped have lines of their own. A log
without a closing line is a run that crashed: exit 1.
"""
import re
import sys

CLOSING = re.compile(r"^\W*Test run with (\d+) tests?(?: in \d+ suites?)? (passed|failed) after ")
FAILED = re.compile(r"^\W*Test (.+?) (?:with \d+ test cases? )?failed after ")
SKIPPED = re.compile(r"^\W*Test (.+?) skipped(?:: (.*))?$")


def main(log, results):
    total, failed, skipped = None, [], []
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            line = line.rstrip("\n")
            closing, fail, skip = CLOSING.match(line), FAILED.match(line), SKIPPED.match(line)
            if closing:
                total = (total or 0) + int(closing.group(1))
                verdict = closing.group(2)
            elif fail:
                failed.append(fail.group(1))
            elif skip:
                skipped.append(f"{skip.group(1)}: {(skip.group(2) or 'no reason given').strip(chr(34))}")
    with open(results, "a", encoding="utf-8") as file:
        rows = [("failed", name) for name in failed] + [("skipped", name) for name in skipped]
        if total is None:
            file.write("failed\tswift test ended without a closing line\n")
            total = 0
        elif verdict == "failed" and not failed:
            rows.append(("failed", "the test run"))
        rows += [("passed", "a Swift test")] * max(0, total - len(failed) - len(skipped))
        file.writelines(f"{kind}\t{name}\n" for kind, name in rows)
    return 0 if not failed and total else 1


sys.exit(main(*sys.argv[1:]))
