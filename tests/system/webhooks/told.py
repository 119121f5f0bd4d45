# SPDX-License-Identifier: Apache-2.0
"""What an endpoint was told, held against the account's stream of events."""
from receiver import verified

MANY = {"delivery_started": "delivery.started", "delivery_paused": "delivery.paused",
        "delivery_resumed": "delivery.resumed", "delivery_stopped": "delivery.stopped",
        "delivery_finished": "delivery.finished", "delivery_failed": "delivery.failed",
        "import_ended": "import.ended", "credential_held": "credential.held",
        "credential_released": "credential.released", "protection_warned": "protection.warned",
        "protection_paused": "protection.paused", "protection_resumed": "protection.resumed",
        "domain_broken": "domain.broken", "domain_whole": "domain.whole",
        "limit_near": "limit.near", "limit_reached": "limit.reached"}


class Broken(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Broken(message)


def type_of(kind):
    """The endpoint's word for an event's kind."""
    return MANY.get(kind, f"recipient.{kind}")


def read_on(get, cursor):
    """([event], cursor behind them) of the stream. `get(path)`: the JSON that is answered."""
    events = []
    while True:
        page = get("/events?count=1000" + (f"&cursor={cursor}" if cursor else ""))
        events += page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return events, cursor


def check_told(hook, stream):
    """All of the stream, under its ids, each with what it says, in the order of each recipient."""
    by_id = {event["event_id"]: event for event in stream}
    check(len(by_id) == len(stream), "an id names two events of the stream")
    told = hook.events
    missing = set(by_id) - {name for name, _ in told}
    check(not missing, f"{len(missing)} events were not told, such as {sorted(missing)[:3]}")
    seen, last = set(), {}
    for name, event in told:
        check(name in by_id, f"{name} is no event of the stream")
        wanted, data = by_id[name], event["data"]
        check((event["type"], data.get("delivery_id"), data.get("email")) ==
              (type_of(wanted["kind"]), wanted["delivery_id"], wanted.get("email")),
              f"{name} is told as {event}, and is {wanted}")
        if name in seen or not data.get("email"):
            continue
        seen.add(name)
        # Whatever comes again: the first time each is behind those before it.
        recipient = data["delivery_id"], data["email"]
        check(last.get(recipient, "") < name, f"{name} came before {last.get(recipient)}")
        last[recipient] = name


def check_signatures(hook, secret):
    for call in hook.calls:
        check(verified(secret, call.headers, call.body), f"the signature of {call.id}")


def count(stream, kind, delivery=None):
    return sum(1 for event in stream
               if event["kind"] == kind and delivery in (None, event["delivery_id"]))
