#!/usr/bin/env python3
"""Runs an example and compares its output with what it promises.

usage: check.py PROGRAM EXPECTED

EXPECTED holds one regular expression per line. Each must match one whole line of the output, one to
one and in order; the program must end with exit code 0.
"""
import itertools
import re
import subprocess
import sys


def problems(program, expected_path):
    with open(expected_path, encoding="utf-8") as file:
        expected = file.read().splitlines()
    run = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(run.stdout, end="")
    if run.returncode != 0:
        yield f"exit code {run.returncode}"
    for number, (pattern, line) in enumerate(
            itertools.zip_longest(expected, run.stdout.splitlines()), 1):
        if pattern is None:
            yield f"line {number} is one too many: {line}"
        elif line is None:
            yield f"line {number} is missing, expected {pattern}"
        elif not re.fullmatch(pattern, line):
            yield f"line {number} differs\n  expected: {pattern}\n  found:    {line}"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    found = list(problems(*sys.argv[1:]))
    if found:
        sys.exit("\n".join(found))
