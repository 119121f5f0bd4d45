# SPDX-License-Identifier: Apache-2.0
"""pause, resume and stop said to one process hold in another, which sends; also while that one does
not see the database.

usage: courses_test.py TODOKU
"""
import signal
import sys

from on_postgres import DATABASE, USER, OnPostgres, check, check_equal, run
from api import Api, is_ready
from postgres_proxy import PostgresProxy
from steering import (ADDRESSES, CONFIG, SLOW, adds_up, is_paused_and_goes_on,
                      is_stopped_where_it_is, progress)

# Mails a second, so few that a lease of 13 seconds ends before unrecorded_max is reached.
LITTLE = 15


def courses_hold_everywhere(binary, server):
    with OnPostgres(binary, server, receivers={SLOW: []}, config=CONFIG) as stack:
        second, _, api = stack.start_api_node()
        is_paused_and_goes_on(stack, stack.bulk(ADDRESSES), api)
        delivery = stack.bulk(ADDRESSES)
        is_stopped_where_it_is(stack, delivery, api, others=len(ADDRESSES))
        check_equal(progress(stack.api, delivery), progress(api, delivery), "what both say")
        second.send_signal(signal.SIGTERM)
        check_equal(second.wait(30), 0, "exit status of the second")


class BehindProxy(OnPostgres):
    def __init__(self, binary, server, proxy, **more):
        super().__init__(binary, server, **more)
        self.config = [f'address = "{proxy.address(DATABASE, USER)}"'
                       if line.startswith("address = ") else line for line in self.config]

    def start_direct_node(self, proxy):
        """(process, API) of a node that sends nothing and sees the database whatever happens."""
        proxy.sees = b"direct"
        config, port = self.write_second(
            "direct", address=f'"{proxy.address(DATABASE, USER)} application_name=direct'
                              ' sslmode=disable"')
        with open(config, "a", encoding="utf-8") as file:
            file.write('[engine]\nroles = ["api"]\n')
        process = self.start_second(config, port, "direct")
        self.wait_for(lambda: is_ready(port) or process.poll() is not None, "the node")
        check(process.poll() is None, self.engine_log("direct"))
        return process, Api(port, self.api.token)


def arrivals_when_quiet(stack):
    """How many there are when three looks in a row, of more than a second, see no new one."""
    seen = [len(stack.log())]
    while len(seen) < 4 or len(set(seen[-4:])) > 1:
        seen.append(len(stack.settled_log()))
    return seen[-1]


def who_does_not_see_the_database_begins_nothing(binary, server):
    config = [line if not line.startswith("messages_per_second") else
              f"messages_per_second = {LITTLE}" for line in CONFIG]
    with PostgresProxy(server) as proxy, \
            BehindProxy(binary, server, proxy, receivers={SLOW: []}, config=config) as stack:
        process, api = stack.start_direct_node(proxy)
        delivery = stack.bulk(ADDRESSES)
        stack.await_arrivals(LITTLE)
        proxy.away = True  # nothing is refused or closed: what is sent never arrives
        check_equal(api.call("POST", f"/deliveries/{delivery}/stop"), {"delivery_id": delivery},
                    "the answer")
        before = len(stack.log())
        late = arrivals_when_quiet(stack) - before
        print(f"{late} mails after the stop", flush=True)
        # What it begins in a second, and what the log of arrivals may be behind.
        check(late < 3 * LITTLE, f"{late} mails after the stop")
        proxy.cut()
        proxy.come_back()
        stack.wait_for(lambda: progress(api, delivery)["state"] == "stopped", "its end", 60)
        told = progress(api, delivery)
        adds_up(told)
        check_equal(told["delivered"], len(stack.settled_log()), "those who arrived")
        process.send_signal(signal.SIGTERM)
        check_equal(process.wait(30), 0, "exit status of the other")


def all_of_it(binary, server):
    courses_hold_everywhere(binary, server)
    server.sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    server.sql(f"DROP ROLE {USER}")
    who_does_not_see_the_database_begins_nothing(binary, server)


if __name__ == "__main__":
    sys.exit(run(all_of_it))
