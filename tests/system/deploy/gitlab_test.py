# SPDX-License-Identifier: Apache-2.0
"""deploy/gitlab/todoku.gitlab-ci.yml, run by gitlab-ci-local (npm) with the shell of this machine: on a local cluster of
the engine's processes, and on ECS as the recorder plays it.

Built is not again: tools/build hands out the program that is given, tools/install, tools/tidy and ./test only say that
they were called. All else is the project's own: the image (of the first version that the pipeline brings; later ones
are archives of one program, which take no half minute), the verbs, Terraform's checker.

usage: gitlab_test.py TODOKU WORK_FOLDER STAND-IN_FOR_AWS
"""
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE)]

from aws_recorder import Recorder  # noqa: E402
from local_stand import LocalStand, check, check_equal  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from ecs_verbs_test import Api  # noqa: E402
from whole import WHOLE  # noqa: E402
from world_of_test import IMAGE, NAME, world  # noqa: E402

STAND_INS = {
    "tools/install": 'echo "install $*"',
    "tools/tidy": "echo tidy",
    "tools/build": 'mkdir -p build/release/src; cp "$PROGRAM" build/release/src/todoku',
    "test": "echo all tests",
}
TERRAFORM = """#!/bin/sh
# Reads what there is with the project's own checker, and changes nothing.
echo "$@" >>"$AWS_RECORDER.terraform"
case $2 in
  init) exec "$(git rev-parse --show-toplevel)/deploy/terraform/check" ;;
  plan) echo 'Plan: 0 to add, 1 to change, 0 to destroy.'; exit 2 ;;
  show) echo '{"resource_changes": [{"change": {"actions": ["update"]}}]}' ;;
esac
"""
IMAGE_BUILD = f"""#!/usr/bin/python3
# An image of nothing but the program.
import os, pathlib, shutil, subprocess, sys
sys.path.insert(0, {str(HERE)!r})
from image_archive import write_archive
version = subprocess.check_output(["git", "describe", "--tags", "--exact-match"], text=True).strip()[1:]
into = pathlib.Path("build/image")
shutil.rmtree(into, ignore_errors=True)
(into / "root/usr/bin").mkdir(parents=True)
shutil.copy("build/release/src/todoku", into / "root/usr/bin/todoku")
write_archive(into / "root", into / "todoku.oci.tar", version)
(into / "version").write_text(version)
(into / "digest").write_text("of " + version)
"""
SKOPEO = """#!/usr/bin/python3
# The registry has what was copied, under its own digest.
import json, os, pathlib, sys, tarfile
archive = sys.argv[-2].split(":")[1]
with tarfile.open(archive) as tar:
    digest = json.load(tar.extractfile("index.json"))["manifests"][0]["digest"]
there = pathlib.Path(os.environ["AWS_RECORDER"]).with_name("world.json")
world = json.loads(there.read_text())
world["images"][sys.argv[-1].rpartition(":")[2]] = {"digest": digest, "at": "2026-01-05T00:00:00+09:00"}
there.write_text(json.dumps(world))
"""


def installed(folder):
    """gitlab-ci-local, from the registry once."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "node_modules/gitlab-ci-local/src/index.js"
    lock = (HERE / "pipeline/package-lock.json").read_text(encoding="utf-8")
    done = folder / "lock-of-what-is-installed.json"
    if not program.exists() or not done.exists() or done.read_text(encoding="utf-8") != lock:
        shutil.copytree(HERE / "pipeline", folder, dirs_exist_ok=True)
        # Scripts of packages are not run: the only one that has any is replaced (pipeline/re2).
        subprocess.run(["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts",
                        "--loglevel=error"], cwd=folder, check=True)
        done.write_text(lock, encoding="utf-8")
    return program


class Project:
    """A repository that includes the pipeline, as README.md says."""

    def __init__(self, folder, program, gitlab):
        self.folder, self.program, self.gitlab, self.home = folder / "project", program, gitlab, folder / "home"
        self.home.mkdir()
        for name in ("deploy", "tools", "docs", "src"):
            shutil.copytree(ROOT / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "LICENSE", self.folder)
        for name, does in STAND_INS.items():
            path = self.folder / name
            path.write_text(f"#!/bin/bash\nset -e\n{does}\n", encoding="utf-8")
            path.chmod(0o755)
        (self.folder / ".gitignore").write_text("build/\n.gitlab-ci-local/\n", encoding="utf-8")
        (self.folder / ".gitlab-ci.yml").write_text("include:\n  - local: deploy/gitlab/todoku.gitlab-ci.yml\n",
                                                    encoding="utf-8")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("1")
        subprocess.run(["git", "clone", "--quiet", "--bare", self.folder, folder / "origin"], check=True)
        self.git("remote", "add", "origin", f"file://{folder / 'origin'}")
        self.git("fetch", "--quiet")
        self.git("remote", "set-head", "origin", "main")

    def git(self, *words):
        subprocess.run(["git", "-C", self.folder, "-c", "user.name=test", "-c", "user.email=test@example.jp",
                        "-c", "tag.gpgsign=false", "-c", "commit.gpgsign=false", *words], check=True)

    def commit(self, version):
        """A commit that is this version."""
        (self.folder / "version-of-test").write_text(version, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", f"Version {version}")
        self.git("tag", f"v{version}")

    def pipeline(self, *words, expect=0, path="", variables=(), program=None, **environment):
        """What it said."""
        line = ["node", self.gitlab, "--force-shell-executor", "--no-color",
                *(f"--variable={variable}" for variable in variables), *words]
        done = subprocess.run(line, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=self.folder,
                              env={"PATH": f"{path}:/usr/bin:/bin".lstrip(":"), "HOME": str(self.home),
                                   "npm_config_cache": os.environ.get("npm_config_cache", str(pathlib.Path.home() / ".npm")),
                                   "PROGRAM": str(program or self.program), "LANG": "C.UTF-8", **environment})
        said = done.stdout + done.stderr
        print("".join(f"    {line}\n" for line in said.splitlines()), flush=True)
        check_equal(done.returncode, expect, f"exit status of the pipeline {words}")
        return said


def jobs_of(project):
    """gitlab-ci-local holds the file against GitLab's own schema first. A merge request changes nothing."""
    def listed(*variables):
        told = project.pipeline("--list-json", variables=variables)
        jobs = json.JSONDecoder().raw_decode(told[told.index("[\n"):])[0]
        return {job["name"]: job for job in jobs if job["when"] != "never"}
    merge = listed("CI_PIPELINE_SOURCE=merge_request_event")
    check_equal(sorted(merge), ["build", "build image", "lint", "plan", "test"], "jobs of a merge request")
    main = listed()
    by_hand = {name for name, job in main.items() if job["when"] == "manual"}
    check_equal(by_hand, {"apply", "contract", "migrate without a way back", "roll back"}, "what only people begin")


