# SPDX-License-Identifier: Apache-2.0
"""What one node changes, or a tool that reaches the database only, holds on all within seconds:
keys of the API, accounts, DKIM keys.

usage: changes_test.py TODOKU
"""
import json
import re
import signal
import sys
import time

from on_postgres import FROM, QUICK, OnPostgres, check, check_equal, run
from api import Api, ApiError

SECONDS = 5  # within which everybody knows


def is_refused(api, status):
    try:
        api.call("GET", "/deliveries?size=1")
        api.call("POST", "/deliveries/bulk/begin", {"from": FROM, "subject": "s", "text_part": "t"})
    except ApiError as error:
        return f": {status} " in str(error)
    return False


class Nodes:
    """The first has all roles, the second takes requests only. `tool`: a configuration whose engine
    does not run."""

    def __init__(self, stack):
        self.stack = stack
        self.process, self.config, self.api = stack.start_api_node()
        self.tool, _ = stack.write_second("tool")

    def at(self, config, *words):
        status, said, _ = self.stack.run_other(config, *words)
        check_equal(status, 0, f"{words}, which said\n{said}\n")
        return said

    def settles(self, what, condition):
        began = time.monotonic()
        self.stack.wait_for(condition, what, SECONDS)
        print(f"{what}: after {time.monotonic() - began:.1f} s", flush=True)

    def new_key(self, config):
        said = self.at(config, "--json", "key", "add", "tester")
        token = re.search(r'"bearer_token": *"([^"]+)"', said)[1]
        number = re.search(r'"id": *(\d+)', said)[1]
        return token, number


def revoked_keys(nodes):
    first = nodes.stack.directory / "todoku.toml"
    here, there = nodes.stack.api.port, nodes.api.port
    for changed_by, port, what in ((first, there, "at the first, refused at the second"),
                                   (nodes.config, here, "at the second, refused at the first"),
                                   (nodes.tool, there, "by a tool, refused at the second")):
        token, number = nodes.new_key(changed_by)
        api = Api(port, token)
        nodes.settles(f"key made: {what.replace('refused', 'good')}",
                      lambda: not is_refused(api, 401))
        nodes.at(changed_by, "key", "revoke", "tester", number)
        nodes.settles(f"key revoked {what}", lambda: is_refused(api, 401))


def suspended_accounts(nodes):
    nodes.at(nodes.tool, "account", "suspend", "tester")
    for api, where in ((nodes.stack.api, "first"), (nodes.api, "second")):
        nodes.settles(f"account suspended by a tool, refused at the {where}",
                      lambda: is_refused(api, 423))
    nodes.at(nodes.tool, "account", "resume", "tester")
    nodes.settles("account resumed", lambda: not is_refused(nodes.api, 423))


def signatures(stack, address):
    """The selectors that signed the mail to `address`; None: it has not arrived."""
    for file in (stack.directory / "mail").glob("*.json"):
        if json.loads(file.read_text())["rcpt_to"] == [address]:
            head = file.with_suffix(".eml").read_bytes().partition(b"\r\n\r\n")[0]
            return re.findall(r"\bs=([a-z0-9]+)", re.sub(r"\r\n\s+", " ", head.decode()))
    return None


class Mails:
    """Accepted by the second node, sent by the first."""

    def __init__(self, nodes):
        self.nodes, self.stack, self.count = nodes, nodes.stack, 0

    def pinned(self):
        """By which keys the second has the next mail signed."""
        self.count += 1
        self.nodes.api.call("POST", "/deliveries/transaction", {
            "from": FROM, "to": self.last(), "subject": "s", "text_part": "t"})
        return self.stack.sql("SELECT signing FROM deliveries ORDER BY key DESC LIMIT 1")

    def last(self):
        return f"to{self.count}@one.example"

    def signed_by(self):
        self.stack.wait_for(lambda: signatures(self.stack, self.last()) is not None, self.last(),
                            15)
        return signatures(self.stack, self.last())


def dkim_keys(nodes):
    def generate(config, selector):
        nodes.at(config, "dkim", "generate", "--account", "tester", "--domain", "sender.example",
                 "--selector", selector, "--ed25519")

    mails = Mails(nodes)
    check_equal(mails.pinned(), "", "who signs before there is a key")
    generate(nodes.stack.directory / "todoku.toml", "first")
    nodes.settles("a key of the first signs what the second accepts",
                  lambda: mails.pinned() == "sender.example:first")
    check_equal(mails.signed_by(), ["first"], "signatures")
    # The second pins a key of its own at once, of which the first, which sends, hears later.
    generate(nodes.config, "second")
    check_equal(mails.pinned(), "sender.example:second", "pinned at once")
    check_equal(mails.signed_by(), ["second"], "signatures")
    check_equal(nodes.stack.metric("todoku_failures_total"), 0.0, "mails held up by a missing key")
    generate(nodes.tool, "tool")
    nodes.settles("a key that a tool has put into the database signs",
                  lambda: mails.pinned() == "sender.example:tool")
    check_equal(mails.signed_by(), ["tool"], "signatures")
    nodes.at(nodes.tool, "dkim", "remove", "--account", "tester", "--domain", "sender.example",
             "--selector", "tool")
    nodes.settles("a removed key signs no more",
                  lambda: mails.pinned() == "sender.example:second")
    check_equal(mails.signed_by(), ["second"], "signatures")


def changes_hold_everywhere(binary, server):
    stack = OnPostgres(binary, server, config=QUICK)
    stack.sink_config.append(f'store_directory = "{stack.directory}/mail"')
    with stack:
        nodes = Nodes(stack)
        revoked_keys(nodes)
        suspended_accounts(nodes)
        dkim_keys(nodes)
        nodes.process.send_signal(signal.SIGTERM)
        check_equal(nodes.process.wait(30), 0, "exit status of the second")


if __name__ == "__main__":
    sys.exit(run(changes_hold_everywhere))
