# SPDX-License-Identifier: Apache-2.0
"""The API core through its public door: one engine, receivers that keep what arrives, all checks.

    api_test.py TODOKU [--postgres] [check names as unittest takes them, e.g. limit_checks.Limits]

`all` stands for every check in `./test --whole`, else for those whose answers the store decides. With --postgres
the store is on a server of the test's own.
"""
import contextlib
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parent / "store_postgres")]

import door  # noqa: E402
from stack import Stack  # noqa: E402
from on_postgres import OnPostgres  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from whole import WHOLE  # noqa: E402

MODULES = ("access_checks", "answer_checks", "tolerance_checks", "limit_checks", "type_checks",
           "state_checks", "import_checks", "list_checks", "transport_checks", "header_checks", "content_checks",
           "size_checks", "batch_checks", "openapi_checks", "idempotency_checks", "event_checks",
           "log_checks", "usage_checks", "suppression_checks", "template_checks", "open_checks",
           "unsubscribe_checks", "personal_checks",
           "domain_checks", "provisioning_checks", "waiting_checks", "verb_checks",
           "inline_checks", "report_checks", "preview_checks", "reference_checks")
# What takes longer is a test of its own.
LONGER = ("bad_input_checks", "tenancy_checks", "webhook_checks")
# What the store decides, and not the API before it.
OF_THE_STORE = ("access_checks", "state_checks", "import_checks", "batch_checks", "idempotency_checks",
                "event_checks", "log_checks", "usage_checks", "suppression_checks", "template_checks",
                "personal_checks", "provisioning_checks", "verb_checks", "reference_checks", "tenancy_checks")


class Keeping:
    """A stack whose receivers keep every mail."""

    def start_sink(self):
        (self.directory / "mails").mkdir()
        self.sink_config.append(f'store_directory = "{self.directory}/mails"')
        super().start_sink()


def kind_of_stack(on_postgres):
    """How to make another installation on the same kind of store: kind(mixin, receivers, config) for
    a `with`."""
    @contextlib.contextmanager
    def make(mixin, receivers=(("fast.example", []),), config=()):
        with contextlib.ExitStack() as held:
            base, server = Stack, ()
            if on_postgres:
                base, server = OnPostgres, (held.enter_context(PostgresServer()),)
            kind = type(f"{mixin.__name__}{base.__name__}", (mixin, base), {})
            yield held.enter_context(kind(sys.argv[1], *server, receivers=dict(receivers),
                                          config=config))
    return make


def main():
    words = [word for word in sys.argv[2:] if word != "--postgres"]
    everything = MODULES + LONGER if WHOLE else OF_THE_STORE
    names = everything if words == ["all"] else words or MODULES
    door.world.stack_like = kind_of_stack(on_postgres=words != sys.argv[2:])
    receivers = {"fast.example": [], "other.example": [],
                 "gone.example": ["[[receiver.rule]]", 'at = "rcpt"',
                                  'reply = "550 5.1.1 no such user"'],
                 "disliked.example": ["[[receiver.rule]]", 'at = "rcpt"',
                                      'reply = "550 5.7.1 your address has a poor reputation"'],
                 "later.example": ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "451 4.3.0 later"']}
    # Deferred recipients stay deferred for as long as the checks run.
    config = ["[limits]", "stream_bytes_max = 4194304", "[delivery]", "bulk_retry_seconds = [600]",
              "transactional_retry_seconds = [600]"]
    with door.world.stack_like(Keeping, receivers, config) as stack:
        door.world.stack = stack
        suite = unittest.defaultTestLoader.loadTestsFromNames(names)
        result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
        if stack.engine.poll() is not None:
            print(f"the engine ended with {stack.engine.returncode}")
            return 1
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
