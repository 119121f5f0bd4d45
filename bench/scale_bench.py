# SPDX-License-Identifier: Apache-2.0
"""What waits costs nothing: memory, speed and answers with 10,000 to 10 million queued recipients.

One installation for each size, all alive at once. In each, half of the recipients wait for a
reservation and half behind a site that takes 100 a second; in turns each then sends an active
bulk, so that its speed is compared on the same machine at the same time.
  --sizes N,N    instead of 10000,1000000,10000000
  --domains N    small domains, which 60 % of the recipients have (2000)
  --quick        10,000 and 200,000
  --rounds N     of active bulks (3)
"""
import argparse
import contextlib
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))

from bench_stack import FAST, PLAIN, BenchStack  # noqa: E402  (first: it knows the others' place)
from figures import Rounds, figure, median  # noqa: E402
import bench_mails  # noqa: E402
import machine  # noqa: E402
import process_info  # noqa: E402

TEXT = bench_mails.text_of(2048)
ASKED = 20  # repetitions of questions whose median is told
LARGE_DOMAINS = 4  # 40 % of the recipients
SMALL_DOMAINS = 2_000  # the others, unless --domains says otherwise
WAITING_SECONDS = 10
TOLD = {"waiting": "pending: ", "sent": "delivered: "}  # by `todoku explain`
ACTIVE = {False: (40_000, 20_000), True: (10_000, 6_000)}  # mails, full and quick, by `signed`


def waiting_addresses(first, count, small_domains):
    """Distinct addresses as lists have them: some large domains, many small ones, mixed."""
    for number in range(first, first + count):
        if number % 10 < LARGE_DOMAINS:
            yield f"user{number}@large{number % 10}.example"
        else:
            yield f"user{number}@d{number * 7919 % small_domains}.small.example"


def make_stack(binary):
    zone = [f"large{number}.example. MX 10 mx.slow.example." for number in range(LARGE_DOMAINS)]
    zone.append("*.small.example. MX 10 mx.slow.example.")
    config = ["[sites.slow]", 'mx_suffixes = ["mx.slow.example"]', "messages_per_second = 100"]
    return BenchStack(binary, {"one.example": FAST, "slow.example": FAST}, config, zone=zone,
                      site_defaults=["connections_max = 20", "messages_per_connection = 1000"])


def stored_octets(stack, pattern="todoku.db*"):
    return sum(file.stat().st_size for file in (stack.directory / "data").glob(pattern))


