# SPDX-License-Identifier: Apache-2.0
"""The API core through its public door: one engine, receivers that keep what arrives, all checks.

    api_test.py TODOKU [check names as unittest takes them, e.g. limit_checks.Limits]
"""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import door  # noqa: E402
from stack import Stack  # noqa: E402

MODULES = ("access_checks", "answer_checks", "tolerance_checks", "limit_checks", "type_checks",
           "state_checks", "import_checks", "transport_checks", "header_checks", "content_checks",
           "size_checks", "batch_checks", "openapi_checks", "idempotency_checks", "event_checks",
           "log_checks", "usage_checks",
           "domain_checks", "provisioning_checks")


class KeepingStack(Stack):
    """A stack whose receivers keep every mail."""

    def start_sink(self):
        (self.directory / "mails").mkdir()
        self.sink_config.append(f'store_directory = "{self.directory}/mails"')
        super().start_sink()


def main():
    receivers = {"fast.example": [], "other.example": []}
    # Deferred recipients stay deferred for as long as the checks run.
    config = ["[delivery]", "bulk_retry_seconds = [600]", "transactional_retry_seconds = [600]"]
    with KeepingStack(sys.argv[1], receivers, config) as stack:
        door.world.stack = stack
        suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[2:] or MODULES)
        result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
        if stack.engine.poll() is not None:
            print(f"the engine ended with {stack.engine.returncode}")
            return 1
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
