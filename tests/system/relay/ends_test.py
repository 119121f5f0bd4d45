# SPDX-License-Identifier: Apache-2.0
"""What ends while a transaction is under way: the right of its client to it, and the engine itself.

A message is judged when it is handed in, not when it was begun. A stop waits for content that is
under way, for half of its time at most, and for nobody else; meanwhile no mail is begun.
"""
import contextlib
import signal
import socket
import sys
import time

from relay_test import FROM, MESSAGE, Relay, check, check_equal, run

DRAIN_SECONDS = 16  # half of it for messages that are awaited
IDLE_CLIENTS = 300


def begun(stack, login):
    client = stack.connect(login)
    check_equal(client.mail(FROM)[0], 250, "MAIL")
    check_equal(client.rcpt("a@receiver.example")[0], 250, "RCPT")
    return client


def in_content(stack, login):
    client = begun(stack, login)
    check_equal(client.docmd("DATA")[0], 354, "DATA")
    client.send(MESSAGE[:100])
    return client


def stop(stack):
    """SIGTERM; returns when the doors are closed."""
    stack.engine.send_signal(signal.SIGTERM)

    def is_closed():
        try:
            socket.create_connection(("127.0.0.1", stack.starttls), 1).close()
            return False
        except OSError:
            return True
    stack.wait_for(is_closed, "a door that is closed")


def what_is_taken_away_within_a_message_does_not_hold(binary):
    with Relay(binary) as stack:
        password = stack.credential("kept")
        for name, code, order in (
                ("revoked", 535, ("smtp-credential", "revoke", "tester", "revoked")),
                ("held", 451, ("smtp-credential", "hold", "tester", "held")),
                ("kept", 535, ("account", "suspend", "tester"))):
            secret = password if name == "kept" else stack.credential(name)
            with begun(stack, (name, secret)) as client:
                stack.command(*order)
                answer, text = client.data(MESSAGE)
                check_equal(answer, code, f"{name}: {text}")
        check_equal(stack.settled_log(), [], "arrivals")
        stack.command("account", "resume", "tester")
        with begun(stack, ("kept", password)) as client:
            check_equal(client.data(MESSAGE)[0], 250, "what nothing was taken away from")


def idle_clients_do_not_hold_a_stop(binary):
    with Relay(binary) as stack:
        login = ("shop", stack.credential("shop"))
        idle = stack.connect(login)
        waiting = begun(stack, login)
        refused = begun(stack, login)
        check_equal(refused.docmd("DATA")[0], 354, "DATA")
        refused.send(b"a bare\nLF\r\n.\r\n")  # nothing of it is given to anybody
        check_equal(refused.getreply()[0], 550, "a bare LF")
        status, seconds = stack.terminate()
        check_equal(status, 0, "exit status")
        check(seconds < 12, f"it took {seconds:.1f} s")
        for client in (idle, waiting, refused):
            check_equal(client.getreply()[0], 421, "the farewell")


def hundreds_of_idle_clients_under_tls_are_served_and_told(binary):
    with Relay(binary, ["connections_per_network_max = 0"]) as stack:
        login = ("shop", stack.credential("shop", "--connections", "0"))
        with contextlib.ExitStack() as all_of_them:
            clients = [all_of_them.enter_context(stack.connect(login)) for _ in range(IDLE_CLIENTS)]
            check_equal([client.noop()[0] for client in clients], [250] * IDLE_CLIENTS, "NOOP")
            check_equal(clients[-1].sendmail(FROM, ["a@receiver.example"], MESSAGE), {}, "a mail")
            check_equal(clients[0].sendmail(FROM, ["b@receiver.example"], MESSAGE), {}, "a mail")
            stack.await_mails(2)
            stop(stack)
            told = [client.getreply()[0] for client in clients]
            check_equal(told, [421] * IDLE_CLIENTS, "what they are told at its end")
            check_equal([client.file.read(1) for client in clients], [b""] * IDLE_CLIENTS, "their end")
            check_equal(stack.engine.wait(timeout=600), 0, "the engine's end")


def a_message_under_way_is_taken_to_its_end(binary):
    with Relay(binary) as stack:
        client = in_content(stack, ("shop", stack.credential("shop")))
        stop(stack)
        client.send(MESSAGE[100:] + b".\r\n")
        check_equal(client.getreply()[0], 250, "the message")
        check_equal(client.getreply()[0], 421, "the farewell")
        check_equal(stack.engine.wait(20), 0, "exit status")
        stack.start_engine()
        stack.await_mails(1)


def delivery_begins_nothing_while_a_message_is_awaited(binary):
    addresses = [f"r{number}@receiver.example" for number in range(2_000)]
    with Relay(binary, ["[engine]", f"drain_seconds = {DRAIN_SECONDS}"],
               {"receiver.example": ["delay = { body = 0.02 }"]}) as stack:
        silent = in_content(stack, ("shop", stack.credential("shop")))
        delivery = stack.bulk(addresses)
        stack.await_arrivals(100)
        stop(stack)
        before = len(stack.settled_log())
        began = time.monotonic()
        stack.engine.wait(100)
        seconds = time.monotonic() - began
        check(seconds < DRAIN_SECONDS - 1, f"it took {seconds:.1f} s more")
        check_equal(silent.getreply()[0], 421, "the farewell")
        arrived = [entry["rcpt_to"] for entry in stack.settled_log()]
        check_equal(len(arrived), before, "arrivals after the doors have closed and a second more")
        check(before < len(addresses), "all had gone out before the signal: test too slow")
        stack.start_engine()
        stack.settle(delivery, seconds=60)
        arrived = [entry["rcpt_to"] for entry in stack.settled_log()]
        check_equal(sorted(arrived), sorted(addresses), "arrivals")


if __name__ == "__main__":
    sys.exit(run(hundreds_of_idle_clients_under_tls_are_served_and_told,
                 what_is_taken_away_within_a_message_does_not_hold,
                 idle_clients_do_not_hold_a_stop, a_message_under_way_is_taken_to_its_end,
                 delivery_begins_nothing_while_a_message_is_awaited))
