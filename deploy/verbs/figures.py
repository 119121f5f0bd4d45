# SPDX-License-Identifier: Apache-2.0
"""What tasks tell of themselves at /metrics and /readyz, and what of it is an alarm (pure but for the
asking). docs/operating.md, "Health and metrics", says what each figure is.
"""
import dataclasses
import http.client
import re

ANSWER_SECONDS = 3
ANSWER_OCTETS_MAX = 8 << 20
ATTEMPTS_MIN = 10       # fewer say nothing about a share
FAILED_SHARE_MAX = 0.3  # of attempts, where the version before had less than half as much
SERIES = re.compile(r"(todoku_[a-z_]+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
# Answers that a server gives on purpose: not now, too many, and draining.
NOT_A_FAULT = ("503", "507")


def ask(address, path):
    """(status, text) of a task's listener; (0, why) if it does not answer."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(ANSWER_OCTETS_MAX).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()


@dataclasses.dataclass(frozen=True)
class Figures:
    """Since a task's start."""
    attempts: int = 0        # that have an outcome
    failed: int = 0          # of them: not taken by the receiver
    requests: int = 0        # of the API
    server_errors: int = 0   # of them: a fault of ours
    exceptions: int = 0      # nobody handled; each is a bug

    def less(self, other):
        """Since that moment. A task that was started again counts from zero."""
        mine, its = dataclasses.astuple(self), dataclasses.astuple(other)
        if any(a < b for a, b in zip(mine, its)):
            return self
        return Figures(*(a - b for a, b in zip(mine, its)))

    def plus(self, other):
        return Figures(*(a + b for a, b in zip(dataclasses.astuple(self),
                                                dataclasses.astuple(other))))


def read(text):
    """Figures of what /metrics says."""
    attempts = delivered = requests = server_errors = exceptions = 0
    for line in text.splitlines():
        series = SERIES.match(line)
        if not series:
            continue
        name, labels, value = series[1], dict(LABEL.findall(series[2] or "")), float(series[3])
        if name == "todoku_outcomes_total":
            attempts += value
            delivered += value if labels.get("state") == "delivered" else 0
        elif name == "todoku_http_requests_total" and labels.get("server") == "api":
            requests += value
            status = labels.get("status", "")
            server_errors += value if status.startswith("5") and status not in NOT_A_FAULT else 0
        elif name == "todoku_unhandled_exceptions_total":
            exceptions += value
    return Figures(int(attempts), int(attempts - delivered), int(requests), int(server_errors),
                   int(exceptions))


def alarms(new, before):
    """[sentence] of what is wrong with a version: `new` are its figures of the time that it is
    watched, `before` those of the version that it takes the place of. Receivers that refuse both
    alike are no fault of the new one."""
    wrong = []
    if new.exceptions > 0:
        wrong.append(f"{new.exceptions} exceptions that nobody handled")
    if new.server_errors > 0:
        wrong.append(f"{new.server_errors} of {new.requests} requests were answered with a fault of "
                     "ours")
    if new.attempts >= ATTEMPTS_MIN:
        share = new.failed / new.attempts
        usual = before.failed / before.attempts if before.attempts >= ATTEMPTS_MIN else 0
        if share > FAILED_SHARE_MAX and share > 2 * usual:
            wrong.append(f"{new.failed} of {new.attempts} attempts failed, of the version before "
                         f"{before.failed} of {before.attempts}")
    return wrong
