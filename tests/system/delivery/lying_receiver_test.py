# SPDX-License-Identifier: Apache-2.0
"""Receivers that say more than they were asked, or what has no place there. Whatever they say, a
mail that was refused is never told as delivered, one that was taken is never told as bounced, and
the story has the words that were heard."""
import socket
import sys
import threading

from installation import Installation, check, check_equal, run

CONFIG = ["[delivery]", "transactional_retry_seconds = [60]"]
REFUSED = b"554 5.7.1 not here\r\n"
TAKEN = b"250 2.0.0 taken\r\n"
HONEST = {"connect": b"220 mx.example ESMTP\r\n", "DATA": b"354 go on\r\n",
          "QUIT": b"221 2.0.0 bye\r\n"}
MOMENTS = ("connect", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT")
EXTRA = b"250 2.0.0 nobody asked\r\n"


class Liar:
    """Answers as `told` says, honestly otherwise; every content gets the answer `verdict`."""

    def __init__(self, address, port, offers=(), told=None, verdict=TAKEN):
        self.offers = offers
        self.told = told or {}
        self.verdict = verdict
        self.contents = 0  # whose end was seen
        self.lines = []  # commands, of all connections
        self.listener = socket.create_server((address, port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def honest(self, command):
        if command == "EHLO":
            lines = ["mx.example", *self.offers]
            return "".join(f"250{'-' if line != lines[-1] else ' '}{line}\r\n"
                           for line in lines).encode()
        if command == ".":
            return self.verdict
        return HONEST.get(command, b"250 2.0.0 ok\r\n")

    def talk(self, client):
        lines = client.makefile("rb")
        content = False
        command = "connect"
        try:
            while True:
                if command and (not content or command in ("DATA", ".")):
                    client.sendall(self.told.get(command, self.honest(command)))
                if command == ".":
                    content = False
                if command == "QUIT":
                    return
                line = lines.readline()
                if not line:
                    return
                if content:
                    command = "." if line == b".\r\n" else ""
                    self.contents += command == "."
                    continue
                self.lines.append(line.rstrip().decode(errors="replace"))
                command = self.lines[-1].split(" ")[0].upper()
                # What is no 354 is no leave to send the content.
                content = command == "DATA" and self.told.get(command, b"354").startswith(b"354")
        except OSError:
            pass
        finally:
            client.close()


class Field:
    """An installation and a liar for each domain of `liars`: name -> arguments of Liar."""

    def __init__(self, binary, liars):
        self.liars = liars
        zone = []
        for index, name in enumerate(liars):
            zone += [f"{name}.example. MX 10 mx.{name}.example.",
                     f"mx.{name}.example. A 127.0.9.{index + 1}"]
        self.stack = Installation(binary, {"good.example": []}, CONFIG, zone=zone)

    def __enter__(self):
        stack = self.stack.__enter__()
        self.receivers = {name: Liar(f"127.0.9.{index + 1}", stack.mail_port, **told)
                          for index, (name, told) in enumerate(self.liars.items())}
        self.deliveries = {name: stack.transaction(f"a@{name}.example") for name in self.liars}
        return self

    def __exit__(self, *error):
        self.stack.__exit__(*error)

    def story(self, name, words="Attempt 1"):
        return self.stack.await_story(f"a@{name}.example", words, seconds=20)

    def counts(self, name):
        """(sent, hard errors)."""
        return self.stack.counts(self.deliveries[name])[1:3]


def named(moment):
    return {"connect": "greeting", ".": "end"}.get(moment, moment.lower())


def with_extra(moment, offers, extra=EXTRA):
    honest = Liar.honest(type("", (), {"offers": offers, "verdict": TAKEN})(), moment)
    return honest + extra


def nothing_unasked_is_taken_for_an_answer(binary):
    """The 250 that nobody asked for is not the answer to what comes next."""
    liars = {}
    for offers in ((), ("PIPELINING",)):
        for moment in MOMENTS[:-2]:
            name = f"{named(moment)}{len(offers)}"
            liars[name] = {"offers": offers, "told": {moment: with_extra(moment, offers)},
                           "verdict": REFUSED}
    with Field(binary, liars) as field:
        for name in liars:
            story = field.story(name)
            check_equal(field.counts(name)[0], 0, f"sent, of {name}:\n{story}")


def what_was_taken_is_never_bounced(binary):
    liars = {named(moment): {"told": {moment: with_extra(moment, ())}} for moment in MOMENTS}
    liars["reset"] = {"told": {"RSET": b"250 ok\r\n" + EXTRA}}
    with Field(binary, liars) as field:
        for name in liars:
            story = field.story(name)
            check_equal(field.counts(name)[1], 0, f"bounced, of {name}:\n{story}")
            if field.receivers[name].contents == 0:
                check_equal(field.counts(name)[0], 0, f"sent, of {name}:\n{story}")
        for name in ("end", "quit", "reset"):  # the answer to the content was heard
            check_equal(field.counts(name)[0], 1, f"sent, of {name}")
        # Whoever comes next is served as ever.
        stack = field.stack
        stack.settle(stack.transaction("b@good.example"))


def words_after_starttls_belong_to_nobody(binary):
    """CVE-2011-0411: what came in clear text is not taken for something said under TLS. The mail
    goes in clear text on another connection, as where TLS fails; not where TLS is demanded."""
    told = {"STARTTLS": b"220 2.0.0 go on\r\n" + EXTRA}
    liars = {"injected": {"offers": ("STARTTLS",), "told": told},
             "demanded": {"offers": ("STARTTLS",), "told": told}}
    CONFIG.extend(["[sites.demanded]", 'domains = ["demanded.example"]', 'tls = "required"'])
    try:
        with Field(binary, liars) as field:
            story = field.story("injected", "1. delivered:")
            check_equal(field.counts("injected"), (1, 0), f"counts:\n{story}")
            heard = field.receivers["injected"].lines
            check_equal([line for line in heard if line == "STARTTLS"], ["STARTTLS"], str(heard))
            check_equal(sum(line.startswith("EHLO") for line in heard), 2, str(heard))
            story = field.story("demanded")
            check_equal(field.counts("demanded"), (0, 0), f"counts:\n{story}")
            check("TLS" in story and "attempt 2 at" in story, story)
            heard = field.receivers["demanded"].lines
            check(not any(line.startswith("MAIL") for line in heard), str(heard))
    finally:
        del CONFIG[2:]


def what_has_no_place_is_told_as_it_was_said(binary):
    heard = {"goahead": ("RCPT", b"354 go ahead\r\n", "354 go ahead"),
             "sixhundred": ("RCPT", b"600 who knows\r\n", "600 who knows"),
             "noreply": ("MAIL", b"hello there\r\n", "hello there"),
             "web": ("connect", b"HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 400 Bad Request"),
             "onehundred": ("EHLO", b"100 so so\r\n", "100 so so"),
             "endless": ("RCPT", b"250-and so on\r\n" * 5_000, "250")}
    liars = {name: {"told": {moment: reply}} for name, (moment, reply, _) in heard.items()}
    with Field(binary, liars) as field:
        for name, (_, _, words) in heard.items():
            story = field.story(name)
            check(words in story, f"{name}: {words!r} is not in the story:\n{story}")
            check("no SMTP" in story or "no answer to it in SMTP" in story or name == "endless",
                  f"{name}:\n{story}")
            check("connection was lost" not in story, f"{name}:\n{story}")
            check_equal(field.counts(name), (0, 0), f"counts of {name}:\n{story}")
            check_equal(field.receivers[name].contents, 0, f"contents of {name}")


if __name__ == "__main__":
    sys.exit(run(nothing_unasked_is_taken_for_an_answer, what_was_taken_is_never_bounced,
                 words_after_starttls_belong_to_nobody, what_has_no_place_is_told_as_it_was_said))