def on_a_local_cluster(stand, project):
    variables = [f"DEPLOY_TARGET=local:{stand.directory}", "WATCH_SECONDS=1"]
    project.commit("2")
    said = project.pipeline(variables=variables)
    check(stand.is_all_of("2"), "the pipeline brought version 2 to run")
    check("smoke mail: taken by" in said, "smoke mails were sent")
    for line in ("install test", "tidy", "all tests"):
        check(line in said, f"{line!r} was called")
    project.pipeline("roll back", variables=variables)
    check(stand.is_all_of("1"), "version 1 runs again")


def one_that_does_not_start(stand, project, folder):
    variables = [f"DEPLOY_TARGET=local:{stand.directory}", "WATCH_SECONDS=1"]
    (project.folder / "deploy/bin/build").write_text(IMAGE_BUILD, encoding="utf-8")
    project.commit("3")
    broken = folder / "broken"
    shutil.copy("/bin/false", broken)
    said = project.pipeline(variables=variables, program=broken, expect=1)
    check(stand.is_all_of("1"), "a version that does not start changed nothing")
    check("what runs" not in [line.strip() for line in said.splitlines()], "nothing comes after a roll that failed")


def on_ecs(project, folder, recorder, url):
    for name, text in (("terraform", TERRAFORM), ("skopeo", SKOPEO)):
        (recorder.bin / name).write_text(text, encoding="utf-8")
        (recorder.bin / name).chmod(0o755)
    target = folder / "mail.toml"
    target.write_text(f"""
kind = "ecs"
[ecs]
name = "{NAME}"
region = "ap-northeast-1"
api_url = "{url}"
terraform = "{project.folder}/deploy/terraform/examples/production"
patience_seconds = 30
poll_seconds = 0.01
[smoke]
from = "smoke@example.jp"
to = [["a mailbox", "smoke@example.com"]]
""", encoding="utf-8")
    variables = [f"DEPLOY_TARGET={target}", "WATCH_SECONDS=1"]
    more = {"path": str(recorder.bin), "TODOKU_SMOKE_TOKEN": "of-the-test", **recorder.environment()}
    project.commit("4")
    said = project.pipeline(variables=variables, **more)
    check("of-the-test" not in said, "the token is not said")
    check_equal({t["version"] for t in recorder.world()["tasks"] if t["status"] == "RUNNING"}, {"4"}, "what runs on ECS")
    project.pipeline("apply", variables=variables, **more)
    calls = pathlib.Path(f"{recorder.environment()['AWS_RECORDER']}.terraform").read_text(encoding="utf-8")
    check(any(" apply " in line for line in calls.splitlines()), "Terraform has applied")
    recorder.write("faults.json", {"versions": {"5": "ends"}})
    project.commit("5")
    said = project.pipeline(variables=variables, expect=1, **more)
    check("rolled back: version 4 runs as before" in said, "it went back by itself")
    check_equal({t["version"] for t in recorder.world()["tasks"] if t["status"] == "RUNNING"}, {"4"}, "what runs on ECS")
    check_equal([c for c in recorder.calls() if c["service"] == "?"], [], "calls that are not of AWS's models")
    print(f"{len(recorder.calls())} calls of AWS, all of its models; the image is {IMAGE}")


def main():
    gitlab = installed(pathlib.Path(sys.argv[2]))
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        project = Project(folder, pathlib.Path(sys.argv[1]).resolve(), gitlab)
        jobs_of(project)
        server = stack.enter_context(PostgresServer())
        stand = stack.enter_context(LocalStand(sys.argv[1], server))
        stand.push("1")
        stand.verb("migrate")
        stand.begin_account()
        stand.verb("roll", "--version", "1", "--watch", "0", "--no-trial")
        on_a_local_cluster(stand, project)
        if not WHOLE:
            return
        one_that_does_not_start(stand, project, folder)
        recorder = stack.enter_context(Recorder(folder / "aws", world(), sys.argv[3]))
        api = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api))
        threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stack.callback(api.shutdown)
        on_ecs(project, folder, recorder, f"http://127.0.0.1:{api.server_port}")


if __name__ == "__main__":
    main()
