#!/usr/bin/env python3
"""conflist.py FILE RUNDIR [MTU]: the configuration list with runDir, and mtu if given, set in every apus plugin.
conflist.py --name FILE: the network's name."""
import json
import sys


def main(arguments):
    if len(arguments) not in (2, 3):
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
            if len(arguments) == 3:
                plugin["mtu"] = int(arguments[2])
    json.dump(conflist, sys.stdout, indent=2)
    print()
    return 0


sys.exit(main(sys.argv[1:]))
