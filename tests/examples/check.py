#!/usr/bin/env python3
"""Runs an example and compares its output with what it promises.

usage: check.py PROGRAM EXPECTED

EXPECTED holds one regular expression per line. Each must match one whole line of the output, one to
one and in order; the program must end with exit code 0.

Scripts for examples that need more than this import it: see main().
"""
import itertools
import pathlib
import re
import subprocess
import sys

TIME_LIMIT_S = 60  # only a program that hangs gets near it


def run(*command):
    """The exit code and the lines of the output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=TIME_LIMIT_S)
    print(done.stdout, end="")
    return done.returncode, done.stdout.splitlines()


def patterns(expected):
    return pathlib.Path(expected).read_text(encoding="utf-8").splitlines()


def exit_problems(code):
    if code != 0:
        yield f"exit code {code}"


def differences(expected, lines, what="line"):
    for number, (pattern, line) in enumerate(itertools.zip_longest(expected, lines), 1):
        if pattern is None:
            yield f"{what} {number} is one too many: {line}"
        elif line is None:
            yield f"{what} {number} is missing, expected {pattern}"
        elif not re.fullmatch(pattern, line):
            yield f"{what} {number} differs\n  expected: {pattern}\n  found:    {line}"


def problems(program, expected):
    code, lines = run(program)
    yield from exit_problems(code)
    yield from differences(patterns(expected), lines)


def main(problems_of, usage):
    """Calls `problems_of` with PROGRAM and EXPECTED; what it yields fails the test."""
    if len(sys.argv) != 3:
        sys.exit(usage)
    found = list(problems_of(*sys.argv[1:]))
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main(problems, __doc__)
