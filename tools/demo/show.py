# SPDX-License-Identifier: Apache-2.0
"""The demonstration itself: sends through the public API, watches, counts, and tells."""
import collections
import datetime
import email
import email.header
import email.utils
import json
import sys
import time
import unicodedata

import letters
from playground import DemoError
from scenario import BULK_MAILS, GREYLISTING, RECEIVERS

RESERVED_AHEAD = 6  # seconds
PATIENCE = 120
JST = datetime.timezone(datetime.timedelta(hours=9))
FINAL = ("SENT", "FAILED")


def unix_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Show:
    def __init__(self, playground):
        self.playground = playground
        self.api = playground.api
        self.people = letters.addressees()
        self.transaction = None
        self.bulk = None
        self.reserved = None
        self.posted = None
        self.last_line = ""
        self.next_line = 0.0

    def say(self, text):
        self.playground.say(text)

    # ---- sending ---------------------------------------------------------------------------------

    def send(self):
        self.send_transaction()
        self.send_bulk()

    def send_transaction(self):
        self.posted = time.time()
        answer = self.api.call_multipart(
            "POST", "/deliveries/transaction", letters.TRANSACTION,
            [(letters.ATTACHMENT_NAME, "text/plain", letters.ATTACHMENT)])
        self.transaction = answer["delivery_id"]
        took = (time.time() - self.posted) * 1000
        self.say(f"POST /deliveries/transaction: delivery {self.transaction} to "
                 f"{letters.CUSTOMER.email}, with attachment, committed after {took:.0f} ms")

    def send_bulk(self):
        self.bulk = self.api.call("POST", "/deliveries/bulk/begin", letters.BULK)["delivery_id"]
        self.say(f"POST /deliveries/bulk/begin: delivery {self.bulk}")
        table = letters.bulk_csv(self.people)
        job = self.api.call_multipart("POST", f"/deliveries/{self.bulk}/emails/import",
                                      {"ignore_errors": False},
                                      [("customers.csv", "text/csv", table)])["job_id"]
        job_path = f"/deliveries/-/emails/import/{job}"
        status = self.wait(lambda: self.api.call("GET", job_path),
                           lambda state: state["percentage"] == 100, "the import")
        if status["status"] != "FINISHED" or status["success_count"] != BULK_MAILS:
            raise DemoError(f"the import did not succeed: {json.dumps(status)}")
        self.say(f"POST /deliveries/{self.bulk}/emails/import: CSV with {len(table):,} bytes, "
                 f"{status['success_count']:,} recipients imported")
        self.reserved = int(time.time()) + RESERVED_AHEAD
        moment = datetime.datetime.fromtimestamp(self.reserved, JST)
        self.api.call("PATCH", f"/deliveries/bulk/commit/{self.bulk}",
                      {"reservation_time": moment.isoformat()})
        self.say(f"PATCH /deliveries/bulk/commit/{self.bulk}: reserved for "
                 f"{moment:%H:%M:%S} JST, {self.reserved - time.time():.0f} s from now")

    def wait(self, ask, enough, what):
        until = time.monotonic() + PATIENCE
        while True:
            state = ask()
            if enough(state):
                return state
            if time.monotonic() > until:
                raise DemoError(f"{what} did not end within {PATIENCE} s: {json.dumps(state)}")
            time.sleep(0.1)

    # ---- watching --------------------------------------------------------------------------------

    def watch(self):
        """Until both deliveries have ended or patience has; prints what changes."""
        until = time.monotonic() + PATIENCE
        transaction_seen = False
        while True:
            self.playground.check_running()
            transaction = self.detail(self.transaction)
            if not transaction_seen and transaction["sent_count"] == 1:
                transaction_seen = True
                self.say(f"the transactional mail has arrived{self.transaction_latency()}")
            bulk = self.detail(self.bulk)
            self.progress(bulk)
            if transaction["status"] in FINAL and bulk["status"] in FINAL:
                break
            if time.monotonic() > until:
                self.end_progress()
                self.say(f"not finished after {PATIENCE} s; the table shows what there is")
                return
            time.sleep(0.4)
        self.end_progress()

    def detail(self, delivery):
        return self.api.call("GET", f"/deliveries/{delivery}")

    def transaction_latency(self):
        self.playground.report()  # has the log of arrivals written, too
        for arrival in self.playground.arrivals():
            if arrival["rcpt_to"] == letters.CUSTOMER.email:
                return f" ({(unix_time(arrival['time']) - self.posted) * 1000:.0f} ms after the POST)"
        return ""

    def progress(self, bulk):
        line = (f"bulk {bulk['status']:<8} delivered {bulk['sent_count']:5,} of "
                f"{bulk['total_count']:,}, waiting for another try {bulk['soft_error_count']:4,}, "
                f"bounced {bulk['hard_error_count']:,}")
        now = time.monotonic()
        if sys.stdout.isatty():
            print(f"\r[{now - self.playground.began:5.1f} s] {line}", end="", flush=True)
        elif line != self.last_line and (now >= self.next_line or bulk["status"] in FINAL):
            self.last_line = line
            self.next_line = now + 2
            self.say(line)

    def end_progress(self):
        if sys.stdout.isatty():
            print(flush=True)

    # ---- counting --------------------------------------------------------------------------------

    def print_table(self):
        """True if every mail arrived exactly once, as it was written, with a valid signature."""
        report = self.playground.report()
        arrivals = self.playground.arrivals()
        print()
        self.print_domains(report, arrivals)
        findings = self.findings(report, arrivals)
        print()
        for finding in findings:
            print("  NOT AS IT SHOULD BE: " + finding)
        if not findings:
            print(f"  Each of the {BULK_MAILS + 1:,} mails arrived exactly once, says what was "
                  "written to its recipient,\n  and carries signatures that its receiver has "
                  "verified.")
        print()
        return not findings

    def print_domains(self, report, arrivals):
        verdicts = collections.Counter()
        protected = collections.Counter()
        for arrival in arrivals:
            domain = arrival["rcpt_to"].rpartition("@")[2]
            verdicts[domain] += arrival.get("dkim") == "pass"
            protected[domain] += bool(arrival["tls"])
        head = ("domain", "mails", "delivered", "deferred", "bounced", "duplicates", "DKIM pass",
                "TLS", "complete", "the receiver")
        rows = []
        ends = []
        for receiver in RECEIVERS:
            domain = receiver.domain
            mails = receiver.mails + (domain == letters.CUSTOMER.email.rpartition("@")[2])
            counts = report["domains"].get(domain, {})
            end = unix_time(counts["last_arrival"]) - self.reserved if counts.get(
                "last_arrival") else None
            ends.append(end)
            rows.append([domain, mails, counts.get("recipients", 0) - counts.get("duplicates", 0),
                         counts.get("deferred", 0), counts.get("refused", 0),
                         counts.get("duplicates", 0), verdicts[domain], protected[domain],
                         "-" if end is None else f"{end:.1f} s", receiver.about])
        total = ["total"] + [sum(row[i] for row in rows) for i in range(1, 8)]
        total += [f"{max(ends):.1f} s" if None not in ends else "-", ""]
        print_columns([head, *rows, total])
        print()
        print("  As the receivers counted: \"deferred\" are mails that one of them would not take "
              "at first,\n  \"complete\" is the time from the reservation to a domain's last mail.")
        verdict_text = ", ".join(f"{count:,} {word}"
                                 for word, count in sorted(report["total"]["dkim"].items())
                                 if count) or "none"
        transaction, bulk = self.detail(self.transaction), self.detail(self.bulk)
        print(f"  DKIM verdicts of the receivers: {verdict_text}.")
        print(f"  As the engine counted: delivery {self.transaction} {transaction['status']}, "
              f"{transaction['sent_count']} delivered; delivery {self.bulk} {bulk['status']}, "
              f"{bulk['sent_count']:,} delivered,\n  {bulk['soft_error_count']:,} deferred, "
              f"{bulk['hard_error_count']:,} bounced.")

    def findings(self, report, arrivals):
        """What is wrong, in sentences. Counts, then names, then every single mail as it arrived."""
        findings = []
        total = report["total"]
        expected = BULK_MAILS + 1
        if total["recipients"] != expected:
            findings.append(f"the receivers took {total['recipients']:,} mails instead of "
                            f"{expected:,}")
        if total["duplicates"] or total["duplicates_untracked"] or total["without_message_id"]:
            findings.append(f"{total['duplicates']:,} duplicates, {total['without_message_id']:,} "
                            "without Message-ID")
        if total["dkim"].get("pass", 0) != expected:
            findings.append(f"DKIM did not pass for all: {json.dumps(total['dkim'])}")
        for delivery, mails in ((self.transaction, 1), (self.bulk, BULK_MAILS)):
            detail = self.detail(delivery)
            if detail["status"] != "SENT" or detail["sent_count"] != mails:
                findings.append(f"the engine says of delivery {delivery}: {detail['status']}, "
                                f"{detail['sent_count']:,} of {mails:,} delivered")
        wanted = collections.Counter(person.email for person in self.people)
        wanted[letters.CUSTOMER.email] += 1
        arrived = collections.Counter(arrival["rcpt_to"] for arrival in arrivals)
        for word, difference in (("missing", wanted - arrived), ("too many", arrived - wanted)):
            if difference:
                names = ", ".join(sorted(difference)[:5])
                findings.append(f"{word}: {sum(difference.values()):,}, such as {names}")
        return findings + self.wrong_mails()

    def wrong_mails(self):
        """Reads the stored mails: each must be for its recipient and have that one's own words."""
        people = {person.email: person for person in [*self.people, letters.CUSTOMER]}
        wrong = []
        for envelope_file in sorted((self.playground.data / "mails").glob("*.json")):
            envelope = json.loads(envelope_file.read_text(encoding="utf-8"))
            person = people.get(envelope["rcpt_to"][0])
            message = email.message_from_bytes(envelope_file.with_suffix(".eml").read_bytes())
            problem = "nobody sent it" if person is None else mail_problem(message, person)
            if problem:
                wrong.append(f"mail {envelope_file.stem} to {envelope['rcpt_to'][0]}: {problem}")
        if len(wrong) > 5:
            wrong[5:] = [f"and {len(wrong) - 5:,} more mails like these"]
        return wrong

    def still_holds_after_stop(self):
        """The receivers' last word: nothing may have come while everything was being stopped."""
        total = json.loads((self.playground.data / "report.json").read_text())["total"]
        if total["recipients"] == BULK_MAILS + 1 and total["duplicates"] == 0:
            return True
        print(f"  NOT AS IT SHOULD BE: {total['recipients']:,} mails after the end")
        return False

    # ---- what next -------------------------------------------------------------------------------

    def print_next_commands(self):
        playground = self.playground
        ours = playground.data == playground.root / "run-data"
        data = "run-data" if ours else playground.data
        program = "./todoku" if playground.binary_is_built_here else playground.binary
        todoku = f"{program} --config {data}/todoku.toml"
        someone = next(person.email for person in self.people
                       if person.email.endswith("@" + GREYLISTING.domain))
        url = f"http://127.0.0.1:{playground.port}"
        print("The engine, the receivers and the name server go on running. Try, in this folder:\n")
        print(f"  {todoku} explain {someone}        # --lang ja: in Japanese")
        print(f"  {todoku} status")
        print(f"  curl -s {url}/metrics | grep outcomes")
        print(f"  curl -s -H \"Authorization: Bearer $(cat {data}/token)\" "
              f"{url}/api/v1/deliveries/{self.bulk}")
        body = {"from": {"email": letters.FROM["email"]}, "to": "bounce-550@example.com",
                "subject": "hello", "text_part": "Is anybody there?"}
        print(f"  curl -s -H \"Authorization: Bearer $(cat {data}/token)\" "
              f"--json '{json.dumps(body)}' \\\n    {url}/api/v1/deliveries/transaction; "
              f"{todoku} explain bounce-550@example.com")
        print(f"\n  ./run --stop{'' if ours else f' --data {data}'}        # ends all three")
        print(f"\nMails as they arrived: {data}/mails/*.eml    logs: {data}/*.log")


