"""Runs a test program with its runtimes simulated, twice for each seed.

    simulate.py PROGRAM [SEED...]

Every test case must pass under every seed, and two runs from one seed must have equal hashes, test
case by test case. real_threads.txt lists what cannot be simulated.
"""

import os
import re
import subprocess
import sys
from pathlib import Path


def excluded():
    lines = (Path(__file__).parent / "real_threads.txt").read_text().splitlines()
    return [line for line in lines if line and line[0] not in "#["]


def listed(program):
    output = subprocess.run([program, "--no-colors", "-ltc"], capture_output=True, text=True, check=True).stdout
    return {line for line in output.splitlines() if line and not line.startswith(("[doctest]", "==="))}


def run(program, seed):
    # A comma separates filters, and a question mark stands for any character.
    filters = ",".join(name.replace(",", "?") for name in excluded())
    command = [program, "--no-colors", f"--test-case-exclude={filters}"]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env={**os.environ, "SPAWNED_SIMULATE": seed}
    )
    hashes = re.findall(r"^simulated (\w+) (\d+) (.*)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not hashes:
        sys.exit(f"{program} fails when it is simulated with seed {seed}:\n{done.stdout[-6000:]}{done.stderr[-3000:]}")
    return hashes


def main():
    program, *seeds = sys.argv[1:]
    names = listed(program)
    for seed in seeds or ["1"]:
        first, second = run(program, seed), run(program, seed)
        for one, other in zip(first, second, strict=True):
            if one != other:
                sys.exit(f"seed {seed} is not deterministic:\n  once  {' '.join(one)}\n  again {' '.join(other)}")
        steps = sum(int(entry[1]) for entry in first)
        simulated = sum(1 for entry in first if int(entry[1]) > 0)
        print(f"seed {seed}: {simulated} of {len(names)} test cases simulated twice alike, {steps} steps each time")


if __name__ == "__main__":
    main()
