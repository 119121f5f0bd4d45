# SPDX-License-Identifier: Apache-2.0
"""Of a bulk that is stopped and whose process is killed only those are told as in doubt whose mail may
have been begun, not whole batches."""
import sys

from installation import Installation, run
from in_doubt import (ADDRESSES, CONNECTIONS, RECEIVERS, SITE_DEFAULTS,
                      only_those_begun_are_in_doubt, stop)


def a_kill_after_a_stop(binary):
    with Installation(binary, RECEIVERS, site_defaults=SITE_DEFAULTS) as stack:
        delivery = stop(stack, stack.api)
        stack.kill_engine()
        stack.start_engine()
        only_those_begun_are_in_doubt(stack, delivery, stack.api)


def a_stop_after_a_kill(binary):
    """The mail goes on after it, and is stopped only then: who was begun before and has not had its turn
    again is in doubt, nobody else."""
    with Installation(binary, RECEIVERS, site_defaults=SITE_DEFAULTS) as stack:
        delivery = stack.bulk(ADDRESSES)
        stack.await_arrivals(3 * CONNECTIONS)
        stack.kill_engine()
        stack.start_engine()
        stack.api.call("POST", f"/deliveries/{delivery}/stop")
        stack.kill_engine()
        stack.start_engine()
        only_those_begun_are_in_doubt(stack, delivery, stack.api)


if __name__ == "__main__":
    sys.exit(run(a_kill_after_a_stop, a_stop_after_a_kill))
