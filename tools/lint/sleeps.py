#!/usr/bin/env python3
"""Checks that time and chance come from where a test can take hold of them.

The clock is read in one file. Nothing else names a clock of the machine, puts a thread to sleep or
draws a number that no seed repeats. The benchmarks are free to: they measure the machine.
Waiver: `// waiver G23: reason`.
"""
import re

import source

CLOCK_FILE = re.compile(r"runtime/(src|include)/.*\bclock\w*\.[hc]pp")
# What catches such calls in a simulation, and its tests, must name them.
CATCHER = re.compile(r"runtime/src/simulation/interpose/.*|tests/.*interpose[^/]*\.cpp")
MACHINE = re.compile(r"(steady|system|high_resolution|utc|file)_clock\b|"
                     r"\bthis_thread::sleep_(for|until)\b|\bclock_gettime\(|\bgettimeofday\(|"
                     r"(\busleep|(?<!\w)::sleep|\bnanosleep)\(|\brandom_device\b|\bs?rand\(")


def problems(root):
    for path, text in source.files(root, source.EVERYTHING):
        if CLOCK_FILE.fullmatch(path) or path.startswith("bench/") or CATCHER.fullmatch(path):
            continue
        for match in MACHINE.finditer(source.code(text)):
            if not source.waived(text, match.start(), "G23"):
                yield (f"{path}:{source.line_of(text, match.start())}: {match.group().rstrip('(')} "
                       "is the machine's; ask the runtime (sp::now, sp::sleep, a seed), wait for the "
                       "thing itself, or say `// waiver G23: why`")


if __name__ == "__main__":
    source.main("sleeps", problems)
