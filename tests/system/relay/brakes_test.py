# SPDX-License-Identifier: Apache-2.0
"""Brakes of the relay: limits answer with their codes and end by themselves; a credential that is
held, by hand or for being odd, hands in nothing new and loses nothing that was accepted.

    brakes_test.py TODOKU [--postgres]
"""
import pathlib
import re
import sys
import time

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / folder) for folder in ("support", "store_postgres", "delivery")]

from installation import check, check_equal, run  # noqa: E402
from on_postgres import OnPostgres  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from ports import free_port  # noqa: E402
from relay_test import FROM, MESSAGE, Relay, refused  # noqa: E402

SERVER = None  # with --postgres
LATER = ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "451 4.3.0 later"']
UNKNOWN = ["[[receiver.rule]]", 'at = "rcpt"', 'reply = "550 5.1.1 no such user"']


class Below(OnPostgres):
    def __init__(self, binary, receivers, config, **more):
        super().__init__(binary, SERVER, receivers, config=config, **more)


class RelayOnPostgres(Relay, Below):
    pass


def relay(binary, extra=(), receivers=None):
    return (Relay if SERVER is None else RelayOnPostgres)(binary, extra, receivers)


def hand_in(client, *recipients, message=MESSAGE):
    client.rset()
    code, text = client.mail(FROM)
    for each in recipients:
        if code == 250:
            code, text = client.rcpt(each)
    if code == 250:
        code, text = client.data(message)
    return code, text.decode()


def taken(client, *recipients, message=MESSAGE):
    code, text = hand_in(client, *recipients, message=message)
    check_equal(code, 250, f"the answer ({text})")
    return int(re.search(r"delivery (\d+)", text).group(1))


def addresses(count, prefix="r"):
    return [f"{prefix}{number}@receiver.example" for number in range(count)]


def limits_answer_and_end_by_themselves(binary):
    limited = free_port()
    listener = Relay.listener(limited, "messages_per_minute = 1", "connections_max = 1")
    with relay(binary, listener) as stack:
        options = {"messages": ("--messages-per-minute", "2"),
                   "recipients": ("--recipients-per-minute", "2"),
                   "octets": ("--bytes-per-minute", "1000")}
        clients = {name: stack.connect((name, stack.credential(name, *terms)))
                   for name, terms in options.items()}
        there = stack.connect(("free", stack.credential("free")), limited)
        began = time.monotonic()

        # What fails, or is broken off, uses up nothing.
        for _ in range(3):
            unfit = MESSAGE.replace(b"X-Odd:", b"no field at all\r\nX-Odd:")
            code, text = hand_in(clients["messages"], "a@receiver.example", message=unfit)
            check(code == 550 and "5.6.0" in text, text)
            clients["messages"].rset()
            check_equal(clients["messages"].mail(FROM)[0], 250, "MAIL")
            for name in ("recipients", "messages"):
                clients[name].rset()
            check_equal(clients["recipients"].mail(FROM)[0], 250, "MAIL")
            check_equal(clients["recipients"].rcpt("a@receiver.example")[0], 250, "RCPT")
        for _ in range(2):
            taken(clients["messages"], "a@receiver.example")
        taken(clients["recipients"], *addresses(2))
        taken(clients["octets"], "a@receiver.example", message=MESSAGE + b"x" * 800 + b"\r\n")
        taken(there, "a@receiver.example")

        wanted = {"messages": "4.7.1 Too many messages of this credential",
                  "recipients": "4.7.1 Too many recipients of this credential",
                  "octets": "4.7.1 Too many octets of this credential"}
        for name, words in wanted.items():
            code, text = hand_in(clients[name], "a@receiver.example")
            check_equal((code, text[:len(words)]), (451, words), name)
            check(re.search(r"try again in \d+ s", text), text)
        clients["octets"].rset()
        code, text = clients["octets"].mail(FROM, ["size=900"])
        check_equal(code, 451, f"a SIZE that does not fit ({text})")
        code, text = hand_in(there, "a@receiver.example")
        check(code == 451 and "4.3.2 Too many messages of this listener" in text, text)
        refused(lambda: stack.connect(port=limited), 421)

        # Asked again and again, and never counted while it is refused.
        waiting = dict(clients, listener=there)
        while waiting:
            check(time.monotonic() - began < 75, f"still refused: {list(waiting)}")
            waiting = {name: client for name, client in waiting.items()
                       if hand_in(client, "b@receiver.example")[0] != 250}
            time.sleep(0.5)
        check(time.monotonic() - began > 50, "a minute was over too soon")


def limits_of_accounts_and_networks_answer(binary):
    with relay(binary, ["account_connections_max = 2", "account_recipients_per_minute = 4",
                        "network_bytes_per_minute = 4000"]) as stack:
        password = stack.credential("shop")
        other = stack.credential("other")
        with stack.connect(("shop", password)) as one, stack.connect(("other", other)) as two:
            text = refused(lambda: stack.connect(("shop", password)), 454)
            check(b"connections of this account" in text, text)
            taken(one, *addresses(2))
            code, text = hand_in(two, *addresses(3))
            check(code == 451 and "4.7.1 Too many recipients of this account" in text, text)
            # Of the two that were taken the message goes on.
            two.send(b"BDAT 5000\r\n" + b"x" * 5000)
            two.getreply()
            code, text = hand_in(one, "z@receiver.example")
            check(code == 451 and "4.7.1 Too many octets of this network" in text, text)


