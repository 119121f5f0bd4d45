# SPDX-License-Identifier: Apache-2.0
"""Lines in CloudWatch's Embedded Metric Format, held to its specification ("Specification: Embedded
metric format", Amazon CloudWatch User Guide)."""
import json

UNITS = {"Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes",
         "Terabytes", "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count",
         "Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second",
         "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second",
         "Gigabits/Second", "Terabits/Second", "Count/Second", "None"}
EVENT_OCTETS_MAX = 1 << 20
DAY = 86_400


class Broken(Exception):
    pass


def need(condition, rule):
    if not condition:
        raise Broken(rule)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def read(line, now):
    """{"role": ..., name: value, ...} of one line. Raises Broken where it breaks a rule."""
    need(len(line.encode()) <= EVENT_OCTETS_MAX, "an event has at most 1 MB")
    try:
        root = json.loads(line, parse_constant=lambda word: need(False, f"{word} is no number"))
    except ValueError as error:
        raise Broken(f"an event is one JSON object: {error}") from error
    need(isinstance(root, dict), "an event is one JSON object")
    metadata = root.get("_aws")
    need(isinstance(metadata, dict), "_aws is an object")
    at = metadata.get("Timestamp")
    need(isinstance(at, int) and not isinstance(at, bool), "Timestamp is a whole number")
    # PutLogEvents: neither older than 14 days nor more than 2 hours ahead.
    need(now - 14 * DAY < at / 1000 < now + 7200, "Timestamp is in milliseconds since 1970")
    directives = metadata.get("CloudWatchMetrics")
    need(isinstance(directives, list), "CloudWatchMetrics is an array")
    found = {}
    for directive in directives:
        name_space = directive.get("Namespace")
        need(isinstance(name_space, str) and 1 <= len(name_space) <= 1024, "Namespace is a string")
        sets = directive.get("Dimensions")
        need(isinstance(sets, list) and sets, "Dimensions is an array of sets")
        for keys in sets:
            need(isinstance(keys, list) and len(keys) <= 30, "a set has at most 30 keys")
            for key in keys:
                need(isinstance(root.get(key), str) and 1 <= len(root[key]) <= 1024,
                     "a dimension is a string at the root")
                found[key] = root[key]
        need(sets == [["role"]], "the only dimension is role")
        metrics = directive.get("Metrics")
        need(isinstance(metrics, list) and len(metrics) <= 100, "at most 100 metrics")
        for metric in metrics:
            name = metric.get("Name")
            need(isinstance(name, str) and 1 <= len(name) <= 1024, "a metric has a name")
            need(metric.get("Unit", "None") in UNITS, "a unit is one of CloudWatch's")
            need(is_number(root.get(name)), f"{name} is a number at the root")
            found[name] = root[name]
    return found
