#!/usr/bin/env python3
"""conflist.py FILE RUNDIR: the configuration list with runDir set in every apus plugin, on stdout.
conflist.py --name FILE: the network's name."""
import json
import sys


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if arguments[0] == "--name":
        with open(arguments[1]) as file:
            print(json.load(file)["name"])
        return 0
    with open(arguments[0]) as file:
        conflist = json.load(file)
    for plugin in conflist["plugins"]:
        if plugin["type"] == "apus":
            plugin["runDir"] = arguments[1]
    json.dump(conflist, sys.stdout, indent=2)
    print()
    return 0


sys.exit(main(sys.argv[1:]))
