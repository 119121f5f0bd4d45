# SPDX-License-Identifier: Apache-2.0
"""ECS as a target: what deploy/terraform makes, by the AWS CLI (aws.py). Checked against the services' own models
(system/deploy/ecs); never run on AWS.

Settings are the table `[ecs]` of the target file, or TODOKU_ECS_KEY of the environment, which goes over it:

| key | is | without it |
| --- | --- | --- |
| name | the installation's name, Terraform's `name` | it is required |
| region | of AWS | the CLI's own |
| cluster, repository, database | names of ECS's, ECR's, RDS's | `name` |
| subnets | of tasks that run once | those of a service |
| terraform | folder of the installation, from the target file's | `plan` and `apply` are refused |
| api_url | such as https://mail.example.jp | no smoke mail can be sent |
| patience_seconds | how long a task or a roll-out may take, 1 to 86400 | 1800 |
| poll_seconds | between looks, 0.01 to 60 | 5 |

and `[smoke]`, as local targets have it (local.py): from, to, and token_file, or the token itself in TODOKU_SMOKE_TOKEN.
What is deployed and who deploys are parameters of SSM, /todoku/NAME/deployed and /todoku/NAME/deploying."""
import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import socket
import subprocess
import tempfile

from verbs.aws import Aws, AwsError
from verbs.ecs_canary import Canaries
from verbs.ecs_house import Copies, Instances, Scale, Sources, Terraform
from verbs.ecs_services import CONTAINER, Services, task_id
from verbs.images import Archive
from verbs.target import Deployed, Ran, Target, TargetError

LOG_LINES_MAX = 1000


class Settings:
    """Of the table `[ecs]` and the environment; TargetError names what is missing or wrong."""

    KEYS = ("name", "region", "cluster", "repository", "database", "subnets", "terraform", "api_url",
            "patience_seconds", "poll_seconds")
    SMOKE = ("from", "to", "token_file")

    def __init__(self, table, smoke, folder):
        unknown = sorted(set(table) - set(self.KEYS))
        if unknown:
            raise TargetError(f"[ecs] has no key {unknown[0]!r}; it has {', '.join(self.KEYS)}")
        unknown = sorted(set(smoke) - set(self.SMOKE))
        if unknown:
            raise TargetError(f"[smoke] has no key {unknown[0]!r}; it has {', '.join(self.SMOKE)}")
        self._table, self._folder, self.smoke = table, folder, smoke
        self.name = self._text("name")
        if not self.name:
            raise TargetError("[ecs] name, or TODOKU_ECS_NAME, is missing: the installation's name")
        self.region = self._text("region")
        self.cluster = self._text("cluster") or self.name
        self.repository = self._text("repository") or self.name
        self.database = self._text("database") or self.name
        self.api_url = self._text("api_url")
        subnets = self._given("subnets") or []
        self.subnets = subnets.split(",") if isinstance(subnets, str) else subnets
        self.patience_seconds = self._number("patience_seconds", 1800, 1, 86400)
        self.poll_seconds = self._number("poll_seconds", 5, 0.01, 60)

    def _given(self, key):
        return os.environ.get(f"TODOKU_ECS_{key.upper()}") or self._table.get(key)

    def _text(self, key):
        value = self._given(key)
        if value is not None and not isinstance(value, str):
            raise TargetError(f"[ecs] {key} is {value!r}, not a text")
        return value or ""

    def _number(self, key, usual, least, most):
        try:
            value = float(self._given(key) or usual)
        except (TypeError, ValueError):
            value = None
        if value is None or not least <= value <= most:
            raise TargetError(f"[ecs] {key} is {self._given(key)!r}, not a number from {least} to {most}")
        return value

    def folder_of(self, key):
        value = self._text(key)
        if not value:
            raise TargetError(f"[ecs] {key}, or TODOKU_ECS_{key.upper()}, is missing")
        return str(self.beside(value))

    def beside(self, path):
        """Relative ones are from the target file's folder."""
        return (self._folder / pathlib.Path(path)).resolve()


