#!/usr/bin/env python3
"""Runs the simulated bank and looks for what its story must contain.

usage: simulation_bank.py PROGRAM EXPECTED

EXPECTED holds one regular expression per line. They match whole lines of the output in this order,
other lines may come between: which run is found first is not promised.
"""
import re

import check


def problems(program, expected):
    code, lines = check.run(program)
    yield from check.exit_problems(code)
    rest = iter(lines)
    for pattern in check.patterns(expected):
        if not any(re.fullmatch(pattern, line) for line in rest):
            yield f"no line, or not in this order: {pattern}"
            return


if __name__ == "__main__":
    check.main(problems, __doc__)
