# SPDX-License-Identifier: Apache-2.0
"""pause, resume and stop said to one process hold in another, which sends.

usage: courses_test.py TODOKU
"""
import signal
import sys

from on_postgres import OnPostgres, check_equal, run
from steering import (ADDRESSES, CONFIG, SLOW, is_paused_and_goes_on, is_stopped_where_it_is,
                      progress)


def courses_hold_everywhere(binary, server):
    with OnPostgres(binary, server, receivers={SLOW: []}, config=CONFIG) as stack:
        second, _, api = stack.start_api_node()
        is_paused_and_goes_on(stack, stack.bulk(ADDRESSES), api)
        delivery = stack.bulk(ADDRESSES)
        is_stopped_where_it_is(stack, delivery, api, others=len(ADDRESSES))
        check_equal(progress(stack.api, delivery), progress(api, delivery), "what both say")
        second.send_signal(signal.SIGTERM)
        check_equal(second.wait(30), 0, "exit status of the second")


if __name__ == "__main__":
    sys.exit(run(courses_hold_everywhere))