def timed(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


def millisecond_median(call):
    return median([timed(call) for _ in range(ASKED)]) * 1e3


class Size:
    def __init__(self, stack, count, domains, quick):
        self.stack = stack
        self.count = count
        self.domains = domains
        self.quick = quick
        self.reserved = self.slow = None
        self.number = 0

    def say(self, name, value, unit):
        figure(f"{name}_{self.count}", value, unit)

    def addresses(self, first, count):
        return waiting_addresses(first, count, self.domains)

    def fill(self):
        """The two deliveries that wait."""
        stack, half = self.stack, self.count // 2
        before = stored_octets(stack)
        self.reserved, self.slow = stack.draft(TEXT), stack.draft(TEXT)
        seconds = stack.fill(self.reserved, self.addresses(0, half))
        seconds += stack.fill(self.slow, self.addresses(half, half))
        self.say("import", self.count / seconds, "rows/s")
        self.wait_for_rest()
        for delivery in (self.reserved, self.slow):
            if (total := stack.detail(delivery)["total_count"]) != half:
                raise RuntimeError(f"{half} recipients were imported, {total} are there")
        self.say("stored", (stored_octets(stack) - before) / self.count, "octets/recipient")
        # The write-ahead log has a size of its own, whatever is stored.
        self.say("stored_without_log", stored_octets(stack, "todoku.db") / self.count,
                 "octets/recipient")
        stack.reserve(self.reserved, 86_400)
        stack.commit(self.slow)

    def wait_for_rest(self):
        """Until the store's own threads, index and checkpoints, have caught up."""
        size, since = stored_octets(self.stack), time.monotonic()
        while time.monotonic() - since < 3:
            time.sleep(0.2)
            if (now := stored_octets(self.stack)) != size:
                size, since = now, time.monotonic()

    def wait(self):
        """What nothing but waiting takes of a core; the mails of the slow site go meanwhile."""
        pid, began = self.stack.engine.pid, time.monotonic()
        cpu = process_info.cpu_seconds(pid)
        sent = self.sent_of_slow()
        time.sleep(WAITING_SECONDS)
        seconds = time.monotonic() - began
        self.say("waiting_cpu", (process_info.cpu_seconds(pid) - cpu) / seconds * 100, "% of a core")
        self.say("waiting_sent", (self.sent_of_slow() - sent) / seconds, "mails/s")

    def sent_of_slow(self):
        return self.stack.detail(self.slow)["sent_count"]

    def send_active(self, signed):
        mails = ACTIVE[signed][self.quick]
        delivery = self.stack.draft(TEXT, signed)
        self.stack.fill(delivery, (f"u{number}@one.example" for number in range(mails)))
        pid = self.stack.engine.pid
        cpu = process_info.cpu_seconds(pid)
        rate = mails / self.stack.send(delivery, mails)
        return {"rate": rate, "cpu": (process_info.cpu_seconds(pid) - cpu) / mails}

    def accept_one(self):
        self.number += 1
        self.stack.api.call("POST", "/deliveries/transaction", {
            "from": {"email": f"shop@{PLAIN}"}, "to": f"t{self.number}@one.example",
            "subject": "ご注文", "text_part": "ありがとうございます。"})

    def ask(self):
        """How long everyday questions take."""
        stack = self.stack
        for name, call in {
                "get_reserved": lambda: stack.detail(self.reserved),
                "get_running": lambda: stack.detail(self.slow),
                "list_deliveries": lambda: stack.api.call("GET", "/deliveries"),
                "metrics": lambda: stack.metric("todoku_queue_recipients"),
                "accept_one": self.accept_one}.items():
            self.say(name, millisecond_median(call), "ms")
        middle = next(self.addresses(self.count // 4, 1))
        for name, address in {"waiting": middle, "sent": "u0@one.example"}.items():
            began = time.monotonic()
            story = stack.command("explain", address)
            self.say(f"explain_{name}", time.monotonic() - began, "s")
            if TOLD[name] not in story:
                raise RuntimeError(f"explain does not know {address}: {story}")
        self.say("explain_unknown",
                 timed(lambda: stack.command("explain", "nobody@one.example", statuses=(1,))), "s")

    def rest(self):
        """Memory; what a crash and what the deletion of half of all costs."""
        stack = self.stack
        self.say("memory_peak", process_info.memory_peak(stack.engine.pid), "MB")
        self.say("memory", process_info.memory_now(stack.engine.pid), "MB")
        stack.kill_engine()
        self.say("restart_after_kill", timed(stack.start_engine), "s")
        self.say("delete_reserved", timed(
            lambda: stack.api.call("DELETE", f"/deliveries/{self.reserved}")), "s")
        waits = [timed(self.accept_one) for _ in range(200)]
        self.say("accept_worst_after_delete", max(waits) * 1e3, "ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sizes")
    parser.add_argument("--domains", type=int, default=SMALL_DOMAINS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    wanted = options.sizes or ("10000,200000" if options.quick else "10000,1000000,10000000")
    rounds, quiet = Rounds(), machine.Quiet()
    with contextlib.ExitStack() as resources:
        sizes = [Size(resources.enter_context(make_stack(options.binary)), int(count),
                      options.domains, options.quick) for count in wanted.split(",")]
        for size in sizes:
            size.stack.sign()
            quiet.look()
            size.fill()
        for size in sizes:
            quiet.look()
            size.wait()
        for _ in range(options.rounds):
            for signed in (False, True):
                for size in sizes:
                    quiet.look()
                    rounds.add((size.count, signed), **size.send_active(signed))
        for size in sizes:
            for signed in (False, True):
                kind = "signed" if signed else "unsigned"
                case = (size.count, signed)
                size.say(f"active_{kind}", rounds.median(case), "mails/s")
                size.say(f"active_{kind}_cpu", rounds.median(case, "cpu") * 1e6, "us/mail")
                if size is not sizes[0]:
                    figure(f"active_{kind}_{size.count}_vs_{sizes[0].count}",
                           rounds.ratio(case, (sizes[0].count, signed)), "ratio")
            size.ask()
            size.rest()
        quiet.report()


if __name__ == "__main__":
    main()
