"""The check of the documents compiles what they show, the way they say."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).parents[1] / "docs" / "check.py"
COMPILER = shutil.which("g++") or shutil.which("clang++-19")


def snippets(page):
    """Checks a project whose guide is `page`; returns what is said."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in (("README.md", ""), ("docs/guide/page.md", page),
                           ("examples/readme/main.cpp", ""),
                           ("spawned/tasks.hpp", "#pragma once\nnamespace spawned::tasks { using T = int; }\n")):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        run = subprocess.run([sys.executable, "-B", CHECK, "snippets", root, COMPILER, "-std=c++20", f"-I{root}"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert ("blocks in" in run.stdout) and (run.returncode == 0) == (run.stdout.count("\n") == 1)
        return run.stdout


class Snippets(unittest.TestCase):
    def test_blocks_of_a_page_share_a_unit_and_not_their_names(self):
        page = ("<!-- preamble\n#include <string>\nstruct Shared {};\n-->\n"
                "```cpp\nsp::T f(Shared) { return 1; }\n```\n"
                "<!-- given: void g() { -->\n```cpp\nstd::string f;\n```\n"
                "```cpp\n#include <vector>\nint main() { std::vector<int> all; }\n```\n")
        self.assertIn("3 blocks in 2 units", snippets(page))

    def test_a_block_that_does_not_compile_is_named_by_its_line(self):
        self.assertIn("docs/guide/page.md:6:", snippets("words\n```cpp\nint a;\n```\n```cpp\nint b = c;\n```\n"))

    def test_a_block_that_must_fail_is_held_to_its_error(self):
        page = "```cpp fails: {}\n[[nodiscard]] int f();\nvoid g() {{ {}; }}\n```\n"
        self.assertIn("1 blocks in 1 units", snippets(page.format("nodiscard", "f()")))
        self.assertIn("compiles, and should fail", snippets(page.format("nodiscard", "(void)f()")))
        self.assertIn("does not say: nodiscard", snippets(page.format("nodiscard", "h()")))

    def test_what_is_left_out_has_a_reason_and_other_words_are_found(self):
        self.assertIn("without a reason", snippets("<!-- not compiled: -->\n```cpp\n?\n```\n```cpp\nint a;\n```\n"))
        self.assertIn("it is `cpp`", snippets("```cpp later\nint b;\n```\n```cpp\nint a;\n```\n"))


if __name__ == "__main__":
    unittest.main()
