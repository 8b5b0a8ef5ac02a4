#!/usr/bin/env python3
"""A plugin that is spoilt in one thing: it runs the real one and changes what MUTANT (JSON) says.

Put into a directory beside `real` (the program's path) and `spoil` (the document), it is called in the plugin's place.

on      the verbs that are spoilt; every one without it
nth     only the so-manieth call of these verbs, counted from 1
when    "error" or "ok": only answers of that kind
ifenv   [NAME, TEXT]: only calls whose variable holds the text ("" is: is empty)
ifstdin only calls whose configuration holds the text
skip    the real program is not run; silence and success
fail    the real program is not run; error 999
env     variables in place of the caller's
stdin   members of the configuration set, or with null removed
edit    [[path…, value]…]: set in the answer; null removes
sub     [pattern, text] replaced in the answer's text
exit, stdout, repeat, mute, swap
        the exit status; text in front of stdout; stdout so many times; no output; stdout to stderr
before, after
        a shell command
hold    a child keeps stdout open for so many seconds
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with open(os.path.join(HERE, name)) as file:
        return file.read()


def edit(document, path, value):
    *way, last = path
    for step in way:
        document = document[step]
    if value is None:
        if isinstance(document, list) or last in document:
            del document[last]
    else:
        document[last] = value


def applies(spoil, verb, text):
    if "on" in spoil and verb not in spoil["on"].split():
        return False
    if "ifenv" in spoil:
        name, wanted = spoil["ifenv"]
        found = os.environ.get(name, "")
        if (found != "") if wanted == "" else (wanted not in found):
            return False
    if "ifstdin" in spoil and spoil["ifstdin"] not in text:
        return False
    if "nth" in spoil:
        counter = os.path.join(os.environ["CONFORMANCE_DIRECTORY"], "calls")
        with open(counter, "a") as file:
            file.write(".")
        return os.path.getsize(counter) == spoil["nth"]
    return True


def spoilt_answer(spoil, status, out, err):
    if spoil.get("when") == ("ok" if status else "error"):
        return status, out, err
    if "edit" in spoil:
        try:
            document = json.loads(out)
            for *path, value in spoil["edit"]:
                edit(document, path, value)
            out = json.dumps(document).encode()
        except (ValueError, KeyError, IndexError, TypeError):
            pass
    if "sub" in spoil:
        out = re.sub(spoil["sub"][0], spoil["sub"][1], out.decode()).encode()
    if "swap" in spoil:
        out, err = err, out
    if "mute" in spoil:
        out = err = b""
    return spoil.get("exit", status), spoil.get("stdout", "").encode() + out * spoil.get("repeat", 1), err


def main():
    spoil, real = json.loads(read("spoil")), read("real")
    verb = os.environ.get("CNI_COMMAND", "")
    text = "" if verb == "" else sys.stdin.read()
    if not applies(spoil, verb, text):
        result = subprocess.run([real], input=text.encode(), check=False)
        return result.returncode
    if "skip" in spoil or "fail" in spoil:
        status, out, err = 0, b"", b""
        if "fail" in spoil:
            status, out = 1, b'{"cniVersion":"1.0.0","code":999,"msg":"spoilt"}'
    else:
        if "stdin" in spoil:
            try:
                document = json.loads(text)
                for name, value in spoil["stdin"].items():
                    edit(document, [name], value)
                text = json.dumps(document)
            except ValueError:
                pass
        if "before" in spoil:
            subprocess.run(spoil["before"], shell=True, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        result = subprocess.run(
            [real], input=text.encode(), env={**os.environ, **spoil.get("env", {})}, capture_output=True, check=False)
        status, out, err = result.returncode, result.stdout, result.stderr
        if "after" in spoil and spoil.get("when") != ("ok" if status else "error"):
            subprocess.run(spoil["after"], shell=True, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    status, out, err = spoilt_answer(spoil, status, out, err)
    if "hold" in spoil:
        subprocess.Popen(["sleep", str(spoil["hold"])], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sys.stdout.buffer.write(out)
    sys.stderr.buffer.write(err)
    return status


if __name__ == "__main__":
    sys.exit(main())
