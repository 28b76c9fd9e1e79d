#!/usr/bin/env python3
"""Runs signal_test on each backend, sends it SIGINT, and looks at how it ends.

usage: signal_test.py PROGRAM EXPECTED

EXPECTED is the end of the output, from ctrl-c on; the lines of one actor come in order.
"""
import ctypes
import pathlib
import platform
import re
import signal
import subprocess
import threading

import check
import chat_room

ORDER = re.compile(r".*\[consumer\] order (\d+)")
UNREAD_TICK = re.compile(r".* dead letter \(unread\): Producer::Tick .*")  # it came as the producer ended
TEARDOWN = re.compile(r".*\[(?:producer|consumer)\] teardown after (\d+) orders")


def keeps_signals_back(program):
    """The thread sanitizer hands a signal on only when the thread that got it calls the C library.

    What is sent to a process goes to its main thread, which waits in the kernel for its actors.
    """
    return b"__tsan_init" in pathlib.Path(program).read_bytes()


def interrupt_a_thread(pid, heard):
    """Sends SIGINT to one thread after the other, until one has handed it on."""
    tgkill = {"x86_64": 234, "aarch64": 131}[platform.machine()]
    for thread in sorted(pathlib.Path(f"/proc/{pid}/task").iterdir()):
        status = (thread / "status").read_text(encoding="utf-8")
        blocked = int(re.search(r"SigBlk:\s*(\w+)", status)[1], 16) >> (signal.SIGINT - 1) & 1
        if blocked or int(thread.name) == pid:
            continue
        ctypes.CDLL(None).syscall(tgkill, pid, int(thread.name), int(signal.SIGINT))
        if heard.wait(1):
            return


def interrupted(program, backend):
    """The exit code and the lines of a run that is interrupted after its third order."""
    heard = threading.Event()
    with subprocess.Popen([program, backend, "5"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as run:
        limit = threading.Timer(check.TIME_LIMIT_S, run.kill)
        limit.start()
        lines = []
        waited_for = ["] press ctrl-c\n", "] order 3\n"]
        interrupts = False
        for line in run.stdout:
            lines.append(line.rstrip("\n"))
            if "] interrupted" in line:
                heard.set()
            waited_for = [mark for mark in waited_for if not line.endswith(mark)]
            if not waited_for and not interrupts:
                interrupts = True
                if keeps_signals_back(program):
                    threading.Thread(target=interrupt_a_thread, args=(run.pid, heard)).start()
                else:
                    run.send_signal(signal.SIGINT)
        limit.cancel()
        heard.set()
    print(*lines, sep="\n")
    return run.returncode, lines


def problems(program, expected):
    wanted = chat_room.by_actor(check.patterns(expected))
    for backend in ("async", "blocking", "thread"):
        code, lines = interrupted(program, backend)
        yield from check.exit_problems(code)
        lines = [line for line in lines if not UNREAD_TICK.fullmatch(line)]

        orders = [int(match[1]) for match in map(ORDER.fullmatch, lines) if match]
        if orders != list(range(1, len(orders) + 1)):
            yield f"{backend}: the consumer handles {orders}"
        ends = [int(match[1]) for match in map(TEARDOWN.fullmatch, lines) if match]
        if ends != [len(orders)] * 2:
            yield f"{backend}: the teardowns speak of {ends} orders, not twice {len(orders)}"

        found = chat_room.by_actor(line for line in lines if not ORDER.fullmatch(line))
        for actor in {**wanted, **found}:
            yield from check.differences(wanted.get(actor, []), found.get(actor, []),
                                         f"{backend}: {actor}: line")
        order = [line for line in lines if TEARDOWN.fullmatch(line) or "[main]" in line]
        if [chat_room.NAME.search(line)[1] for line in order] != ["main", "producer", "consumer",
                                                                 "main", "main"]:
            yield f"{backend}: the order of the end is {order}"
    code, _ = check.run(program, "nonsense")
    if code != 2:
        yield f"exit code {code} for a backend that does not exist, not 2"


if __name__ == "__main__":
    check.main(problems, __doc__)