class EcsTarget(Target):
    # CloudWatch needs three bad minutes for most alarms that go off soon (deploy/terraform/modules/alarms), and has a
    # minute's figures up to two minutes later. A look is a dozen calls of the CLI, each of which takes about a second.
    watch_seconds = 300
    look_seconds = 15

    def __init__(self, where, settings, folder):
        tables = [settings.get(name, {}) for name in ("ecs", "smoke")]
        for table in tables:
            if not isinstance(table, dict):
                raise TargetError(f"{where}: {table!r} is not a table")
        self._settings = Settings(*tables, folder)
        self.name = f"ecs:{self._settings.name}"
        self._aws = Aws(self._settings.region, min(1.0, self._settings.poll_seconds))
        parts = (self._aws, self._settings)
        self._services = Services(*parts)
        self._canaries = Canaries(*parts, self._services)
        self._sources = Sources(*parts, self._services)
        self._instances = Instances(*parts, self._services)
        self._copies = Copies(*parts, self._services)
        self._scale = Scale(*parts, self._services)
        self._terraform = Terraform(self._settings)

    # ---- versions ----------------------------------------------------------------------------

    def push(self, archive, version, say):
        with Archive(archive) as image:
            version, digest, tag = version or image.tag, image.digest, image.tag
        if not version:
            raise TargetError(f"{archive} has no tag: name a version with --version")
        there = self._digest(version)
        if there not in (None, digest):
            raise TargetError(f"version {version} is there and is {there}, not {digest}: a version never changes, "
                              "name another")
        if there == digest:
            return version
        uri = self._aws.call("ecr", "describe-repositories",
                             repositoryNames=[self._settings.repository])["repositories"][0]["repositoryUri"]
        say(f"{digest} to {uri}:{version}")
        self._copy(f"oci-archive:{archive}" + (f":{tag}" if tag else ""), uri, version)
        if self._digest(version) != digest:
            raise TargetError(f"the registry has {self._digest(version)} as {version}, not {digest}")
        return version

    def _digest(self, version):
        """That of this version in the registry; None where it is not there."""
        try:
            answer = self._aws.call("ecr", "describe-images", repositoryName=self._settings.repository,
                                    imageIds=[{"imageTag": version}])
        except AwsError as error:
            if error.code == "ImageNotFoundException":
                return None
            raise
        return answer["imageDetails"][0]["imageDigest"]

    def _copy(self, origin, uri, version):
        """The registry's password goes by a file of ours, not by a command line that all can read."""
        data = self._aws.call("ecr", "get-authorization-token")["authorizationData"][0]
        with tempfile.TemporaryDirectory() as work:  # 0700
            keys = pathlib.Path(work, "auth.json")
            keys.write_text(json.dumps({"auths": {uri.split("/")[0]: {"auth": data["authorizationToken"]}}}),
                            encoding="utf-8")
            try:
                done = subprocess.run(["skopeo", "copy", "--quiet", "--preserve-digests", "--dest-authfile", str(keys),
                                       origin, f"docker://{uri}:{version}"], capture_output=True, text=True, check=False)
            except FileNotFoundError as error:
                raise TargetError("skopeo is missing: apt install skopeo") from error
        if done.returncode != 0:
            raise TargetError(f"skopeo copied nothing to {uri}: {' '.join(done.stderr.split())[-400:]}")

    def versions(self):
        answer = self._aws.call("ecr", "describe-images", repositoryName=self._settings.repository,
                                filter={"tagStatus": "TAGGED"})
        images = sorted(answer["imageDetails"], key=lambda image: str(image["imagePushedAt"]))
        # settings-...: of what writes the files (deploy/terraform/modules/registry).
        return [tag for image in images for tag in image["imageTags"] if not tag.startswith("settings-")]

    def deployed(self):
        try:
            answer = self._aws.call("ssm", "get-parameter", Name=self._parameter("deployed"))
        except AwsError as error:
            if error.code == "ParameterNotFound":
                return Deployed()
            raise
        try:
            kept = json.loads(answer["Parameter"]["Value"])
            return Deployed(*(kept.get(field.name) for field in dataclasses.fields(Deployed)))
        except (ValueError, AttributeError) as error:
            raise TargetError(f"{self._parameter('deployed')} of SSM cannot be read: {error}") from error

    def remember(self, deployed):
        self._aws.call("ssm", "put-parameter", Name=self._parameter("deployed"), Type="String", Overwrite=True,
                       Value=json.dumps(dataclasses.asdict(deployed)))

    def _parameter(self, name):
        return f"/todoku/{self._settings.name}/{name}"

    @contextlib.contextmanager
    def lock(self):
        """The parameter is there or it is not: of two that make it one gets it."""
        name = self._parameter("deploying")
        since = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
        try:
            self._aws.call("ssm", "put-parameter", Name=name, Type="String", Overwrite=False,
                           Value=f"{socket.gethostname()}, process {os.getpid()}, since {since} UTC")
        except AwsError as error:
            if error.code != "ParameterAlreadyExists":
                raise
            raise TargetError(f"another verb changes {self.name}: {self._holder(name)}. If it was broken off: "
                              f"aws ssm delete-parameter --name {name}") from error
        try:
            yield
        finally:
            self._aws.call("ssm", "delete-parameter", Name=name)

    def _holder(self, name):
        try:
            return self._aws.call("ssm", "get-parameter", Name=name)["Parameter"]["Value"]
        except AwsError:
            return "it has just ended"

    # ---- tasks -------------------------------------------------------------------------------

    def services(self):
        return self._services.services()

    def tasks(self):
        return self._services.tasks()

    def canary(self, service, version, say):
        return self._canaries.begin(service, version, say)

    def replace(self, service, version, say):
        self._canaries.release(service, say)
        self._services.replace(service, version, say)
        self._canaries.as_usual(service)
        self._canaries.end(service, say)

    def run_once(self, version, words, say):
        definition = self._services.definition("migrate", version, say)
        say(f"todoku {' '.join(words)} of {version}, as a task of its own")
        arn = self._services.run(definition, self._network(), words=words)
        told = self._services.wait(lambda: self._ended(arn), f"todoku {words[0]} has not ended")
        ours = next((c for c in told["containers"] if c["name"] == CONTAINER), {})
        if "exitCode" not in ours:
            raise TargetError(f"todoku {words[0]} did not run: {ours.get('reason') or told.get('stoppedReason')}")
        return Ran(ours["exitCode"], self._log(arn))

    def _ended(self, arn):
        told = self._services.tell([arn])
        if not told:
            raise TargetError(f"the task {task_id(arn)} is gone")
        return told[0] if told[0]["lastStatus"] == "STOPPED" else None

    def _network(self):
        """Where a task that runs once is: the security group NAME-migrate may reach the database."""
        subnets = self._settings.subnets or next(
            (told["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
             for told in self._services.described().values() if "networkConfiguration" in told), [])
        name = f"{self._settings.name}-migrate"
        groups = self._aws.call("ec2", "describe-security-groups",
                                Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
        if len(groups) != 1 or not subnets:
            raise TargetError(f"{len(groups)} security groups are named {name}, and {len(subnets)} subnets are known: "
                              "exactly one, and at least one, are wanted (deploy/terraform, modules/migrate)")
        return {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [groups[0]["GroupId"]],
                                        "assignPublicIp": "DISABLED"}}

    def _log(self, arn):
        """What it wrote; its exit status counts without it."""
        try:
            answer = self._aws.call("logs", "get-log-events", logGroupName=f"/{self._settings.name}/migrate",
                                    logStreamName=f"migrate/{CONTAINER}/{task_id(arn)}", startFromHead=True,
                                    limit=LOG_LINES_MAX)
        except AwsError as error:
            return f"(its log cannot be read: {error})"
        return "\n".join(event["message"] for event in answer["events"])

    # ---- looking -----------------------------------------------------------------------------

    def watch(self, version):
        alarms = self._alarms()
        beside = self._canaries.beside(version)
        ended = {task.id for task in self._services.tasks(stopped=True)}

        def wrong():
            found = [f"the alarm {name} goes off" for name in sorted(self._alarms() - alarms)]
            found += [f"{task.service}: the task {task.id} of {version} ended: {task.detail}"
                      for task in self._services.tasks(stopped=True)
                      if task.version == version and task.id not in ended and "Scaling activity" not in task.detail]
            found += [f"{task.service}: the task {task.id} of {version}: {task.detail}"
                      for task in self._services.tasks() if task.version == version and task.state == "unready"]
            return found + self._canaries.faults(beside)

        return wrong

    def _alarms(self):
        """Those of the installation that are on. What was on before is not the new version's doing."""
        answer = self._aws.call("cloudwatch", "describe-alarms", AlarmNamePrefix=f"{self._settings.name}-",
                                StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return {alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer.get(kind, [])}

    def api(self):
        token, file = os.environ.get("TODOKU_SMOKE_TOKEN"), self._settings.smoke.get("token_file")
        if not token and file:
            try:
                token = self._settings.beside(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise TargetError(f"[smoke] token_file {file} cannot be read: {error.strerror}") from error
        if not self._settings.api_url or not token:
            raise TargetError("[ecs] api_url is needed, and [smoke] token_file or the variable TODOKU_SMOKE_TOKEN")
        return self._settings.api_url, token

    def smoke_recipients(self):
        return [tuple(pair) for pair in self._settings.smoke.get("to", [])]

    def smoke_sender(self):
        sender = self._settings.smoke.get("from")
        if not sender:
            raise TargetError("[smoke] from is missing: an address of a domain that is proven")
        return sender

    # ---- infrastructure and data --------------------------------------------------------------

    def plan(self, say):
        return self._terraform.plan(self._version(), say)

    def apply(self, say):
        self._terraform.apply(self._version(), say)

    def _version(self):
        """What Terraform is to take for `image_tag`: what runs; before the first, what was pushed last."""
        version = self.deployed().current or (self.versions() or [None])[-1]
        if version is None:
            raise TargetError(f"{self._settings.repository} has no version yet: push one first")
        return version

    def drain(self, what, say):
        holder = self._instances.holder(what)
        if holder is None:
            self._sources.drain(what, say)
        else:
            self._instances.drain(holder, what, say)

    def resume(self, what, say):
        holder = self._instances.holder(what)
        if holder is None:
            self._sources.resume(what, say)
        else:
            self._instances.resume(holder, what, say)

    def scale(self, service, count, say):
        """At least this many tasks, or couriers in all zones together."""
        self._scale.scale(service, count, say)

    def backup(self, to, say):
        return self._copies.backup(to, say)

    def restore(self, copy, say):
        self._copies.restore(copy, say)
