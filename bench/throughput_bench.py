# SPDX-License-Identifier: Apache-2.0
"""Bulk throughput through the whole engine into Postfix's smtp-sink, beside the limits of the
machine in the same run: smtp-source straight into smtp-sink, and RSA-2048 signatures.

Every mail is personalised, 2 KB, over 20 connections. Rounds are interleaved; medians are printed.
`--quick`: fewer mails, 3 rounds.
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/system/support"))

from stack import Stack  # noqa: E402  (first: it knows where the others are)
import processes  # noqa: E402

QUICK = "--quick" in sys.argv
MAILS = 6_000 if QUICK else 40_000
ROUNDS = 3 if QUICK else 5
CONNECTIONS = 20
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
TEXT = "\n".join(["__name__ 様、いつもご利用いただきありがとうございます。"] + ["本文の行です。" * 6] * 11)


def figure(name, value, unit):
    print(f"{name}\t{value:.6g}\t{unit}", flush=True)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


class SinkStack(Stack):
    """The installation with smtp-sink as the only receiver."""

    def start_sink(self):
        address = f"{self.address_of(0)}:{self.mail_port}"
        processes.start(self.directory, "sink", [
            "/usr/sbin/smtp-sink", *(["-u", "nobody"] if os.getuid() == 0 else []), address, "1000"])
        self.wait_for(lambda: self.listens(self.address_of(0), self.mail_port), "smtp-sink")


def prepare_bulk(stack, signed):
    sender = "signed.example" if signed else "plain.example"
    rows = ["email,__name__"] + [f"u{i}@one.example,受信者{i}" for i in range(MAILS)]
    delivery = stack.api.call("POST", "/deliveries/bulk/begin", {
        "from": {"email": f"news@{sender}"}, "subject": "お知らせ __name__ 様",
        "text_part": TEXT})["delivery_id"]
    job = stack.api.call_multipart("POST", f"/deliveries/{delivery}/emails/import", None, [
        ("a.csv", "text/csv", "\n".join(rows).encode())])["job_id"]
    stack.wait_for(lambda: stack.api.call(
        "GET", f"/deliveries/-/emails/import/{job}")["percentage"] == 100, "the import", 120)
    return delivery


def engine_round(stack, signed):
    """(mails/s, CPU seconds a mail) of one bulk from its commit to its last outcome."""
    delivery = prepare_bulk(stack, signed)
    pid = stack.engine.pid
    cpu, began = cpu_seconds(pid), time.monotonic()
    stack.api.call("PATCH", f"/deliveries/bulk/commit/{delivery}/immediate")
    while stack.status_of(delivery) != "SENT":
        time.sleep(0.02)
    seconds = time.monotonic() - began
    counts = stack.api.call("GET", f"/deliveries/{delivery}")
    assert counts["sent_count"] == MAILS, counts
    return MAILS / seconds, (cpu_seconds(pid) - cpu) / MAILS


def source_round(stack):
    """mails/s of smtp-source straight into smtp-sink."""
    began = time.monotonic()
    subprocess.run(["/usr/sbin/smtp-source", "-s", str(CONNECTIONS), "-l", "2048", "-m", str(MAILS),
                    "-d", "-f", "a@plain.example", "-t", "b@one.example",
                    f"{stack.address_of(0)}:{stack.mail_port}"], check=True)
    return MAILS / (time.monotonic() - began)


def rsa_round(processes_count):
    """RSA-2048 signatures/s of `openssl speed`."""
    command = ["openssl", "speed", "-seconds", "1" if QUICK else "3"]
    if processes_count > 1:
        command += ["-multi", str(processes_count)]
    done = subprocess.run([*command, "rsa2048"], check=True, capture_output=True, text=True)
    return float(re.search(r"^rsa 2048 bits\s+\S+\s+\S+\s+([0-9.]+)", done.stdout, re.M).group(1))


def main():
    lanes = [f"connections_max = {CONNECTIONS}", "messages_per_connection = 1000"]
    with SinkStack(sys.argv[1], {"one.example": []}, site_defaults=lanes) as stack:
        stack.command("dkim", "generate", "--account", "tester", "--domain", "signed.example",
                      "--selector", "s1")
        rounds = {"unsigned": [], "signed": [], "source": [], "rsa": [], "rsa_one": []}
        for _ in range(ROUNDS):
            rounds["source"].append(source_round(stack))
            rounds["unsigned"].append(engine_round(stack, False))
            rounds["rsa"].append(rsa_round(os.cpu_count()))
            rounds["rsa_one"].append(rsa_round(1))
            rounds["signed"].append(engine_round(stack, True))
        memory = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(
            f"/proc/{stack.engine.pid}/status").read_text()).group(1)) / 1024
    source = statistics.median(rounds["source"])
    rsa = statistics.median(rounds["rsa"])
    unsigned = statistics.median(rate for rate, _ in rounds["unsigned"])
    signed = statistics.median(rate for rate, _ in rounds["signed"])
    signed_cpu = statistics.median(cpu for _, cpu in rounds["signed"])
    figure("smtp_source_2k", source, "mails/s")
    figure("rsa2048_all_cores", rsa, "signatures/s")
    figure("unsigned_2k", unsigned, "mails/s")
    figure("unsigned_2k_cpu", statistics.median(c for _, c in rounds["unsigned"]) * 1e6, "us/mail")
    figure("signed_2k", signed, "mails/s")
    figure("signed_2k_cpu", signed_cpu * 1e6, "us/mail")
    figure("unsigned_2k_vs_smtp_source", unsigned / source, "ratio")
    figure("signed_2k_vs_rsa_wall", signed / rsa, "ratio")
    figure("signed_2k_vs_model", signed / (1 / (1 / rsa + 1 / unsigned)), "ratio")
    # `openssl speed` on one core counts processor time, as the engine's figure does.
    figure("engine_cpu_per_signature", signed_cpu * statistics.median(rounds["rsa_one"]), "ratio")
    figure("engine_memory_peak", memory, "MB")


if __name__ == "__main__":
    main()
