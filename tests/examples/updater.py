#!/usr/bin/env python3
"""Runs the updater against a server on loopback that answers each GET with another text.

usage: updater.py PROGRAM EXPECTED
"""
import http.server
import threading

import check


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/news":
            self.send_error(404)
            return
        self.server.answered += 1
        body = f"news number {self.server.answered}".encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def problems(program, expected):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answered = 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        code, lines = check.run(program, f"{url}/news", "3", "20")
        yield from check.exit_problems(code)
        yield from check.differences(check.patterns(expected), lines)
        if server.answered != 3:
            yield f"{server.answered} requests reached the server, not 3"

        code, lines = check.run(program, f"{url}/old", "2", "20")
        yield from failure(code, lines, "Error: HTTP status 404", 2)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    code, lines = check.run(program, f"{url}/news", "1")
    yield from failure(code, lines, "Error: Connection refused", 1)
    code, lines = check.run(program)
    if code != 2:
        yield f"exit code {code} without an address, not 2"


def failure(code, lines, words, count):
    if code != 1:
        yield f"exit code {code} after a failed update, not 1"
    found = sum(words in line for line in lines)
    if found != count:
        yield f"{found} lines say {words!r}, not {count}"


if __name__ == "__main__":
    check.main(problems, __doc__)
