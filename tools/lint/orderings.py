#!/usr/bin/env python3
"""Checks that every atomic access says why its ordering suffices.

A file may declare rules in a comment, as `//   <label>  op() ...` lines under `// Orderings.`, which
accesses use as trailing `// <label>[, <label>]`; two spaces or more follow a label. The accesses may
be in the file itself or in a .cpp that includes it. Reported are
  - an access with a memory_order and no comment,
  - an access that leaves its order to the default,
  - a rule whose release side and acquire side are not found on two different accesses, unless it
    pairs an operation with itself: `op() ... -> op() ...`,
  - a rule that speaks of seq_cst and has an access which is not.
It checks the bookkeeping; whether the reasons are true is for the model test to say.
"""
import re

import source

ORDER = re.compile(r"memory_order(?:_|::)(relaxed|acquire|release|acq_rel|seq_cst)")
DEFAULTED = re.compile(r"(?:\.|->)(load\(\)|fetch_(?:add|sub|and|or|xor)\(|"
                       r"compare_exchange_(?:weak|strong)\(|test_and_set\(\))")
RULE = re.compile(r"^ *//   (\w+)  +(\S.*(?:\n *//      .*)*)", re.M)
INCLUDED = re.compile(r'^#include [<"]([^>"]+)[>"]', re.M)
WITH_ITSELF = re.compile(r"^(\w+\(\)).*->\s+\1", re.S)
RELEASES = {"release", "acq_rel", "seq_cst"}
ACQUIRES = {"acquire", "acq_rel", "seq_cst"}


def statements(text):
    """Yields (line number, code, comment) of each run of lines whose code ends a statement."""
    start, code, comment = 1, "", ""
    for line, content in enumerate(text.split("\n"), 1):
        start = line if not (code or comment) else start
        before, _, after = content.partition("//")
        code += before.strip()
        comment += " " + after if after.strip() else ""
        if before.rstrip().endswith((";", "{", "}", ":")) or not content.strip():
            yield start, code, comment
            code, comment = "", ""
    yield start, code, comment


def declared(path, text):
    """The rules of a file: {label: (path, rule)}."""
    rules = {}
    for section in text.split("// Orderings.")[1:]:
        found = RULE.findall(re.split(r"\n(?! *//)", section, maxsplit=1)[0])
        rules.update((label, (path, rule)) for label, rule in found)
    return rules


def usable(path, text, rules_of):
    """The rules that accesses of a file may name: its own, then those of what a .cpp includes."""
    rules = {}
    if path.endswith(".cpp"):
        for name in INCLUDED.findall(text):
            for header, found in rules_of.items():
                rules.update(found if header.endswith("/" + name) else {})
    return {**rules, **rules_of[path]}


def problems(root):
    texts = dict(source.files(root, source.MODULES))
    rules_of = {path: declared(path, text) for path, text in texts.items()}
    sides = {(path, label): (set(), set()) for path, rules in rules_of.items() for label in rules}
    for path, text in texts.items():
        rules = usable(path, text, rules_of)
        for line, code, comment in statements(text):
            orders = set() if code.startswith("using ") else set(ORDER.findall(code))
            if not orders and DEFAULTED.search(code) and not comment:
                yield f"{path}:{line}: atomic access without an explicit order"
            if orders and not comment:
                yield f"{path}:{line}: atomic access without a reason"
            for label in rules.keys() & set(re.findall(r"\w+", comment) if orders else []):
                owner, rule = rules[label]
                if orders & RELEASES and ".load(" not in code:
                    sides[owner, label][0].add((path, line))
                if orders & ACQUIRES and ".store(" not in code:
                    sides[owner, label][1].add((path, line))
                if "seq_cst" in rule and "seq_cst" not in orders:
                    yield f"{path}:{line}: rule '{label}' needs seq_cst"
    for (path, label), (releases, acquires) in sides.items():
        alone = WITH_ITSELF.search(rules_of[path][label][1])
        if not any(alone or release != acquire for release in releases for acquire in acquires):
            yield f"{path}: rule '{label}' is not a pair"


if __name__ == "__main__":
    source.main("orderings", problems)
