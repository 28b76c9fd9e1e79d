#!/usr/bin/env python3
"""Runs job_queue. As check.py, but for the crash reports, which are the library's.

usage: job_queue.py PROGRAM EXPECTED

Each restart has one crash report, an ERROR line that quotes the exception.
"""
import check

CRASHES = 6


def problems(program, expected):
    code, lines = check.run(program)
    yield from check.exit_problems(code)
    own = [line for line in lines if " INFO " in line]
    yield from check.differences(check.patterns(expected), own)
    count = sum("poison" in line and " ERROR " in line for line in lines)
    if count != CRASHES:
        yield f"{count} crash reports quote the poison, not {CRASHES}"


if __name__ == "__main__":
    check.main(problems, __doc__)
