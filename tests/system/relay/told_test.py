# SPDX-License-Identifier: Apache-2.0
"""What the relay tells operators: who was refused and why, who is locked out, whom a hold keeps.

    told_test.py TODOKU
"""
import pathlib
import socket
import sys
import time

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / folder) for folder in ("support", "delivery")]

from installation import check, check_equal, run  # noqa: E402
from relay_test import FROM, MESSAGE, Relay, refused  # noqa: E402


def lines(stack, event):
    log = (stack.directory / "engine.log").read_text(errors="replace")
    return [line for line in log.splitlines() if event in line]


def last_line(stack, event, *words):
    found = lines(stack, event)
    check(found, f"no line of the log says {event!r}")
    for word in words:
        check(word in found[-1], f"{word!r} is not in {found[-1]!r}")
    return found[-1]


def a_login_that_fails_has_its_reason_in_the_log(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        elsewhere = stack.credential("elsewhere", "--networks", "192.0.2.0/24")
        text = refused(lambda: stack.connect(("shop", "wrong")), 535)
        last_line(stack, "login refused", "shop", "127.0.0.1", str(stack.starttls), "wrong password",
                  "mechanism")
        check_equal(refused(lambda: stack.connect(("nobody", "wrong")), 535), text,
                    "what the client is told of a name that there is not")
        last_line(stack, "login refused", "nobody", "unknown user name")
        refused(lambda: stack.connect(("elsewhere", elsewhere)), 535)
        last_line(stack, "login refused", "elsewhere", "network none that the credential allows")
        with stack.connect(("shop", password)) as client:
            check_equal(client.docmd("RCPT", "TO:<a@receiver.example>")[0], 503, "RCPT first")
        line = last_line(stack, "refused at the SMTP relay")
        check("claimed" not in line and "shop" in line, line)


def an_old_password_locks_nobody_out(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop")
        for _ in range(13):
            refused(lambda: stack.connect(("shop", "the old one")), 535)
        stack.connect(("shop", password)).quit()
        check("Nobody is locked out" in stack.command("smtp-credential", "lockouts"), "a lock-out")

        # smtplib tries LOGIN after PLAIN: with the tenth guess its second attempt finds the lock.
        for number in range(11):
            refused(lambda guess=f"guess {number}": stack.connect(("shop", guess)),
                    535 if number < 9 else 454)
        text = refused(lambda: stack.connect(("shop", password)), 454)
        check(b"wrong passwords for this user name from your network" in text, text)
        last_line(stack, "login refused", "locked out")
        said = stack.command("smtp-credential", "lockouts")
        check("127.0.0.1" in said and "shop" in said, said)
        check("ended: 0" in stack.command("smtp-credential", "unlock", "other"), "another name")
        check("ended: 1" in stack.command("smtp-credential", "unlock", "shop"), "the name")
        stack.connect(("shop", password)).quit()


def a_mail_that_is_refused_is_named(binary):
    with Relay(binary) as stack:
        stack.command("account", "add", "other")
        password = stack.credential("shop")
        keyed = stack.credential("keyed", "--options", "tag")
        other = MESSAGE.replace(b"news@sender.example>\r\nTo", b"boss@other.example>\r\nTo")
        with stack.connect(("shop", password)) as client:
            refused(lambda: client.sendmail(FROM, ["a@receiver.example"], other), 550)
            last_line(stack, "mail refused", f"<{FROM}>", "boss@other.example",
                      "a@receiver.example", "5.7.1")
            nobody = MESSAGE.replace(b"\r\nTo:", b", b@sender.example\r\nTo:")
            refused(lambda: client.sendmail(FROM, ["a@receiver.example"], nobody), 550)
            last_line(stack, "mail refused", "b@sender.example", "a@receiver.example")
            client.sendmail(FROM, ["a@receiver.example"], b"X-Todoku-Sendat: x\r\n" + MESSAGE)
            last_line(stack, "options of a mail", "shop", "X-Todoku-Sendat", "did you mean Send-At?")
            check_equal(stack.metric("todoku_smtp_in_options_unheard_total"), 1.0, "the metric")
        with stack.connect(("keyed", keyed)) as client:
            wrong = b"X-Todoku-Sendat: x\r\n" + MESSAGE
            text = refused(lambda: client.sendmail(FROM, ["a@receiver.example"], wrong), 550)
            check(b"5.6.0 X-Todoku-Sendat is no option (did you mean Send-At?)" in text, text)
            # Whoever pipelines gets two 503 with it, which say nothing new.
            stack.command("smtp-credential", "hold", "tester", "keyed")
            before = len(lines(stack, "refused at the SMTP relay"))
            client.send(f"MAIL FROM:<{FROM}>\r\nRCPT TO:<a@receiver.example>\r\nDATA\r\n".encode())
            codes = [client.getreply()[0] for _ in range(3)]
            check_equal(codes, [451, 503, 503], "what is pipelined")
            check_equal(len(lines(stack, "refused at the SMTP relay")) - before, 1, "lines of the log")


def a_client_at_the_wrong_port_is_told_of(binary):
    with Relay(binary) as stack:
        with socket.create_connection(("127.0.0.1", stack.starttls), timeout=20) as client:
            check(client.recv(1000).startswith(b"220"), "the greeting")
            client.sendall(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\n" * 100)
            check(b"554 5.7.0 This is TLS" in client.recv(1000), "the answer")
        last_line(stack, "refused at the SMTP relay", "This is TLS from the first octet")
        with socket.create_connection(("127.0.0.1", stack.implicit), timeout=20) as client:
            client.sendall(b"EHLO client.example\r\n")
            while client.recv(1000):
                pass
        stack.wait_for(lambda: lines(stack, "where TLS comes first"), "a line of the log", 10)


def what_a_hold_keeps_is_told(binary):
    with Relay(binary) as stack:
        password = stack.credential("shop", "--options", "send-at")
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86_400)).encode()
        with stack.connect(("shop", password)) as client:
            client.sendmail(FROM, ["a@receiver.example", "b@receiver.example"],
                            b"X-Todoku-Send-At: " + at + b"\r\n" + MESSAGE)
        stack.command("smtp-credential", "hold", "tester", "shop", "--because", "odd evening")
        story = stack.explain("a@receiver.example")
        check("SMTP credential shop is held (since 20" in story and "odd evening" in story, story)
        said = stack.command("smtp-credential", "drop", "tester", "shop", "--preview")
        check("2 recipients of 1 deliveries would be cancelled" in said, said)
        said = stack.command("smtp-credential", "release", "tester", "shop")
        check("2 recipients of 1 deliveries go on" in said, said)
        said = stack.command("smtp-credential", "release", "tester", "shop")
        check("was not held" in said, said)


if __name__ == "__main__":
    sys.exit(run(a_login_that_fails_has_its_reason_in_the_log, an_old_password_locks_nobody_out,
                 a_mail_that_is_refused_is_named, a_client_at_the_wrong_port_is_told_of,
                 what_a_hold_keeps_is_told))
