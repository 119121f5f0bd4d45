#!/usr/bin/python3 -IS
# SPDX-License-Identifier: Apache-2.0
"""Stands for `aws`, `curl` and `ip` of a courier: EC2's addresses are a file (EC2_STATE), of which each call sees and
changes what the real one would. INSTANCE is the machine on which it is called."""
import json
import os
import pathlib
import sys

STATE = pathlib.Path(os.environ["EC2_STATE"])
INSTANCE = os.environ["INSTANCE"]


def option(words, name):
    return words[words.index(name) + 1]


def aws(state, words):
    service, verb = words[:2]
    if service != "ec2":
        return 2
    state["calls"].append(f"{INSTANCE} {verb}")
    addresses = state["addresses"]
    if verb == "describe-addresses":
        for allocation, address in addresses.items():
            print(allocation, address["private"], address["holder"] or "None", sep="\t")
    elif verb == "assign-private-ip-addresses":
        if option(words, "--network-interface-id") != f"eni-{INSTANCE}":
            return 2
        private = option(words, "--private-ip-addresses")
        # Another was faster since it was looked at.
        for address in addresses.values():
            if private == address["private"] and private in state["taken_meanwhile"]:
                address["holder"] = "i-fast"
                state["private"]["i-fast"] = [private]
        for held in state["private"].values():
            if private in held:
                if "--allow-reassignment" not in words:
                    return 254
                held.remove(private)
        state["private"].setdefault(INSTANCE, []).append(private)
    elif verb == "associate-address":
        address = addresses[option(words, "--allocation-id")]
        if address["holder"] and "--allow-reassociation" not in words:
            return 254
        if address["private"] != option(words, "--private-ip-address") or \
                address["private"] not in state["private"].get(INSTANCE, []):
            return 254
        address["holder"] = INSTANCE
    else:
        return 2
    return 0


def curl(state, words):
    url = words[-1]
    if url.endswith("/api/token"):
        print("token", end="")
    elif "X-aws-ec2-metadata-token: token" not in words:
        return 22  # IMDSv2 only
    else:
        answers = {"instance-id": INSTANCE, "mac": "02:00:00:00:00:01", "placement/region": "ap-northeast-1",
                   "network/interfaces/macs/02:00:00:00:00:01/interface-id": f"eni-{INSTANCE}",
                   "network/interfaces/macs/02:00:00:00:00:01/local-ipv4s":
                       "\n".join(["10.20.16.9", *state["private"].get(INSTANCE, [])])}
        print(answers[url.split("/meta-data/")[1]], end="")
    return 0


def ip(state, words):
    here = state["system"].setdefault(INSTANCE, [])
    if words[:4] == ["-o", "route", "get", "169.254.169.254"]:
        print("169.254.169.254 dev ens5 src 10.20.16.9 uid 0 \\    cache")
    elif words[:2] == ["address", "replace"] and words[3:] == ["dev", "ens5"]:
        if words[2] not in here:
            here.append(words[2])
    elif words[:2] == ["address", "del"] and words[3:] == ["dev", "ens5"]:
        if words[2] not in here:
            return 2
        here.remove(words[2])
    else:
        return 2
    return 0


if __name__ == "__main__":
    kept = json.loads(STATE.read_text())
    status = {"aws": aws, "curl": curl, "ip": ip}[pathlib.Path(sys.argv[0]).name](kept, sys.argv[1:])
    STATE.write_text(json.dumps(kept))
    sys.exit(status)