def events_of(stack, *kinds):
    answer = stack.api.call("GET", "/events?" + "&".join(f"kind[]={kind}" for kind in kinds))
    return answer["data"]


def a_held_credential_loses_nothing(binary):
    receivers = {"receiver.example": LATER}
    with relay(binary, receivers=receivers) as stack:
        password = stack.credential("shop")
        other = stack.credential("other")
        mails = 6
        with stack.connect(("shop", password)) as client, stack.connect(("other", other)) as two:
            kept = [taken(client, f"r{number}@receiver.example") for number in range(mails)]
            not_held = taken(two, "o@receiver.example")
            bulk = taken(client, *addresses(60, "bulk"))
            with stack.connect(("thief", stack.credential("thief"))) as client_of_thief:
                stolen = taken(client_of_thief, "t0@receiver.example", "t1@receiver.example")
            stack.command("smtp-credential", "hold", "tester", "thief")
            said = stack.command("smtp-credential", "drop", "tester", "thief")
            check("2 recipients of 1 deliveries were cancelled" in said, said)
            check_equal(stack.status_of(stolen), "SENT", "what was dropped")
            stack.command("smtp-credential", "hold", "tester", "shop", "--because",
                          "a strange evening")
            stack.restart_sink({"receiver.example": []})
            stack.settle(not_held, seconds=60)

            code, text = hand_in(client, "new@receiver.example")
            check(code == 451 and re.search(
                r"^4\.7\.1 Mail of this user name is held since 20.*: a strange evening; its owner "
                r"can release it", text), text)
            check("held since" in stack.command("smtp-credential", "list"), "the list")
            check("a strange evening" in stack.command("smtp-credential", "show", "tester", "shop"),
                  "what is shown")
            stack.await_story("r0@receiver.example", "the SMTP credential shop is held")

            stack.kill_engine()
            stack.start_engine()
            with stack.connect(("shop", password)) as again:
                check_equal(hand_in(again, "new@receiver.example")[0], 451, "after kill -9")
            stack.settled_log()
            check_equal({entry["rcpt_to"] for entry in stack.log()},
                        {"o@receiver.example"}, "who got mail")
            for delivery in (*kept, bulk):
                check_equal(stack.status_of(delivery), "SENDING", f"delivery {delivery}")

        stack.command("smtp-credential", "release", "tester", "shop")
        stack.settle(*kept, bulk, seconds=120)
        stack.await_arrivals(1 + mails + 60)
        wanted = {f"r{number}@receiver.example" for number in range(mails)}
        wanted |= set(addresses(60, "bulk")) | {"o@receiver.example"}
        got = [entry["rcpt_to"] for entry in stack.log()]
        check_equal((set(got), len(got)), (wanted, len(wanted)), "who got mail, each once")
        with stack.connect(("shop", password)) as client:
            taken(client, "new@receiver.example")
        told = events_of(stack, "credential_held", "credential_released")
        check_equal([(each["kind"], each["credential"], each["because"]) for each in told
                     if each["credential"] == "shop"],
                    [("credential_held", "shop", "a strange evening"),
                     ("credential_released", "shop", "")], "what the owner is told")


def what_is_odd_is_held(binary):
    anomaly = ["[smtp_in.anomaly]", "young_volume_floor = 20", "volume_floor = 20",
               "unknown_users_min = 5"]
    with relay(binary, anomaly, {"receiver.example": [], "gone.example": UNKNOWN}) as stack:
        password = stack.credential("shop")
        with stack.connect(("shop", password)) as client:
            taken(client, *addresses(20))
            stack.await_mails(20)
            code, text = hand_in(client, "one@receiver.example")
            check(code == 451 and "21 recipients in this hour" in text, text)
            check_equal(stack.metric("todoku_smtp_in_holds_total", kind="volume"), 1.0, "holds")
            told, = events_of(stack, "credential_held")
            check("21 recipients in this hour" in told["because"], told)
            stack.command("smtp-credential", "release", "tester", "shop")
            taken(client, "one@receiver.example")

        password = stack.credential("dirty")
        with stack.connect(("dirty", password)) as client:
            for number in range(5):
                taken(client, f"nobody{number}@gone.example")
            stack.wait_for(lambda: "5 of 5 recipients are unknown" in stack.command(
                "smtp-credential", "show", "tester", "dirty"), "the hold", 60)
            code, text = hand_in(client, "a@receiver.example")
            check(code == 451 and "unknown to their receivers" in text, text)


if __name__ == "__main__":
    TESTS = (limits_answer_and_end_by_themselves, limits_of_accounts_and_networks_answer,
             a_held_credential_loses_nothing, what_is_odd_is_held)
    if "--postgres" not in sys.argv:
        sys.exit(run(*TESTS))
    sys.argv.remove("--postgres")
    failures = 0
    for test in TESTS[2:]:
        with PostgresServer() as SERVER:
            failures += run(test)
    sys.exit(failures)
