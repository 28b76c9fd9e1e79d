#!/usr/bin/env python3
"""Runs supervised_bank. As check.py, but for the crash reports, which are the library's.

usage: supervised_bank.py PROGRAM EXPECTED

Each restart has one crash report, an ERROR line that quotes the exception; half of the crashes are
before the booking, half after.
"""
import check

THROWN = ("lost my pen", "lost the receipt")
CRASHES_EACH = 6


def problems(program, expected):
    code, lines = check.run(program)
    yield from check.exit_problems(code)
    own = [line for line in lines if " bank: " in line]
    yield from check.differences(check.patterns(expected), own)
    for text in THROWN:
        count = sum(text in line and " ERROR " in line for line in lines)
        if count != CRASHES_EACH:
            yield f"{count} crash reports quote {text!r}, not {CRASHES_EACH}"


if __name__ == "__main__":
    check.main(problems, __doc__)
