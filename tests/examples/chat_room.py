#!/usr/bin/env python3
"""Runs the chat room. As check.py, but only the lines of one actor have an order.

usage: chat_room.py PROGRAM EXPECTED

An actor's lines say [its name]; those without a name are the program's own.
"""
import re

import check

NAME = re.compile(r"\\?\[(\w+)\\?\]")


def by_actor(lines):
    groups = {}
    for line in lines:
        found = NAME.search(line)
        groups.setdefault(found[1] if found else "the program", []).append(line)
    return groups


def problems(program, expected):
    code, lines = check.run(program)
    yield from check.exit_problems(code)
    wanted, found = by_actor(check.patterns(expected)), by_actor(lines)
    for actor in {**wanted, **found}:
        yield from check.differences(wanted.get(actor, []), found.get(actor, []), f"{actor}: line")


if __name__ == "__main__":
    check.main(problems, __doc__)
