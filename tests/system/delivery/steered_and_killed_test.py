# SPDX-License-Identifier: Apache-2.0
"""pause, resume and stop at any moment, between kills: nothing starts while it is paused, and counts
are exact."""
import random
import sys

from installation import Installation, run
from steering import ADDRESSES, CONFIG, SLOW, is_ordered_about_between_kills


def orders_hold_at_whatever_moment(binary):
    seed = random.randrange(1_000_000)
    print(f"seed {seed}", flush=True)
    with Installation(binary, {SLOW: []}, CONFIG) as stack:
        is_ordered_about_between_kills(stack, stack.bulk(ADDRESSES), stack.api, random.Random(seed))


if __name__ == "__main__":
    sys.exit(run(orders_hold_at_whatever_moment))
