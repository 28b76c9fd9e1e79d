#!/usr/bin/env python3
"""Holds docs/guidelines to its own form, and the waivers in the code to its rules.

A rule is a section `## G12: sentence` with a level, a reason, one bad and one good snippet of at most
ten lines each, and a line that says how it is enforced. The index in README.md repeats sentence, level
and enforcement. A waiver is `// waiver G12: reason`, for a rule that there is; they are counted.
"""
import collections
import re

import source

FOLDER = "docs/guidelines"
SECTION = re.compile(r"^## (G\d\d): (.+)$", re.M)
SNIPPET = re.compile(r"^(Bad|Good): [^\n]+(?:\n[^\n]+)*\n\n(?:<!--.*?-->\n)?"
                     r"```(?:cpp|text)\b[^\n]*\n(.*?)^```$", re.M | re.S)
ENFORCED = re.compile(r"^\*\*Enforced by\*\* (.+?)(?:\n\n|\Z)", re.M | re.S)
LEVEL = re.compile(r"^\*\*(Must|Should)\.\*\* \S", re.M)
ROW = re.compile(r"^\| \[(G\d\d)\]\(([\w.-]+)#[\w-]+\) \| (.+?) \| (\w+) \| (.+?) \|$", re.M)
WAYS = ("compiler", "tidy", "lint", "test", "review")
WAIVER = re.compile(r"// waiver (\w+)(:?)[ \t]*(\S?)")
LINES_MAX = 10


def ways(text):
    text = re.sub(r"\([^()]*\)", "", text)
    return [way for way in WAYS if re.search(rf"\b{way}\b", text)]


def rule_problems(name, head, body):
    """What a rule lacks; the ways it is enforced go to the caller."""
    sides = [(side, code.count("\n")) for side, code in SNIPPET.findall(body)]
    if [side for side, _ in sides] != ["Bad", "Good"]:
        yield f"{head}: {name} needs one bad and one good snippet, in this order"
    for side, lines in sides:
        if lines > LINES_MAX:
            yield f"{head}: {name}: the {side.lower()} snippet has {lines} lines, more than {LINES_MAX}"
    if not LEVEL.search(body):
        yield f"{head}: {name} has no level and reason: `**Must.** why` or `**Should.** why`"
    if not ENFORCED.search(body) or not ways(ENFORCED.search(body).group(1)):
        yield f"{head}: {name} does not say `**Enforced by**` one of {', '.join(WAYS)}"


def rules_of(root):
    """Yields (file, line, id, sentence, body) of each rule."""
    for path in sorted((root / FOLDER).glob("[0-9]*.md")):
        text = path.read_text(encoding="utf-8")
        heads = list(SECTION.finditer(text))
        for head, following in zip(heads, [*heads[1:], None]):
            body = text[head.end():following.start() if following else len(text)]
            yield path.name, source.line_of(text, head.start()), *head.groups(), body


def waivers(root):
    for path, text in source.files(root, source.EVERYTHING):
        for match in WAIVER.finditer(text):
            yield f"{path}:{source.line_of(text, match.start())}", *match.groups()


def count(root):
    counts = collections.Counter(name for _, name, _, _ in waivers(root))
    return "; waivers: " + (", ".join(f"{name} {counts[name]}" for name in sorted(counts)) or "none")


def problems(root):
    seen = {}
    for file, line, name, sentence, body in rules_of(root):
        head = f"{FOLDER}/{file}:{line}"
        if name in seen:
            yield f"{head}: there is a {name} already"
        yield from rule_problems(name, head, body)
        level, enforced = LEVEL.search(body), ENFORCED.search(body)
        seen[name] = (file, sentence, level and level.group(1).lower(),
                      ways(enforced.group(1)) if enforced else [])
    index = root / FOLDER / "README.md"
    rows = {row[0]: row[1:] for row in
            ROW.findall(index.read_text(encoding="utf-8") if index.exists() else "")}
    for name in sorted(seen.keys() | rows.keys()):
        file, sentence, level, enforced = rows.get(name, ("", "", "", ""))
        if seen.get(name) != (file, sentence, level, ways(enforced)):
            yield f"{FOLDER}/README.md: the index and the section of {name} differ"
    for where, name, colon, reason in waivers(root):
        if name not in seen or not colon or not reason:
            yield f"{where}: a waiver names a rule and a reason: `// waiver G12: why`"


if __name__ == "__main__":
    source.main("guidelines", problems, count)
