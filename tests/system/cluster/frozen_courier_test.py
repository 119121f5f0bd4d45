# SPDX-License-Identifier: Apache-2.0
"""A courier stands still with batches in hand, their delivery is stopped, and the courier is declared
dead: only those are told as in doubt whose mail it may have begun. It goes on after that: what it has to
tell changes no counts that were told to be final.

usage: frozen_courier_test.py TODOKU QUEUE_KIND [WORK_FOLDER]
"""
import signal
import sys

from on_cluster import OnCluster, SOURCES, check_equal, run
from in_doubt import DOMAINS, RECEIVERS, only_those_begun_are_in_doubt, stop
from steering import events_of, progress

ROLES = {"api1": "api", "scheduler1": "scheduler", "courier1": "courier", "events1": "events"}
# A lease, the grace before somebody is declared dead, and how long its words are waited for.
FOUND_DEAD = 180


def stands_still_while_it_is_stopped(binary, server, queue):
    with OnCluster(binary, server, queue, ROLES, RECEIVERS) as stack:
        stack.wait_for(lambda: stack.sources_of("courier1") == 2, "its sources", 60)
        stack.use("api1")
        delivery = stop(stack, stack.api, before=lambda: stack.parts["courier1"].process.send_signal(
            signal.SIGSTOP))
        told = only_those_begun_are_in_doubt(stack, delivery, stack.api, FOUND_DEAD,
                                             lanes=len(SOURCES) * len(DOMAINS))
        stack.parts["courier1"].process.send_signal(signal.SIGCONT)
        stack.wait_for(lambda: stack.metric_of("courier1", "todoku_mails_in_hand") == 0
                       and stack.metric_of("courier1", "todoku_unrecorded_outcomes") == 0,
                       "what it has to tell", 60)
        check_equal(progress(stack.api, delivery), told, "counts afterwards")
        kinds = [event["kind"] for event in events_of(stack.api)
                 if event["delivery_id"] == delivery]
        check_equal(kinds[-1], "delivery_finished", "the last event")


if __name__ == "__main__":
    sys.exit(run(stands_still_while_it_is_stopped))
