# SPDX-License-Identifier: Apache-2.0
"""Two couriers on one machine, which has the addresses of both sources: each sends only from the one
whose public address the metadata of its instance confirms. When that moves to the other instance
the source goes with it.

usage: public_addresses_test.py TODOKU QUEUE_KIND
"""
import sys
import time

from on_cluster import DOMAINS, OnCluster, SOURCES, addresses, check, check_equal, run
from imds import Imds

ROLES = {"first": "api,scheduler,courier,events", "second": "courier"}
PUBLIC = {source: f"192.0.2.{index + 1}" for index, source in enumerate(SOURCES)}
PRIVATE = {source: f"127.0.3.{index + 1}" for index, source in enumerate(SOURCES)}
FOLLOWED = 60  # seconds: asked each ten, and what is on the way ends first


class OnInstances(OnCluster):
    def __init__(self, binary, server, queue, metadata):
        super().__init__(binary, server, queue, ROLES, {domain: [] for domain in DOMAINS})
        self.metadata = metadata
        for source, private in PRIVATE.items():
            at = self.config.index(f'bind_ipv4 = "{private}"')
            self.config.insert(at + 1, f'ec2_public_ipv4 = "{PUBLIC[source]}"')

    def common_lines(self, name):
        return [*super().common_lines(name), "[aws]",
                f'ec2_metadata_service_endpoint = "{self.metadata[name].url}"']

    def owned(self):
        return tuple(self.sources_of(name) for name in ROLES)


def follows_public_addresses(binary, server, queue):
    east, west = SOURCES
    with Imds({PUBLIC[east]: PRIVATE[east]}) as first, Imds({}) as second:
        with OnInstances(binary, server, queue, {"first": first, "second": second}) as stack:
            stack.wait_for(lambda: stack.owned() == (1, 0), "a source that is confirmed", FOLLOWED)
            check_equal(stack.metric_of("first", "todoku_sources_unconfirmed"), 1.0, "at the first")
            time.sleep(5)  # somebody could take the other, if nobody asked
            check_equal(stack.owned(), (1, 0), "who sends")
            second.public[PUBLIC[west]] = PRIVATE[west]
            stack.wait_for(lambda: stack.owned() == (1, 1), "the other source", FOLLOWED)
            stack.use("first")
            many = addresses("many", 200)
            stack.bulk(many)
            stack.await_arrivals_of(many, "a bulk", 60)
            # Somebody associates the address with the other instance.
            second.public[PUBLIC[east]] = first.public.pop(PUBLIC[east])
            began = time.monotonic()
            stack.wait_for(lambda: stack.owned() == (0, 2), "the source at its new place", FOLLOWED)
            print(f"a source followed its public address within {time.monotonic() - began:.1f} s")
            check("leads here no more" in stack.engine_log("first"), "the log does not tell")
            later = addresses("later", 20)
            stack.bulk(later)
            stack.await_arrivals_of(later, "what came after", 60)
            senders = stack.senders()
            check_equal({senders[to][0] for to in later}, {"second"}, "who sends now")


if __name__ == "__main__":
    sys.exit(run(follows_public_addresses))
