#!/usr/bin/env python3
"""Runs exit_reason. As check.py, but for the crash reports, which are the library's.

usage: exit_reason.py PROGRAM EXPECTED

Each callback that throws has one crash report, an ERROR line that quotes the exception.
"""
import check

THROWN = {"out of stock": 2, "bad configuration": 1}


def problems(program, expected):
    code, lines = check.run(program)
    yield from check.exit_problems(code)
    own = [line for line in lines if " exit_reason: " in line]
    yield from check.differences(check.patterns(expected), own)
    reports = [line for line in lines if " ERROR " in line]
    for text, wanted in THROWN.items():
        count = sum(text in report for report in reports)
        if count != wanted:
            yield f"{count} crash reports quote {text!r}, not {wanted}"
    if len(reports) != sum(THROWN.values()):
        yield f"{len(reports)} crash reports, not {sum(THROWN.values())}"


if __name__ == "__main__":
    check.main(problems, __doc__)