def header_text(message, name):
    return str(email.header.make_header(email.header.decode_header(message[name] or "")))


def mail_problem(message, person):
    """What is wrong with a mail that has arrived for `person`; empty if nothing is."""
    if message["To"] != person.email:
        return f"its To is {message['To']}"
    places = [header_text(message, "Subject")]
    attachments = {}
    for part in message.walk():
        if part.get_filename():
            attachments[decoded_file_name(part)] = part.get_payload(decode=True)
        elif part.get_content_maintype() == "text":
            places.append(part.get_payload(decode=True).decode(part.get_content_charset()))
    for word in letters.expected_words(person):
        if not any(word in place for place in places):
            return f"it lacks {word}"
    if any("__" in place for place in places):
        return "an insert code was not replaced"
    wanted = {letters.ATTACHMENT_NAME: letters.ATTACHMENT} if person is letters.CUSTOMER else {}
    return "" if attachments == wanted else "its attachments are not those that were sent"


def decoded_file_name(part):
    """Of filename* (RFC 2231), which is what todoku writes."""
    return email.utils.collapse_rfc2231_value(part.get_param("filename", "",
                                                             "Content-Disposition"))


def width_of(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def print_columns(rows):
    """The first row is the heading, the last one the total; numbers stand to the right."""
    texts = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows]
    widths = [max(width_of(row[i]) for row in texts) for i in range(len(texts[0]))]
    right = [i not in (0, len(widths) - 1) for i in range(len(widths))]
    for number, row in enumerate(texts):
        if number == len(texts) - 1:
            print("  " + "-" * (sum(widths[:-1]) + 2 * (len(widths) - 1)))
        cells = [" " * (widths[i] - width_of(cell)) + cell if right[i] else
                 cell + " " * (widths[i] - width_of(cell)) for i, cell in enumerate(row)]
        print(("  " + "  ".join(cells)).rstrip())
