# SPDX-License-Identifier: Apache-2.0
"""What a collector of logs is given: no line per mail, and figures on a stream of their own."""
import sys
import time

from installation import QUICK, Installation, check, check_equal, run
import emf
import processes
from api import is_ready

MAILS = 1_000
LINES_MAX = 20
METRICS_MAX = 20
RECEIVERS = {"one.example": [], "two.example": []}
ROLES = ["api", "courier", "scheduler"]
EMF = (*QUICK, "[metrics]", "emf = true", 'emf_namespace = "mail-tests"')


class WithFigures(Installation):
    """Its engine writes to `output` what goes to standard output."""

    output = "figures.jsonl"

    def start_engine(self):
        self.engine = processes.start(
            self.directory, "engine",
            ["/bin/sh", "-c", 'exec "$0" serve --config "$1" > "$2"', self.binary,
             str(self.directory / "todoku.toml"), self.output])
        self.wait_for(lambda: is_ready(self.api_port), "the engine")

    def engine_log(self):
        return (self.directory / "engine.log").read_text()

    def figures(self):
        """What each role has told: {role: [{name: value}]}."""
        found = {}
        for line in (self.directory / self.output).read_text().splitlines():
            figures = emf.read(line, time.time())
            found.setdefault(figures["role"], []).append(figures)
        return found


def no_line_for_each_mail(binary):
    with WithFigures(binary, RECEIVERS) as stack:
        before = stack.engine_log()
        stack.bulk([f"user{i}@one.example" for i in range(MAILS // 2)])
        for i in range(MAILS // 2):
            stack.transaction([f"user{i}@two.example"])
        stack.await_arrivals(MAILS, seconds=60)
        added = stack.engine_log()[len(before):]
        lines = added.splitlines()
        print(f"log of {MAILS} mails, half of them transactions of their own: {len(lines)} lines, "
              f"{len(added.encode())} octets", flush=True)
        # What the pace of couriers is known by, of mail that was handed over in memory, too.
        stack.wait_for(lambda: stack.metric("todoku_settled_recipients_total") == MAILS,
                       "all that couriers did")
        check(len(lines) <= LINES_MAX, f"{len(lines)} lines for {MAILS} mails: {lines[:30]}")


def figures_have_standard_output_alone(binary):
    with WithFigures(binary, RECEIVERS, EMF) as stack:
        stack.wait_for(lambda: sorted(stack.figures()) == ROLES, "a line for each role")
        found = stack.figures()
        for role in ROLES:
            check_equal(len(found[role]), 1, f"lines of {role} in the first minute")
        check_equal(found["scheduler"][0]["Couriers"], 1, "couriers that live")
        check_equal(found["scheduler"][0]["WorkSeconds"], 0, "seconds of work")
        names = {name for lines in found.values() for line in lines for name in line} - {"role"}
        check(len(names) <= METRICS_MAX, f"{len(names)} metrics: {names}")
        check("_aws" not in stack.engine_log(), "figures are among the log's lines")
        # The same is in Prometheus.
        check_equal(stack.metric("todoku_couriers"), 1.0, "todoku_couriers")
        check_equal(stack.metric("todoku_work_seconds"), 0.0, "todoku_work_seconds")
        check_equal(stack.metric("todoku_backlog_per_courier"), 0.0, "backlog")


class WithFullDisk(WithFigures):
    output = "/dev/full"


def figures_that_nobody_takes_hold_up_no_mail(binary):
    with WithFullDisk(binary, RECEIVERS, EMF) as stack:
        stack.transaction(["someone@one.example"])
        stack.await_arrivals(1)
        stack.wait_for(lambda: "figures not written" in stack.engine_log(), "the complaint")
        check_equal(stack.engine_log().count("figures not written"), 1, "complaints")


if __name__ == "__main__":
    sys.exit(run(no_line_for_each_mail, figures_have_standard_output_alone,
                 figures_that_nobody_takes_hold_up_no_mail))
