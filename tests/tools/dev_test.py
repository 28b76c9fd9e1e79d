"""tools/dev where it cannot do its work: a clear message and an exit code of its own."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

DEV = pathlib.Path(__file__).parents[2] / "tools" / "dev"
BASICS = ("bash", "cat", "dirname", "env", "g++", "grep", "nproc", "readlink", "uname")


def dev(*arguments, programs=None):
    """Runs tools/dev where there is nothing but the basics and the given scripts."""
    with tempfile.TemporaryDirectory() as folder:
        for name in BASICS:
            os.symlink(shutil.which(name), os.path.join(folder, name))
        for name, script in (programs or {}).items():
            path = pathlib.Path(folder, name)
            path.write_text(f"#!/bin/bash\n{script}\n")
            path.chmod(0o755)
        return subprocess.run([os.path.join(folder, "bash"), DEV, *arguments], capture_output=True,
                              text=True, cwd="/", env={"PATH": folder})


class Dev(unittest.TestCase):
    def assert_cannot_install(self, run, message):
        self.assertEqual(run.returncode, 3, run.stdout + run.stderr)
        self.assertIn(message, run.stderr)
        self.assertIn("ninja-build", run.stdout + run.stderr)

    def test_without_apt_it_names_what_to_install_by_hand(self):
        self.assert_cannot_install(dev("test"), "there is no apt-get here")

    def test_without_root_or_sudo_it_names_the_command_for_an_administrator(self):
        run = dev("demo", programs={"apt-get": "exit 0", "id": "echo 1000"})
        self.assert_cannot_install(run, "not root and no sudo")

    def test_a_failing_installation_is_reported(self):
        run = dev("bench", programs={"apt-get": '[ "$1" = update ]', "id": "echo 0"})
        self.assert_cannot_install(run, "apt-get could not install")

    def test_an_installation_without_effect_is_reported(self):
        run = dev("check", programs={"apt-get": "exit 0", "id": "echo 1000", "sudo": '"$@"'})
        self.assert_cannot_install(run, "still not usable")

    def test_wrong_usage_has_a_code_of_its_own(self):
        for arguments in (["no_such_command"], ["test", "--quick"], ["demo", "now"], ["model", "x"],
                          ["check", "x"]):
            self.assertEqual(dev(*arguments).returncode, 2, arguments)

    def test_help_names_every_command(self):
        run = dev("help")
        self.assertEqual(run.returncode, 0)
        for command in ("demo", "test", "bench", "model", "check", "setup", "help"):
            self.assertIn(f"\n  {command} ", run.stdout)


if __name__ == "__main__":
    unittest.main()
