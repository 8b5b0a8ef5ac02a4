"""Runs cases against a plugin, each in a process and in namespaces of its own, and against the plugin's mutants."""
import json
import os
import shutil
import signal
import sys
import traceback

import world as worlds
from case import CASES
from rows import ROWS

HERE = os.path.dirname(os.path.abspath(__file__))
# No case may hang the run.
LIMIT_SECONDS = 90
# BROKEN is a test that could not come to a verdict: what it stumbled over is no expectation of its own.
PASSED, FAILED, BROKEN, SKIPPED = "passed", "failed", "broken", "n/a"
FAULTS = (FAILED, BROKEN)
# A mutant with nothing spoilt: the wrapper alone.
IDENTITY = {}


def plant_mutant(directory, real, spoil):
    """A program at `directory` that runs the real one, spoilt."""
    os.makedirs(directory)
    for name, text in (("real", real), ("spoil", json.dumps(spoil))):
        with open(os.path.join(directory, name), "w") as file:
            file.write(text)
    # argv[0]'s name is a plugin's, too.
    program = os.path.join(directory, os.path.basename(real))
    shutil.copy(os.path.join(HERE, "mutant.py"), program)
    return program


def run_case(case, subject, directory, spoil=None):
    """One case in a process of its own: (outcome, words)."""
    if case.apus_only and not subject.is_apus:
        return SKIPPED, "asks for what this plugin's design has not"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as result:
            json.dump(attempt(case, subject, directory, spoil), result)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as result:
        text = result.read()
    os.waitpid(child, 0)
    shutil.rmtree(directory, ignore_errors=True)
    return tuple(json.loads(text)) if text else (BROKEN, f"no outcome within {LIMIT_SECONDS} s")


def attempt(case, subject, directory, spoil):
    signal.alarm(LIMIT_SECONDS)
    try:
        program, ipam = subject.program, subject.ipam_program
        if spoil is not None:
            program = plant_mutant(directory + "-mutant", program, spoil)
            ipam = ipam and plant_mutant(directory + "-mutant-ipam", ipam, spoil)
        case.function(worlds.World(subject, directory, program, ipam))
        return PASSED, ""
    except worlds.Failed as failure:
        return FAILED, str(failure)
    except worlds.NotApplicable as reason:
        return SKIPPED, str(reason)
    except Exception:  # pylint: disable=broad-except
        # What a case did not expect is told with its place.
        return BROKEN, traceback.format_exc(limit=-2).strip().replace("\n", " | ")
    finally:
        for name in ("-mutant", "-mutant-ipam"):
            shutil.rmtree(directory + name, ignore_errors=True)


def run_all(subject, scratch, only, tell):
    """The outcome of every case."""
    outcomes = {}
    for case in chosen(only):
        outcomes[case] = run_case(case, subject, os.path.join(scratch, "case"))
        outcome, words = outcomes[case]
        tell(f"{outcome:7} {case.rows[0]:3}  {case.sentence}" + (f"\n             {words}" if words else ""))
    return outcomes


def run_control(subject, scratch, outcomes, tell):
    """The cases that pass, against the plugin in the mutants' wrapper with nothing spoilt: which of them do not pass,
    so that what their mutants show is not the spoilt answer. What the wrapper disturbs it disturbs again: a case that
    fails is tried once more, for a wrapper in Python is slow on a busy machine."""
    disturbed = []
    for case, (outcome, _) in outcomes.items():
        if outcome != PASSED:
            continue
        result, words = run_case(case, subject, os.path.join(scratch, "case"), IDENTITY)
        if result != PASSED:
            tell(f"again   {case.rows[0]:3}  {case.sentence}\n             {words[:300]}")
            result, words = run_case(case, subject, os.path.join(scratch, "case"), IDENTITY)
        if result != PASSED:
            tell(f"{result:7} {case.rows[0]:3}  {case.sentence}\n             {words[:300]}")
            disturbed.append(case)
    return disturbed


def run_mutants(subject, scratch, outcomes, tell):
    """The cases that pass, against their spoilt plugin: which of these went unnoticed. A mutant is caught by an
    expectation that fails, and by nothing else."""
    missed = []
    for case, (outcome, _) in outcomes.items():
        if outcome != PASSED:
            continue
        result, words = run_case(case, subject, os.path.join(scratch, "case"), case.mutant)
        if result == FAILED:
            tell(f"caught  {case.rows[0]:3}  {case.sentence}\n             {words[:160]}")
        else:
            tell(f"MISSED  {case.rows[0]:3}  {case.sentence}: {json.dumps(case.mutant)}: {result} {words[:300]}")
            missed.append(case)
    return missed


def chosen(only):
    return [case for case in CASES if not only or any(row in only for row in case.rows)]


def check_rows():
    """Every row has a case, or is the runtime's side with a reason; no case is for a row that is none."""
    covered = {row for case in CASES for row in case.rows}
    faults = [f"row {row} has no case" for row in ROWS if row not in covered and ROWS[row][0] != "runtime"]
    faults += [f"a case names row {row}, which is none" for row in covered if row not in ROWS]
    faults += [f"row {row} needs its reason" for row, (kind, _, why) in ROWS.items() if kind != "test" and not why]
    if len(ROWS) != 79:
        faults.append(f"{len(ROWS)} rows, not 79")
    if faults:
        sys.exit("\n".join(faults))
