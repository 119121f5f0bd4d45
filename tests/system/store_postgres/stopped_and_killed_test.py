# SPDX-License-Identifier: Apache-2.0
"""A bulk is stopped by one process while another that sends it is killed (system/delivery has the same
with one process).

usage: stopped_and_killed_test.py TODOKU
"""
import sys

from on_postgres import OnPostgres, run
from in_doubt import RECEIVERS, SITE_DEFAULTS, only_those_begun_are_in_doubt, stop


def a_kill_after_a_stop(binary, server):
    with OnPostgres(binary, server, receivers=RECEIVERS, site_defaults=SITE_DEFAULTS) as stack:
        delivery = stop(stack, stack.api)
        stack.kill_engine()
        stack.start_engine()
        only_those_begun_are_in_doubt(stack, delivery, stack.api)


if __name__ == "__main__":
    sys.exit(run(a_kill_after_a_stop))
