# SPDX-License-Identifier: Apache-2.0
"""Quiet hours of what goes out: they hold, and outlive a kill."""
import sys

from installation import Installation, run
from steering import ADDRESSES, CONFIG, SLOW, keeps_quiet_and_goes_on


def quiet_hours_hold_what_goes_out(binary):
    with Installation(binary, {SLOW: []}, CONFIG) as stack:
        keeps_quiet_and_goes_on(stack, stack.bulk(ADDRESSES), stack.api)


if __name__ == "__main__":
    sys.exit(run(quiet_hours_hold_what_goes_out))
