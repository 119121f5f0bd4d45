# SPDX-License-Identifier: Apache-2.0
"""deploy/github/deploy.yml, offline: it calls the verbs that there are, in the order of the pipeline for GitLab, with the
same options; what has rights runs from this repository's own pushes and requests only; no action of others, no value of
an event in a command. And aws-credentials against a stand-in for GitHub.

usage: github_test.py
"""
import contextlib
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE)]

from rundeck_check import NoTwice  # noqa: E402

TEXT = (ROOT / "deploy/github/deploy.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.load(TEXT, Loader=NoTwice)
GITLAB = yaml.load((ROOT / "deploy/gitlab/todoku.gitlab-ci.yml").read_text(encoding="utf-8"), Loader=NoTwice)


def commands(job):
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


def verbs(lines):
    """(verb, options) of each call of deploy/bin, without where to and how long."""
    calls = [re.match(r'deploy/bin/([\w-]+)(.*)', line, re.DOTALL) for line in lines]
    return [(call[1], " ".join(re.sub(r'\$\{WATCH_SECONDS:\+--watch "\$WATCH_SECONDS"\}', "", call[2]).split())) for call in calls if call]


class Github(unittest.TestCase):
    def test_the_verbs_are_those_of_the_other_pipeline_in_its_order(self):
        theirs = [line for job in ("push", "migrate", "roll", "what runs") for line in GITLAB[job]["script"]]
        self.assertEqual(verbs(commands("roll")), verbs(theirs))
        self.assertEqual(verbs(commands("plan")), verbs(GITLAB["plan"]["script"]))
        self.assertEqual(verbs(commands("build")), verbs(GITLAB["build image"]["script"]))
        by_hand = {name.split("/")[-1] for job in ("apply", "contract", "migrate without a way back", "roll back")
                   for name in re.findall(r"deploy/bin/\w+", " ".join(GITLAB[job]["script"]))}
        # YAML 1.1 reads the key `on` as true.
        self.assertEqual(set(WORKFLOW[True]["workflow_dispatch"]["inputs"]["verb"]["options"]), by_hand)

    def test_what_there_is_no_way_back_from_is_only_begun_by_hand(self):
        for flag, its in (("--no-way-back", "migrate without a way back"), ("deploy/bin/contract", "contract")):
            for name, job in GITLAB.items():
                if isinstance(job, dict) and any(flag in line for line in job.get("script", ())):
                    self.assertEqual((name, job["extends"]), (its, ".by hand"))
        # What the pipeline refuses to migrate is not rolled, so it must not wait for that; nothing is taken away before.
        self.assertFalse({"migrate", "roll"} & set(GITLAB["migrate without a way back"]["needs"]))
        self.assertEqual(GITLAB["contract"]["needs"], ["roll"])
        self.assertIn("--no-way-back --yes", GITLAB["migrate without a way back"]["script"][-1])
        self.assertEqual([name for name in WORKFLOW["jobs"] if any("--no-way-back" in line for line in commands(name))],
                         ["by-hand"])

    def test_every_command_is_there(self):
        for job in WORKFLOW["jobs"]:
            for line in commands(job):
                for path in re.findall(r"(?:^|\s)(?:\./)?((?:deploy|tools)/[\w/-]+|test$)", line):
                    if not path.endswith("/"):
                        self.assertTrue(os.access(ROOT / path, os.X_OK) or (ROOT / path).is_dir(), f"{job}: {path}")

    def test_no_value_of_an_event_becomes_a_command(self):
        for job in WORKFLOW["jobs"]:
            for line in commands(job):
                self.assertNotIn("${{", line)

    def test_only_githubs_own_actions(self):
        for job in WORKFLOW["jobs"].values():
            for step in job["steps"]:
                if "uses" in step:
                    self.assertRegex(step["uses"], r"^actions/(checkout|upload-artifact|download-artifact)@v\d+$")

    def test_rights_are_for_those_jobs_that_need_them(self):
        self.assertEqual(WORKFLOW["permissions"], {"contents": "read"})
        for name, job in WORKFLOW["jobs"].items():
            has_rights = "id-token" in job.get("permissions", {})
            self.assertEqual(has_rights, any("aws-credentials" in line for line in commands(name)), name)
            if has_rights:
                self.assertRegex(job["if"], "head.repo.full_name == github.repository|event_name == 'push'|default_branch")
            self.assertEqual("environment" in job, name in ("roll", "by-hand"), name)
            if "environment" in job:
                self.assertEqual(job["concurrency"], {"group": "production", "cancel-in-progress": False})

    def test_jobs_wait_for_each_other(self):
        self.assertEqual(set(WORKFLOW["jobs"]["roll"]["needs"]), {"build", "plan"})


class Token(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):  # noqa: N802
        Token.asked.append((self.path, self.headers["Authorization"]))
        octets = json.dumps({"value": "signed-by-github"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_):
        pass


class Credentials(unittest.TestCase):
    def run_it(self, **environment):
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Token))
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            stack.callback(server.shutdown)
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            done = subprocess.run([ROOT / "deploy/github/aws-credentials"], capture_output=True, text=True, check=False,
                                  env={"PATH": "/usr/bin:/bin", "RUNNER_TEMP": str(folder),
                                       "GITHUB_ENV": str(folder / "env"), "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
                                       "ACTIONS_ID_TOKEN_REQUEST_URL":
                                           f"http://127.0.0.1:{server.server_port}/token?v=1", **environment})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("signed", done.stdout + done.stderr)
            file = folder / "aws-token"
            if not file.exists():
                return None
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
            self.assertIn(f"AWS_WEB_IDENTITY_TOKEN_FILE={file}\n", (folder / "env").read_text(encoding="utf-8"))
            return file.read_text(encoding="utf-8")

    def test_the_cli_gets_what_github_signs(self):
        Token.asked.clear()
        self.assertEqual(self.run_it(AWS_ROLE_ARN="arn:aws:iam::111122223333:role/deploy"), "signed-by-github")
        self.assertEqual(Token.asked, [("/token?v=1&audience=sts.amazonaws.com", "bearer of-the-job")])

    def test_without_a_role_nothing_is_done(self):
        self.assertIsNone(self.run_it())


if __name__ == "__main__":
    unittest.main()
