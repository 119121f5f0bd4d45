# SPDX-License-Identifier: Apache-2.0
"""How long a test waits before it says that something never comes."""
import time

# What the tests name is what an idle machine of two processors takes at most. A condition that holds
# ends the wait at once, so that a longer one costs only a test that fails.
BUSY = 5


def until(seconds):
    """The moment (time.monotonic) when waiting is given up."""
    return time.monotonic() + BUSY * seconds
