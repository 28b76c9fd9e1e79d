#!/usr/bin/env python3
"""The mutation score of the models in tests/model/.

Each memory order of the sources under test is weakened, one by one, and each re-check that the
model's list names is dropped. A mutant that the model does not fail with is a survivor; it needs an
explanation in tests/model/survivors.txt, or this script fails.

tests/model/<name>.mutants says what belongs to tests/model/<name>_model.cpp:
    under test: <file>      mutated; any number of them
    only: <function>...     of the file above: the functions the model is about; default all
    needs: <file>           a source to compile with the model; any number of them
    drop <file>: <what>     an edit by hand: the lines that begin with "-" for those with "+"
    - old text
    + new text
A line of survivors.txt is "<model> <mutant>: <explanation>".
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "tests/model"
INCLUDES = ["runtime/include", "actors/include", "registry/include", "runtime/src", "actors/src",
            "registry/src", "tests", "tests/model/standin"]
FLAGS = ["-std=c++20", "-O1", "-w", "-DSPAWNED_MODEL"]
TIME_LIMIT = 600  # seconds for one mutant
TARGET = 90       # per cent

ORDER = re.compile(r"memory_order_(seq_cst|acq_rel|acquire|release)\b")
CALL = re.compile(r"(?:\.|->)(load|store|exchange|fetch_\w+|compare_exchange_\w+)\s*\(")
FUNCTION = re.compile(r"(?:\b(\w+)::)?(~?\w+)\s*\([^;{}]*\)\s*(?:const\s*)?(?:noexcept\s*)?"
                      r"(?::[^;{}]*)?\{")
KEYWORDS = {"if", "while", "for", "switch", "catch", "return"}
WEAKER = {
    "load": {"seq_cst": ["acquire", "relaxed"], "acquire": ["relaxed"]},
    "store": {"seq_cst": ["release", "relaxed"], "release": ["relaxed"]},
    "update": {"seq_cst": ["acq_rel", "acquire", "release", "relaxed"],
               "acq_rel": ["acquire", "release"], "acquire": ["relaxed"], "release": ["relaxed"]},
}


class Mutant:
    def __init__(self, path, name, text):
        self.path, self.name, self.text = path, name, text


class Model:
    def __init__(self, name):
        self.name, self.under_test, self.only, self.needs, self.drops = name, [], {}, [], []
        for line in (MODELS / f"{name}.mutants").read_text().split("\n"):
            key, _, value = line.partition(":")
            if line.startswith(("- ", "+ ")):
                self.drops[-1][2 if line[0] == "-" else 3].append(line[2:])
            elif line.strip() == "+":
                continue
            elif key == "under test":
                self.under_test.append(value.strip())
            elif key == "only":
                self.only[self.under_test[-1]] = set(value.split())
            elif key == "needs":
                self.needs.append(value.strip())
            elif key.startswith("drop "):
                self.drops.append((key[5:].strip(), value.strip(), [], []))
            elif line.strip() and not line.startswith("#"):
                sys.exit(f"{name}.mutants: not understood: {line}")


def without_comments(text):
    return re.sub(r"//[^\n]*", lambda found: " " * len(found.group()), text)


def function_at(code, position):
    found = "?"
    for match in FUNCTION.finditer(code, 0, position):
        if match.group(2) not in KEYWORDS:
            found = match.group(2)
    return found


def weakened(path, text, only):
    """A mutant for each way to weaken each order; named by file, function and place in it."""
    code, counts = without_comments(text), {}
    for match in ORDER.finditer(code):
        calls = list(CALL.finditer(code, 0, match.start()))
        if not calls or ";" in code[calls[-1].end():match.start()]:
            continue  # no access: a using-declaration
        function, call = function_at(code, calls[-1].start()), calls[-1]
        if only and function not in only:
            continue
        counts[function] = counts.get(function, 0) + 1
        failure = call.group(1).startswith("compare") and \
            "memory_order_" in code[call.end():match.start()]
        kind = call.group(1) if call.group(1) in ("load", "store") else \
            "load" if failure else "update"
        for weaker in WEAKER[kind].get(match.group(1), []):
            name = f"{path.rsplit('/')[-1]}/{function}/{counts[function]} " \
                   f"{match.group(1)}->{weaker}"
            yield Mutant(path, name, text[:match.start()] + "memory_order_" + weaker +
                         text[match.end():])


def dropped(path, what, old, new):
    text, old = (ROOT / path).read_text(), "\n".join(old)
    if text.count(old) != 1:
        sys.exit(f"{path}: the text of '{what}' occurs {text.count(old)} times")
    return Mutant(path, f"{path.rsplit('/')[-1]}: {what}", text.replace(old, "\n".join(new)))


def mutants_of(model):
    for path in model.under_test:
        yield from weakened(path, (ROOT / path).read_text(), model.only.get(path))
    for drop in model.drops:
        yield dropped(*drop)


def run(model, mutant, compiler, main_object):
    """(verdict, detail): 'killed', 'survived' or 'broken'."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sources = [f"tests/model/{model.name}_model.cpp", *model.needs]
        includes = list(INCLUDES)
        if mutant is not None:
            shadow = folder / mutant.path
            shadow.parent.mkdir(parents=True)
            shadow.write_text(mutant.text)
            includes = [str(folder / include) for include in INCLUDES
                        if (folder / include).is_dir()] + includes
            sources = [str(shadow) if source == mutant.path else source for source in sources]
        unity = folder / "unity.cpp"
        unity.write_text("".join(f'#include "{ROOT / source}"\n' for source in sources))
        flags = [f"-I{ROOT / include}" for include in includes if (ROOT / include).is_dir()]
        program = folder / "program"
        built = subprocess.run([compiler, *FLAGS, *flags, unity, main_object, "-o", program],
                               capture_output=True, text=True)
        if built.returncode != 0:
            return "broken", built.stderr.strip().split("\n")[0]
        try:
            ran = subprocess.run([program, "--no-colors", "--abort-after=1",
                                  f"--test-suite=model/{model.name}"],
                                 capture_output=True, text=True, timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            return "broken", f"not done after {TIME_LIMIT} s"
        output = ran.stdout
    if "test cases: 0 " in output:
        return "broken", "there is no such suite"
    if ran.returncode == 0:
        return "survived", ""
    executions = sum(int(number) for number in re.findall(r" (\d+) executions, [\d.]+ s", output))
    failure = re.search(r"^model: failure: (.*)", output, re.M)
    what = failure.group(1) if failure else "a crash of the model"
    return "killed", f"{what[:70]} ({executions} executions)"


def survivors():
    explained = {}
    for line in (MODELS / "survivors.txt").read_text().split("\n"):
        found = None if line.startswith("#") else \
            re.match(r"(\w+) (\S+/\w+/\d+ \S+|\S+: [^:]+): (.+)", line)
        if found:
            explained[found.group(1), found.group(2)] = found.group(3)
    return explained


def score(model, compiler, main_object, pool, explained, pattern):
    verdict, detail = run(model, None, compiler, main_object)
    if verdict != "survived":
        print(f"{model.name}: the model fails without a mutation: {detail}")
        return False
    mutants = [mutant for mutant in mutants_of(model) if re.search(pattern, mutant.name)]
    results = pool.map(lambda mutant: run(model, mutant, compiler, main_object), mutants)
    counts, well = {"killed": 0, "survived": 0, "broken": 0}, True
    print(f"\n{model.name}")
    for mutant, (verdict, detail) in zip(mutants, results):
        counts[verdict] += 1
        if verdict == "survived":
            detail = explained.pop((model.name, mutant.name), None)
            well = well and detail is not None
            detail = detail or "WITHOUT AN EXPLANATION in tests/model/survivors.txt"
        well = well and verdict != "broken"
        print(f"  {verdict:8}  {mutant.name:60}  {detail}", flush=True)
    total = len(mutants)
    share = 100 * counts["killed"] / total if total else 100
    print(f"  {model.name}: {counts['killed']} of {total} killed ({share:.0f} %), "
          f"{counts['survived']} survived, {counts['broken']} broken")
    if share < TARGET:
        print(f"  {model.name}: less than {TARGET} %")
    return well


def main():
    parser = argparse.ArgumentParser(description="mutation score of the models")
    parser.add_argument("models", nargs="*", help="names; default: all that have a list")
    parser.add_argument("--filter", default="", metavar="REGEX", help="only mutants named so")
    parser.add_argument("-j", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    names = arguments.models or sorted(path.stem for path in MODELS.glob("*.mutants"))
    compiler = os.environ.get("CXX", "g++")
    start, well, explained = time.monotonic(), True, survivors()
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(arguments.j) as pool:
        main_object = pathlib.Path(folder) / "main.o"
        subprocess.run([compiler, *FLAGS, "-c", ROOT / "tests/support/main.cpp", "-o", main_object],
                       check=True)
        for name in names:
            well = score(Model(name), compiler, main_object, pool, explained,
                         arguments.filter) and well
    for model, mutant in explained:
        if model in names and not arguments.filter:
            print(f"tests/model/survivors.txt explains what does not survive: {model} {mutant}")
            well = False
    print(f"\n{time.monotonic() - start:.0f} s")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
