"""Runs a program that whole_program.cpp is linked into, twice for each seed.

    simulate_program.py PROGRAM SEED...

It must end with exit code 0, have simulated something, and two runs from one seed must print the same.
"""

import os
import re
import subprocess
import sys


def run(program, seed):
    environment = {**os.environ, "SPAWNED_SIMULATE": seed}
    done = subprocess.run([program], capture_output=True, text=True, env=environment, timeout=120)
    if done.returncode != 0 or "simulated: " not in done.stderr or "simulated: 0 steps" in done.stderr:
        sys.exit(f"{program} fails when it is simulated with seed {seed}:\n{done.stdout}{done.stderr}")
    # What is logged when the runtime has ended has the machine's time.
    return re.sub(r"^\d{4}-[-0-9T:.]+Z", "<time>", done.stdout, flags=re.MULTILINE), done.stderr


def main():
    program, *seeds = sys.argv[1:]
    for seed in seeds:
        first, second = run(program, seed), run(program, seed)
        if first != second:
            sys.exit(f"seed {seed} is not deterministic:\n{first[0]}{first[1]}\nand again\n{second[0]}{second[1]}")
        print(f"seed {seed}: {first[1].strip()}")


if __name__ == "__main__":
    main()
