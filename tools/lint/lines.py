#!/usr/bin/env python3
"""Holds public headers to a budget of preprocessed lines, which is what compile time follows.

Measured with `g++ -std=c++20 -E -P`, so the numbers are those of that compiler's library.
"""
import subprocess

import source

BUDGETS = {
    "spawned/tasks.hpp": 60000,
    "spawned/spawned.hpp": 60000,
}


def preprocessed(root, header):
    roots = [f"-I{root / module / 'include'}" for module in (*source.MODULES, "cmake")]
    run = subprocess.run(["g++", "-std=c++20", "-E", "-P", "-x", "c++", *roots, "-"],
                         input=f"#include <{header}>\n", capture_output=True, text=True)
    return (run.stdout.count("\n"), None) if run.returncode == 0 else (0, run.stderr.strip())


def problems(root):
    for header, budget in BUDGETS.items():
        lines, error = preprocessed(root, header)
        if error:
            yield f"{header}: {error}"
        elif lines >= budget:
            yield f"{header}: {lines} preprocessed lines, the budget is less than {budget}"
        else:
            print(f"{header}: {lines} of {budget} preprocessed lines")


if __name__ == "__main__":
    source.main("lines", problems)
