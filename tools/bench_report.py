#!/usr/bin/env python3
"""Runs the benchmarks beside their hand-written floors and reports medians and ratios.

usage: bench_report.py PROGRAM [--filter F] [--json FILE]

Each round is a new process that runs every benchmark once in random order: ours and its floor take
turns, no layout of the address space is measured seven times, and a line appears as each one ends.

The benchmark's label says what its numbers are: "floor=floor::request;unit=ns". The value is the
counter "value" where there is one, else the counter "ns_per_op", else the real time in nanoseconds.

Environment: SPAWNED_BENCH_REPETITIONS (7 rounds), SPAWNED_BENCH_MIN_TIME (0.2 seconds each).
"""
import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

# Google Benchmark appends how it measured to the name; the name is what was measured.
HOW = re.compile(r"/(real_time|process_time|manual_time|"
                 r"(min_time|min_warmup_time|iterations|repeats|threads):[\d.e+-]+)(?=/|$)")
TO_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n\n")[0], usage="%(prog)s PROGRAM [--filter F] [--json FILE]")
    parser.add_argument("program")
    parser.add_argument("--filter", default="", help="a regular expression that occurs in the name")
    parser.add_argument("--json", help="write the results to this file")
    options = parser.parse_args()
    try:
        options.rounds = int(os.environ.get("SPAWNED_BENCH_REPETITIONS", 7))
        options.min_time = float(os.environ.get("SPAWNED_BENCH_MIN_TIME", 0.2))
        re.compile(options.filter)
    except (ValueError, re.error) as error:
        parser.error(str(error))
    if options.rounds < 1 or options.min_time <= 0:
        parser.error("rounds and minimum time must be positive")
    return options


def names(program):
    listed = subprocess.run([program, "--benchmark_list_tests=true"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    return sorted(HOW.sub("", name) for name in listed.split("\n") if name)


def run_round(options, out):
    """One process; yields the raw record of each benchmark. Its console lines are the progress."""
    command = [options.program, f"--benchmark_min_time={options.min_time}",
               "--benchmark_repetitions=1", "--benchmark_enable_random_interleaving=true",
               f"--benchmark_out={out}", "--benchmark_out_format=json"]
    if options.filter:
        # Labels are known only after a run, so all floors come along; the unused ones are dropped.
        command.append(f"--benchmark_filter=({options.filter})|^floor::")
    run = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if run.returncode != 0:  # else it holds the description of the machine, once a round
        sys.stderr.write(run.stderr)
        run.check_returncode()
    for record in json.loads(pathlib.Path(out).read_text(encoding="utf-8"))["benchmarks"]:
        if record.get("run_type", "iteration") == "iteration":
            yield record


def value_of(record):
    for key in ("value", "ns_per_op"):
        if key in record:
            return float(record[key])
    return record["real_time"] * TO_NS[record["time_unit"]]


def measure(options):
    """Returns {name: values}, {name: label as a dict} and the names that reported an error."""
    values, labels, broken = {}, {}, {}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, options.rounds + 1):
            print(f"== round {number} of {options.rounds}, "
                  f"{time.monotonic() - started:.0f} s so far", flush=True)
            for record in run_round(options, os.path.join(folder, "round.json")):
                name = HOW.sub("", record["name"])
                if record.get("error_occurred"):
                    broken[name] = record.get("error_message", "")
                    continue
                pairs = (part.split("=", 1) for part in record.get("label", "").split(";"))
                labels[name] = dict(pair for pair in pairs if len(pair) == 2)
                values.setdefault(name, []).append(value_of(record))
    return values, labels, broken


def summarise(values, labels, wanted):
    """One record per name, in the order of the names; a floor also stands as a record of its own."""
    medians = {name: statistics.median(found) for name, found in values.items()}
    kept = {name for name in values if wanted(name)}
    kept |= {labels[name].get("floor") for name in kept} & set(values)
    for name in sorted(kept, key=lambda name: (name.startswith("floor::"), name)):
        floor = medians.get(labels[name].get("floor"))
        yield {
            "name": name,
            "unit": labels[name].get("unit", "ns"),
            "median": medians[name],
            "min": min(values[name]),
            "max": max(values[name]),
            "runs": len(values[name]),
            "floor": floor,
            "ratio": medians[name] / floor if floor else None,
        }


def first_match(path, pattern):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8"), re.M)
    except OSError:
        return None
    return found.group(1).strip() if found else None


def compiler(program):
    """What the build tree of the program says it was compiled with."""
    cache = next((folder / "CMakeCache.txt" for folder in pathlib.Path(program).resolve().parents
                  if (folder / "CMakeCache.txt").exists()), None)
    path = first_match(cache, r"^CMAKE_CXX_COMPILER:\w+=(.+)$") if cache else None
    if not path:
        return None
    return subprocess.run([path, "--version"], stdout=subprocess.PIPE,
                          text=True).stdout.split("\n")[0]


def machine(program):
    cpufreq = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    return {
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*: (.+)$") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "compiler": compiler(program),
        "governor": first_match(cpufreq, r"(.+)"),
    }


def number(value):
    return "-" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def print_table(results):
    width = max(len(record["name"]) for record in results)
    print(f"\n{'':{width}}  unit    {'median':>12} {'min':>12} {'max':>12} {'floor':>12} {'ratio':>7}")
    for record in results:
        cells = " ".join(f"{number(record[key]):>12}" for key in ("median", "min", "max", "floor"))
        print(f"{record['name']:{width}}  {record['unit']:7} {cells} {number(record['ratio']):>7}")


def main():
    options = arguments()
    known = names(options.program)
    if not any(re.search(options.filter, name) for name in known):
        sys.exit(f"no benchmark matches {options.filter!r}; there are:\n  " + "\n  ".join(known))
    values, labels, broken = measure(options)
    results = list(summarise(values, labels, lambda name: re.search(options.filter, name)))
    problems = [f"{name}: {message}" for name, message in sorted(broken.items())]
    problems += [f"{record['name']}: its floor {labels[record['name']]['floor']} does not exist"
                 for record in results
                 if labels[record["name"]].get("floor", None) not in (None, *values)]
    if results:
        print_table(results)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(options.program), "results": results}, file, indent=2)
            file.write("\n")
    if problems:
        sys.exit("failed:\n  " + "\n  ".join(problems))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} ended with {error.returncode}")
    except KeyboardInterrupt:
        sys.exit(130)
