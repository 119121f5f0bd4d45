# SPDX-License-Identifier: Apache-2.0
"""How much of a long proof is done: a part of it in `./test`, all of it in `./test --whole`."""
import os
import unittest

WHOLE = os.environ.get("TODOKU_WHOLE") == "1"
only_whole = unittest.skipUnless(WHOLE, "a part of ./test --whole")
