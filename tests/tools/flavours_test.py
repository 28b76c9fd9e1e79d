"""The comparison of the examples' two flavours lets the agreed substitutions through, and no more."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).parents[1] / "examples" / "flavours.py"
TASKS = """// A demo.
#include <spawned/tasks.hpp>
namespace sp = spawned::tasks;
sp::Task<std::vector<std::pair<int, A>>> demo() { auto reply = co_await ask("co_await //"); co_return reply; }
int main() { sp::run(demo); }
"""
THREADS = """#include <spawned/threads.hpp>
namespace sp = spawned::threads;
std::vector<std::pair<int, A>> demo() {  // which blocks
  auto reply = ask("co_await //");
  return reply;
}
int main() { sp::run(demo); }
"""


def compare(tasks, threads, more=()):
    """What is said of an example with these two texts; empty: they agree."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in (("demo/main.cpp", tasks), ("demo_threads/main.cpp", threads), *more):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        run = subprocess.run([sys.executable, "-B", CHECK, root], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        assert (run.returncode == 0) == (not run.stderr)
        return run.stderr


class Flavours(unittest.TestCase):
    def test_the_substitutions_comments_and_white_space_are_free(self):
        self.assertEqual(compare(TASKS, THREADS), "")

    def test_any_other_difference_is_named_by_its_line(self):
        self.assertIn("demo_threads/main.cpp:4: expected ask (",
                      compare(TASKS, THREADS.replace("ask(", "ask_twice(")))
        self.assertIn("co_await //", compare(TASKS, THREADS.replace('"co_await //"', '"//"')))

    def test_a_text_that_ends_early_or_late_differs(self):
        self.assertIn("ends early", compare(TASKS, THREADS.replace("int main() { sp::run(demo); }", "")))
        self.assertIn("expected the end", compare(TASKS, THREADS + "int more;\n"))

    def test_a_file_of_one_flavour_only_is_a_difference(self):
        self.assertIn("more.hpp is in one flavour only",
                      compare(TASKS, THREADS, [("demo/more.hpp", "int more;\n")]))

    def test_one_include_and_one_alias_is_all(self):
        self.assertIn("occurs 2 times, not 1",
                      compare("namespace sp = spawned::tasks;\n" + TASKS,
                              "namespace sp = spawned::threads;\n" + THREADS))

    def test_what_is_left_of_coroutines_is_a_difference(self):
        self.assertIn("1 left over of", compare(TASKS + "void f() { co_yield 1; }\n",
                                                     THREADS + "void f() { co_yield 1; }\n"))

    def test_nothing_to_compare_is_a_mistake(self):
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run([sys.executable, "-B", CHECK, folder], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
            self.assertIn("no example has two flavours", run.stderr)


if __name__ == "__main__":
    unittest.main()
