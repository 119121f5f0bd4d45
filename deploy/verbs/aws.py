# SPDX-License-Identifier: Apache-2.0
"""Calls of AWS by its command line (AWS CLI 2; Debian's awscli will do): `aws SERVICE OPERATION
--cli-input-json`, so that what is asked is the service's own words, and can be held against its
model (tests/system/deploy). Credentials are the CLI's affair: nothing of them is seen here."""
import json
import os
import random
import re
import subprocess
import time

from verbs.target import TargetError

# What a service says when it was asked too often or fell over for a moment. Nothing was done then.
_AGAIN = {"Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "TooManyRequestsException",
          "RequestThrottled", "SlowDown", "ServiceUnavailable", "ServerException", "InternalFailure"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnrecognizedClientException",
           "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"}
_SAID = re.compile(r"An error occurred \(([\w.:]+)\) when calling the (\w+) operation"
                   r"(?: \(reached max retries: \d+\))?: (.*)", re.DOTALL)

TRIES = 6  # of a call that is throttled, with 1, 2, 4, 8, 16 s between


class AwsError(TargetError):
    """What AWS said. `code` is its own word, such as ServiceNotFoundException; "" where the CLI itself failed."""

    def __init__(self, sentence, code=""):
        super().__init__(sentence)
        self.code = code


class Aws:
    def __init__(self, region, pace_seconds=1.0):
        """`pace_seconds`: the first wait after a throttled call."""
        self._region = region
        self._pace = pace_seconds

    def call(self, service, verb, /, **wish):
        """The answer, as a dictionary. AwsError says which call failed and what it lacks."""
        for again in range(TRIES):
            try:
                return self._once(service, verb, wish)
            except AwsError as error:
                if error.code not in _AGAIN or again == TRIES - 1:
                    raise
            # Others that were throttled at this moment do not come again at one moment.
            time.sleep(self._pace * 2**again * random.uniform(0.5, 1.0))
        raise AssertionError("not reached")

    def _once(self, service, verb, wish):
        line = ["aws", service, verb, "--output", "json", "--cli-input-json", json.dumps(wish)]
        if self._region:
            line += ["--region", self._region]
        try:
            done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300,
                                  env={**os.environ, "AWS_PAGER": "", "AWS_RETRY_MODE": "standard"})
        except (FileNotFoundError, PermissionError) as error:  # the second: a folder of PATH that is closed
            raise AwsError("the AWS CLI is missing: apt install awscli") from error
        except subprocess.TimeoutExpired as error:
            raise AwsError(f"aws {service} {verb} did not answer for 5 minutes") from error
        if done.returncode != 0:
            raise _told(service, verb, done)
        try:
            return json.loads(done.stdout) if done.stdout.strip() else {}
        except ValueError as error:
            raise AwsError(f"aws {service} {verb} answered what is no JSON: {done.stdout[:80]!r}") from error


def _told(service, verb, done):
    said = _SAID.search(done.stderr)
    if not said:
        words = " ".join(done.stderr.split())[:400]
        return AwsError(f"aws {service} {verb} failed (exit status {done.returncode}): {words}")
    code, operation, words = said[1], said[2], " ".join(said[3].split())
    if code in _DENIED:
        return AwsError(f"AWS does not let you: {service}:{operation} was refused ({code}: {words})", code)
    if code in _AGAIN:
        return AwsError(f"AWS is busy: {service} {operation} was put off {TRIES} times ({code}: {words})", code)
    return AwsError(f"{service} {operation} failed: {words} ({code})", code)
