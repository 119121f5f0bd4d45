# SPDX-License-Identifier: Apache-2.0
"""SIGTERM drains: what is in flight ends, the rest waits in the store, and nothing goes twice."""
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from installation import QUICK, Installation, check, check_equal, check_exactly_once, run

DRAIN_SECONDS = 10


def answer_of(url):
    """(status, headers, body); status 0 without an answer."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()
    except OSError:
        return 0, {}, ""


def await_drain(stack):
    log = stack.directory / "engine.log"
    stack.wait_for(lambda: "draining" in log.read_text(), "the drain")


def drains_with_a_bulk_under_way(binary):
    addresses = [f"r{i}@{'one' if i % 2 else 'two'}.example" for i in range(1_500)]
    receivers = {"one.example": ["delay = { body = 0.05 }"],
                 "two.example": ["delay = { rcpt = 0.02 }"]}
    config = ["[engine]", f"drain_seconds = {DRAIN_SECONDS}"]
    with Installation(binary, receivers, config) as stack:
        delivery = stack.bulk(addresses)
        for stop in range(2):
            stack.await_arrivals(200 * (stop + 1))
            status, seconds = stack.terminate()
            check_equal(status, 0, "exit status")
            check(seconds < DRAIN_SECONDS, f"it took {seconds:.1f} s to drain")
            arrived = len(stack.settled_log())
            check(arrived < len(addresses), "all had gone out before the signal: test too slow")
            stack.start_engine()
        stack.settle(delivery, seconds=30)
        check_equal(stack.counts(delivery), (len(addresses), len(addresses), 0, 0), "counts")
        check_exactly_once(stack.settled_log(), addresses)
        check_equal(stack.report()["total"]["broken_off"], 0, "connections broken off")


def drains_while_idle(binary):
    with Installation(binary, {"one.example": []}) as stack:
        status, seconds = stack.terminate()
        check_equal(status, 0, "exit status")
        check(seconds < 3, f"it took {seconds:.1f} s")


def ends_in_time_though_a_receiver_does_not_answer(binary):
    receivers = {"mute.example": ["delay = { body = 300 }"], "one.example": []}
    with Installation(binary, receivers, ["[engine]", "drain_seconds = 2"]) as stack:
        waiting = stack.transaction("a@mute.example")
        done = stack.transaction("a@one.example")
        stack.settle(done)
        time.sleep(0.5)
        status, seconds = stack.terminate()
        check_equal(status, 0, "exit status")
        check(seconds < 2 + 4, f"it took {seconds:.1f} s")
        stack.start_engine()
        check_equal(stack.status_of(waiting), "SENDING", "status after the cut")


def says_what_was_cut_off_and_what_remains(binary):
    receivers = {"mute.example": ["delay = { body = 300 }"],
                 "later.example": ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "451 4.3.0 later"']}
    config = ["[engine]", "drain_seconds = 4"]
    with Installation(binary, receivers, config) as stack:
        for number in range(3):
            stack.transaction(f"out{number}@mute.example")
            stack.await_story(f"out{number}@mute.example", "The whole mail is out")
        stack.transaction("a@later.example")
        stack.await_story("a@later.example", "Attempt 1")
        drain = subprocess.Popen(
            [stack.binary, "--config", str(stack.directory / "todoku.toml"), "drain"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        story = stack.await_story("out0@mute.example", "The engine is draining")
        check("perhaps a second time" in story, story)
        story = stack.explain("a@later.example")
        check("the engine is draining and stops: attempt 2" in story, story)
        check("エンジンは停止の準備中" in stack.explain("a@later.example", "ja"), "in Japanese")
        said = drain.communicate(timeout=600)[0]
        check_equal(drain.returncode, 0, said)
        check("It has stopped. 3 mails were out and without an answer" in said, said)
        check("4 recipients remain to go; they go on after the next start." in said, said)
        stack.engine.wait(60)
        story = stack.explain("out0@mute.example")
        check("It is sent again, so it may arrive twice." in story, story)
        stack.engine = None
        stack.restart_sink({domain: [] for domain in receivers})
        stack.start_engine()
        stack.wait_for(lambda: "bulk" in stack.command("status"), "the engine")
        said = stack.command("drain")
        check("It has stopped. No mail is in doubt." in said, said)
        stack.engine.wait(60)
        stack.engine = None


def a_dialogue_that_is_cut_off_is_no_attempt(binary):
    # With CHUNKING the content would be out, and the mail in doubt.
    receivers = {"mute.example": ['without = ["CHUNKING"]', "delay = { rcpt = 300 }"],
                 "silent.example": ["delay = { connect = 300 }"],
                 "stalled.example": ['tls = "stalled"']}
    config = [*QUICK, "[engine]", "drain_seconds = 1"]
    with Installation(binary, receivers, config) as stack:
        sent = {domain: stack.transaction(f"a@{domain}") for domain in receivers}
        stack.wait_for(lambda: stack.metric("todoku_smtp_connections") == len(receivers),
                       "connections")
        time.sleep(0.5)
        status, seconds = stack.terminate()
        check_equal(status, 0, "exit status")
        check(seconds < 1 + 4, f"it took {seconds:.1f} s")
        for domain in receivers:
            story = stack.explain(f"a@{domain}")
            check("Attempt" not in story and "put back" not in story, story)
        stack.engine = None  # nobody is to miss it while the sink begins anew
        stack.restart_sink({domain: [] for domain in receivers})
        stack.start_engine()
        stack.settle(*sent.values(), seconds=5)
        for domain, delivery in sent.items():
            check_equal(stack.counts(delivery), (1, 1, 0, 0), f"counts of {domain}")
            check("Attempt 1" in stack.explain(f"a@{domain}"), "it is the first attempt")


def who_asks_again_gets_the_drain_that_is_under_way(binary):
    addresses = [f"r{i}@slow.example" for i in range(5)]
    config = [*QUICK, "[engine]", f"drain_seconds = {DRAIN_SECONDS}"]
    with Installation(binary, {"slow.example": ["delay = { body = 3 }"]}, config) as stack:
        for address in addresses:
            stack.transaction(address)
        for address in addresses:
            stack.await_story(address, "The whole mail is out")
        drains = []
        for _ in range(3):
            drains.append(subprocess.Popen(
                [stack.binary, "--config", str(stack.directory / "todoku.toml"), "drain"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
            time.sleep(0.3)
            stack.engine.send_signal(signal.SIGTERM)
        for drain in drains:
            said = drain.communicate(timeout=600)[0]
            check_equal((drain.returncode, "It has stopped." in said), (0, True), said)
        check_equal(stack.engine.wait(60), 0, "exit status")
        stack.engine = None
        stack.start_engine()
        stack.wait_for(lambda: len(stack.settled_log()) >= len(addresses), "the mails")
        check_exactly_once(stack.settled_log(), addresses)


def its_address_tells_that_it_stops(binary):
    config = [*QUICK, "[engine]", f"drain_seconds = {DRAIN_SECONDS}"]
    with Installation(binary, {"slow.example": ["delay = { body = 4 }"]}, config) as stack:
        stack.transaction("a@slow.example")
        stack.await_story("a@slow.example", "The whole mail is out")
        stack.engine.send_signal(signal.SIGTERM)
        base = f"http://127.0.0.1:{stack.api_port}"
        # Said before the roles are told; from then on each address changes at a moment of its own,
        # and at none does nobody answer.
        await_drain(stack)
        for path, status, words in (("/readyz", 503, "it is stopping"), ("/healthz", 200, ""),
                                    ("/api/v1/deliveries", 503, "stopping")):
            got, head, body = answer_of(base + path)
            while got != status and stack.engine.poll() is None:
                check(got != 0, f"{path}: nobody listened")
                got, head, body = answer_of(base + path)
            check_equal((got, words in body), (status, True), f"{path}: {body}")
            if path.startswith("/api"):
                check(int(head["Retry-After"]) > 0, head)
        check(stack.engine.poll() is None, "it drained too quickly to be looked at")
        check_equal(stack.engine.wait(DRAIN_SECONDS), 0, "exit status")
        stack.engine = None
        check_exactly_once(stack.settled_log(), ["a@slow.example"])


if __name__ == "__main__":
    sys.exit(run(drains_with_a_bulk_under_way, drains_while_idle,
                 who_asks_again_gets_the_drain_that_is_under_way,
                 its_address_tells_that_it_stops,
                 ends_in_time_though_a_receiver_does_not_answer,
                 says_what_was_cut_off_and_what_remains,
                 a_dialogue_that_is_cut_off_is_no_attempt))
