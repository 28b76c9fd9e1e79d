"""What the lints share: which files there are, and their text without comments and strings."""
import pathlib
import re
import sys

MODULES = ("runtime", "actors", "registry", "supervision")
EVERYTHING = (*MODULES, "cmake", "examples", "bench", "tests")

_BLANKED = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)


def files(root, folders):
    """Every .hpp and .cpp below the folders, as (path relative to root, text), in a fixed order."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.[hc]pp")):
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def code(text, keep_strings=False):
    """The text with comments and literals blanked out; lines and columns stay where they are."""
    def blank(match):
        if keep_strings and match.group()[0] != "/":
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())
    return _BLANKED.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def waived(text, offset, rule):
    """A `// waiver <rule>: reason` on the line of the offset, or on one of the two above it."""
    lines = text.splitlines()
    line = line_of(text, offset)
    return any(re.search(rf"// waiver {rule}: \S", near) for near in lines[max(0, line - 3):line])


def main(name, problems, note=lambda root: ""):
    """Runs a lint on the project, or on the folder given as the only argument."""
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    found = list(problems(root))
    print("\n".join(found) or f"{name}: ok{note(root)}")
    sys.exit(bool(found))
