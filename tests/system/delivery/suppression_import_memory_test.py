# SPDX-License-Identifier: Apache-2.0
"""A suppression list of millions of rows, bad or good, is read in little memory, and others are
answered meanwhile."""
import http.client
import json
import re
import sys
import threading

from installation import Installation, check, check_equal, run
from api import Api  # installation knows where it is

MIB = 1024 * 1024
OCTETS = 2 * MIB  # of two a row: held as rows they would be a hundred times that


def peak(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) * 1024


def load(port, token, octets):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/api/v1/suppressions/import", octets,
                       {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"})
    answer = connection.getresponse()
    text = answer.read().decode()
    check_equal(answer.status, 200, text[:1000])
    return json.loads(text)


def lists_are_read_in_pieces(binary):
    with Installation(binary, {"one.example": []}) as stack:
        token = stack.api.token
        before = peak(stack.engine.pid)
        answers = []

        def load_bad_rows():
            answers.append(load(stack.api_port, token, b"a\n" * (OCTETS // 2)))
        loading = threading.Thread(target=load_bad_rows)
        loading.start()
        meanwhile = 0
        while loading.is_alive():
            Api(stack.api_port, token).call("GET", "/suppressions")
            meanwhile += 1
        loading.join()
        told = answers.pop()
        check_equal((told["added"], told["failed"]), (0, OCTETS // 2), "rows")
        check_equal([one["row"] for one in told["errors"]], list(range(1, 101)), "errors")
        check(meanwhile > 0, "nobody was answered meanwhile")
        line = b"user%07d@one.example,unsubscribe\n"
        good = b"email,reason\n" + b"".join(line % i for i in range(50_000))
        check_equal(load(stack.api_port, token, good)["added"], 50_000, "good rows")
        grown = peak(stack.engine.pid) - before
        print(f"{grown / MIB:.0f} MiB more, {meanwhile} requests answered meanwhile")
        check(grown < 64 * MIB, f"{grown / MIB:.0f} MiB more")
        check_equal(stack.metric("todoku_unhandled_exceptions_total"), 0.0, "exceptions")


if __name__ == "__main__":
    sys.exit(run(lists_are_read_in_pieces))
