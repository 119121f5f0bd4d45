# SPDX-License-Identifier: Apache-2.0
"""Mail that comes back: how many of it is understood, and what a flood of it costs a bulk.

  judged   tests/corpus/returned by `todoku bounce classify --batch`: class, permanence, recipients and
           false suppressions of the tuning and the kept part, Japanese apart, and what is confused
  flood    a bulk goes out as fast as it can, alone and while bounces of an earlier one come in over 20
           connections as fast as they are taken; in turns, medians of the rounds. Who sends the
           flood is on this machine, with the lowest priority: its own processor time is counted
           against us where no core is idle
  --quick         a bulk of 20,000 and 2,000 bounces, instead of 1,000,000 and 100,000
  --only PARTS    of judged,flood
"""
import argparse
import itertools
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import FAST, ROOT, BenchStack  # noqa: E402  (first: it adds folders)
from figures import Rounds, figure  # noqa: E402
from ports import free_port  # noqa: E402
import bench_mails  # noqa: E402
import machine  # noqa: E402

sys.path.insert(0, str(ROOT / "tests/system/returned"))
from judged import KINDS, counts  # noqa: E402

TEXT = bench_mails.text_of(2048)
ROUNDS = 3
CONNECTIONS = 20
REPORT = """\
From: MAILER-DAEMON@mx.back.example\r
To: {path}\r
Subject: Undelivered Mail Returned to Sender\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\r
\r
--b1\r
Content-Type: text/plain\r
\r
I'm sorry to have to inform you that your message could not be delivered.\r
\r
--b1\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.back.example\r
\r
Final-Recipient: rfc822; {to}\r
Action: failed\r
Status: 5.2.2\r
Diagnostic-Code: smtp; 552 5.2.2 Mailbox full\r
\r
--b1\r
Content-Type: text/rfc822-headers\r
\r
From: news@plain.example\r
To: {to}\r
Subject: news\r
\r
--b1--\r
.\r
"""


# ---- what is understood --------------------------------------------------------------------

def measure_judged(binary, _):
    for kind in KINDS:
        for (part, language), count in sorted(counts(binary, kind).items()):
            name = f"{kind}_{part}" + ("" if language == "all" else f"_{language}")
            figure(f"{name}_cases", count.all, "cases")
            figure(f"{name}_class", 100 * count.share("kind"), "%")
            figure(f"{name}_permanence", 100 * count.share("permanence"), "%")
            figure(f"{name}_recipient", 100 * count.share("recipient"), "%")
            figure(f"{name}_false_suppressions", count.suppressed, "cases")
            if language == "all":
                for (meant, told), times in count.confused.most_common():
                    figure(f"{name}_{meant}_taken_for_{told}", times, "cases")


# ---- a flood -------------------------------------------------------------------------------

class FloodStack(BenchStack):
    keeps_arrivals = True

    def __init__(self, binary):
        self.inbound_port = free_port()
        super().__init__(
            binary, {"back.example": [], "one.example": FAST},
            ["[inbound]", "enabled = true", f'listen = ["127.0.0.1:{self.inbound_port}"]'],
            sink_config=["duplicates_max = 0"],
            site_defaults=["connections_max = 20", "messages_per_connection = 1000"])

    def paths(self, count):
        """[(return path, recipient)] of a bulk that its receiver has taken."""
        delivery = self.draft(TEXT)
        self.fill(delivery, (f"u{number}@back.example" for number in range(count)))
        self.commit(delivery)
        self.wait_for(lambda: self.detail(delivery)["sent_count"] == count, "the earlier bulk", 1200)
        arrivals = self.directory / "arrivals.jsonl"
        self.wait_for(lambda: arrivals.read_bytes().count(b"\n") >= count, "its arrivals", 60)
        entries = map(json.loads, arrivals.read_text().splitlines())
        return [(entry["mail_from"], entry["rcpt_to"]) for entry in entries]

    def came_back(self):
        return self.metric("todoku_inbound_mails_total", became="bounced")


def hand_in(port, mails):
    sock = socket.create_connection(("127.0.0.1", port), 60)
    file = sock.makefile("rb")

    def say(text, replies):
        sock.sendall(text.encode())
        for _ in range(replies):
            while (line := file.readline())[3:4] == b"-":
                pass
            if line[:1] not in b"23":
                raise RuntimeError(f"the flood was answered {line!r}")
    say("", 1)
    say("EHLO mx.back.example\r\n", 1)
    for path, to in mails:
        say(f"MAIL FROM:<>\r\nRCPT TO:<{path}>\r\nDATA\r\n", 3)
        say(REPORT.format(path=path, to=to), 1)
    say("QUIT\r\n", 1)


def flood(port, file):
    """What the process does that is started for it."""
    os.nice(19)
    mails = json.loads(pathlib.Path(file).read_text())
    shares = [mails[place::CONNECTIONS] for place in range(CONNECTIONS)]
    threads = [threading.Thread(target=hand_in, args=(int(port), share)) for share in shares if share]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bulk_rate(stack, mails):
    delivery = stack.draft(TEXT, signed=True)
    stack.fill(delivery, (f"u{number}@one.example" for number in range(mails)))
    began = time.monotonic()
    stack.commit(delivery)
    stack.wait_for(lambda: stack.detail(delivery)["sent_count"] >= mails, "the bulk", 1800)
    return mails / (time.monotonic() - began)


def rate_beside(stack, mails, share):
    file = stack.directory / "flood.json"
    file.write_text(json.dumps(share))
    before, began = stack.came_back(), time.monotonic()
    sender = subprocess.Popen([sys.executable, __file__, "--flood", str(stack.inbound_port), str(file)])
    rate = bulk_rate(stack, mails)
    if sender.wait(1800):
        raise RuntimeError("the flood failed")
    taken = stack.came_back() - before
    if taken != len(share):
        raise RuntimeError(f"{taken} of {len(share)} bounces were taken")
    figure("flood", taken / (time.monotonic() - began), "/s")
    return rate


def measure_flood(binary, quick):
    mails, bounces = (20_000, 2_000) if quick else (1_000_000, 100_000)
    rounds = Rounds()
    with FloodStack(binary) as stack:
        stack.sign()
        paths = iter(stack.paths(bounces * ROUNDS))
        bulk_rate(stack, mails // 10)  # the connections and caches are warm
        for _ in range(ROUNDS):
            rounds.add("alone", rate=bulk_rate(stack, mails))
            rounds.add("beside", rate=rate_beside(stack, mails, list(itertools.islice(paths, bounces))))
    figure("bulk_alone", rounds.median("alone"), "/s")
    figure("bulk_beside_flood", rounds.median("beside"), "/s")
    figure("flood_cost", 100 * (1 - rounds.ratio("beside", "alone")), "%")


PARTS = {"judged": measure_judged, "flood": measure_flood}


def main():
    if sys.argv[1] == "--flood":
        flood(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    options = parser.parse_args()
    quiet = machine.Quiet()
    for part in options.only.split(","):
        quiet.look()
        PARTS[part](options.binary, options.quick)
    quiet.report()


if __name__ == "__main__":
    main()
