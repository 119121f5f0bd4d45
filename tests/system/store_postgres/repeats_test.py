# SPDX-License-Identifier: Apache-2.0
"""Requests with an Idempotency-Key, made at two nodes at once: one carries them out, and both answer
the same. What a killed node has answered is answered by the other.

usage: repeats_test.py TODOKU
"""
import concurrent.futures
import http.client
import json
import signal
import sys

from on_postgres import FROM, QUICK, OnPostgres, check, check_equal, run

ROUNDS = 60
OTHERS = 4  # mails without a key beside each that has one


class Nodes:
    def __init__(self, stack):
        self.stack = stack
        self.process, self.config, other = stack.start_api_node()
        self.ports = stack.api.port, other.port
        self.pool = concurrent.futures.ThreadPoolExecutor(16)

    def ask(self, port, method, path, body=None, key=None):
        """(status, JSON, whether it is said to be a repeat)."""
        headers = {"Authorization": f"Bearer {self.stack.api.token}",
                   "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, f"/api/v1{path}", json.dumps(body or {}), headers)
            answer = connection.getresponse()
            return (answer.status, json.loads(answer.read()),
                    answer.getheader("Idempotency-Replayed") == "true")
        finally:
            connection.close()

    def at_both(self, method, path, body=None, key=None):
        waiting = [self.pool.submit(self.ask, port, method, path, body, key)
                   for port in self.ports]
        return [each.result() for each in waiting]


def mail(to):
    return {"from": FROM, "to": to, "subject": "s", "text_part": "t"}


def one_is_carried_out(answers, status, what):
    """Its content."""
    (one, content, _), (other, same, _) = answers
    check_equal([one, other], [status, status], f"{what}: {answers}")
    check_equal(content, same, f"{what}: what both answer")
    check_equal(sorted(each[2] for each in answers), [False, True], f"{what}: {answers}")
    return content


def transactions(nodes):
    path = "/deliveries/transaction"
    ids = set()
    for number in range(ROUNDS):
        beside = [nodes.pool.submit(nodes.ask, port, "POST", path, mail("beside@one.example"))
                  for port in nodes.ports for _ in range(OTHERS)]
        answers = nodes.at_both("POST", path, mail("once@one.example"), f"race-{number}")
        ids.add(one_is_carried_out(answers, 201, f"transaction {number}")["delivery_id"])
        check_equal({each.result()[0] for each in beside}, {201}, "mails beside it")
    check_equal(len(ids), ROUNDS, "deliveries")
    check_equal(nodes.stack.sql("SELECT count(*) FROM deliveries"),
                str(ROUNDS * (1 + 2 * OTHERS)), "what is stored")
    print(f"{ROUNDS} keys, each at two nodes at once: each accepted once", flush=True)


def bulks(nodes):
    for number in range(10):
        begun = one_is_carried_out(
            nodes.at_both("POST", "/deliveries/bulk/begin",
                          {"from": FROM, "subject": "s", "text_part": "t"}, f"begin-{number}"),
            201, "begin")
        delivery = begun["delivery_id"]
        one_is_carried_out(nodes.at_both("POST", f"/deliveries/{delivery}/emails",
                                         {"email": "bulk@two.example"}, f"add-{number}"), 201, "add")
        one_is_carried_out(nodes.at_both("PATCH", f"/deliveries/bulk/commit/{delivery}/immediate",
                                         key=f"commit-{number}"), 200, "commit")
        check_equal(nodes.stack.sql(f"SELECT total FROM deliveries WHERE id = {delivery}"), "1",
                    "recipients")


def answers_outlive_a_node(nodes):
    here, there = nodes.ports
    first = nodes.ask(there, "POST", "/deliveries/transaction", mail("kept@one.example"), "kept")
    nodes.process.send_signal(signal.SIGKILL)
    nodes.process.wait()
    again = nodes.ask(here, "POST", "/deliveries/transaction", mail("kept@one.example"), "kept")
    check_equal(again, (201, first[1], True), "the answer of the node that was killed")
    status, told, _ = nodes.ask(here, "POST", "/deliveries/transaction", mail("x@one.example"),
                                "kept")
    check_equal(status, 409, f"{told}")
    check("other contents" in told["error_messages"]["main"][0], f"{told}")


def requests_are_repeated(binary, server):
    with OnPostgres(binary, server, config=QUICK) as stack:
        nodes = Nodes(stack)
        transactions(nodes)
        bulks(nodes)
        answers_outlive_a_node(nodes)


if __name__ == "__main__":
    sys.exit(run(requests_are_repeated))
