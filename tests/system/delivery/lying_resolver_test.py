# SPDX-License-Identifier: Apache-2.0
"""A resolver of ours that lies makes mail wait and not bounce; when it is mended, mail goes out."""
import sys
import time
import urllib.error
import urllib.request

from installation import Installation, check, check_equal, run
from dns_proxy import DnsProxy
import processes

RECEIVERS = {"good.example": [], "other.example": []}
BARE = ["bare.example. A 127.0.2.1"]


class Lied(Installation):
    """Its resolver is a proxy that lies when told so, from the start of the engine on if `mode`."""

    def __init__(self, binary, mode="honest"):
        super().__init__(binary, RECEIVERS, zone=BARE)
        self.mode = mode
        self.proxy = None

    def start_dns(self):
        super().start_dns()
        self.proxy = DnsProxy(self.dns_port)
        self.proxy.mode = self.mode
        self.proxy.__enter__()
        self.dns_port = self.proxy.port

    def start_engine(self):
        if self.mode == "honest":
            super().start_engine()
            return
        self.engine = processes.start(
            self.directory, "engine",
            [self.binary, "serve", "--config", str(self.directory / "todoku.toml")])
        self.wait_for(lambda: self.listens("127.0.0.1", self.api_port), "the engine")

    def close(self):
        super().close()
        if self.proxy is not None:
            self.proxy.__exit__()

    def ready(self):
        """(status, body) of /readyz."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api_port}/readyz",
                                        timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def logged(self, words):
        return (self.directory / "engine.log").read_text(errors="replace").count(words)

    def await_trusted(self, trusted):
        self.wait_for(lambda: self.metric("todoku_dns_resolver_trusted") == float(trusted),
                      f"todoku_dns_resolver_trusted {trusted}")


def waits(stack, address, words):
    delivery = stack.transaction(address)
    story = stack.await_story(address, "our own resolver cannot be believed")
    check("put back by us, which is not an attempt" in story and "Attempt" not in story, story)
    check(words in story, story)
    check_equal(stack.counts(delivery)[2], 0, f"hard errors of {address}")
    return delivery


def bounces(stack, address):
    delivery = stack.transaction(address)
    stack.settle(delivery)
    check_equal(stack.counts(delivery), (1, 0, 1, 0), f"counts of {address}")
    check("does not exist in the DNS" in stack.explain(address), stack.explain(address))


def a_resolver_that_denies_everything_bounces_nothing(binary):
    words = "denies names that exist (NXDOMAIN for the NS of .)"
    with Lied(binary) as stack:
        bounces(stack, "a@missing.example")
        stack.proxy.mode = "deny"
        deliveries = [waits(stack, address, words)
                      for address in ("a@good.example", "b@other.example")]
        check("To do: Mend or replace the name servers that dns.servers names" in
              stack.explain("a@good.example"), stack.explain("a@good.example"))
        check("dns.servers の DNS サーバー" in stack.explain("a@good.example", "ja"),
              stack.explain("a@good.example", "ja"))
        status, body = stack.ready()
        check(status == 503 and words in body, f"{status} {body}")
        check_equal(stack.metric("todoku_dns_resolver_trusted"), 0.0, "trusted")
        # Long enough for several retries: a retry is no attempt, and bounces nothing.
        time.sleep(4)
        for delivery in deliveries:
            check_equal(stack.counts(delivery)[:3], (1, 0, 0), "counts")
        story = stack.explain("a@good.example")
        check("Attempt" not in story, story)
        check_equal(story.count("put back by us"), 1, "told once")
        stack.proxy.mode = "honest"
        stack.settle(*deliveries, seconds=40)
        for delivery in deliveries:
            check_equal(stack.counts(delivery), (1, 1, 0, 0), "counts at last")
        bounces(stack, "b@gone.example")
        check_equal(stack.ready()[0], 200, "ready")
        check_equal(stack.logged("the resolver lies"), 1, "lines of its beginning")
        check_equal(stack.logged("the resolver is believed again"), 1, "lines of its end")


def a_resolver_without_any_records_bounces_nothing(binary):
    with Lied(binary) as stack:
        stack.proxy.mode = "empty"
        waits(stack, "a@good.example", "denies names that exist (no records for the NS of .)")


def a_resolver_that_denies_from_the_start_bounces_nothing(binary):
    with Lied(binary, mode="deny") as stack:
        delivery = waits(stack, "a@good.example", "denies names that exist")
        stack.proxy.mode = "honest"
        stack.settle(delivery, seconds=40)
        check_equal(stack.counts(delivery), (1, 1, 0, 0), "counts")


def invented_addresses_get_no_mail(binary):
    with Lied(binary) as stack:
        stack.settle(stack.transaction("a@bare.example"))
        stack.proxy.mode = "invent"
        waits(stack, "a@missing.example", "has addresses for names that do not exist")
        check_equal(stack.metric("todoku_dns_resolver_trusted"), 0.0, "trusted")
        waits(stack, "b@bare.example", "has addresses for names that do not exist")
        # What its own MX records say is no invention.
        delivery = stack.transaction("a@good.example")
        stack.settle(delivery)
        check_equal(stack.counts(delivery), (1, 1, 0, 0), "counts")
        stack.proxy.mode = "honest"
        stack.await_trusted(1)
        bounces(stack, "b@missing.example")


def readiness_does_not_wait_for_silent_servers(binary):
    with Lied(binary, mode="silent") as stack:
        began = time.monotonic()
        status, body = stack.ready()
        took = time.monotonic() - began
        check(status == 503 and "no name server answers" in body, f"{status} {body}")
        check(took < 4, f"/readyz took {took:.1f} s")
        began = time.monotonic()
        stack.ready()
        check(time.monotonic() - began < 1, "what is known is told at once")
        stack.proxy.mode = "honest"
        stack.wait_for(lambda: stack.ready()[0] == 200, "readiness")


if __name__ == "__main__":
    sys.exit(run(a_resolver_that_denies_everything_bounces_nothing,
                 a_resolver_without_any_records_bounces_nothing,
                 a_resolver_that_denies_from_the_start_bounces_nothing,
                 invented_addresses_get_no_mail, readiness_does_not_wait_for_silent_servers))
