# SPDX-License-Identifier: Apache-2.0
"""What stands around the services on AWS: Terraform, the sources' addresses, instances of couriers, copies of the
database."""
import datetime
import json
import os
import re
import subprocess
import tempfile

from verbs.ecs_services import task_id
from verbs.target import TargetError

ZONE, RESTING = "todoku:zone", "todoku:resting-zone"


class Terraform:
    """`terraform` in the folder of an installation (deploy/terraform/examples), the version given as `image_tag`. Where the
    state is comes by TF_CLI_ARGS_init, other variables by TF_VAR_name, as Terraform has it."""

    def __init__(self, settings):
        self._settings = settings

    def _run(self, *words, good=(0,)):
        folder = self._settings.folder_of("terraform")
        try:
            done = subprocess.run(["terraform", f"-chdir={folder}", *words], capture_output=True, text=True, check=False,
                                  env={**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"})
        except FileNotFoundError as error:
            raise TargetError("terraform is missing") from error
        if done.returncode not in good:
            raise TargetError(f"terraform {words[0]} failed in {folder}:\n"
                              f"{(done.stderr or done.stdout).strip()[-2000:]}")
        return done

    def plan(self, version, say, keep=None):
        """How many resources would change; the plan itself is said, and written to `keep`."""
        with tempfile.TemporaryDirectory() as work:
            file = keep or os.path.join(work, "plan")
            self._run("init", "-no-color", "-input=false")
            say(f"terraform plan, image_tag={version}")
            done = self._run("plan", "-no-color", "-detailed-exitcode", f"-out={file}", f"-var=image_tag={version}",
                             good=(0, 2))
            say(done.stdout.strip()[-20000:])
            if done.returncode == 0:
                return 0
            told = json.loads(self._run("show", "-json", file).stdout)
        # A plan of which only outputs differ is none that changes anything.
        return sum(1 for change in told.get("resource_changes", [])
                   if set(change["change"]["actions"]) - {"no-op", "read"})

    def apply(self, version, say):
        """Exactly what is shown."""
        with tempfile.TemporaryDirectory() as work:
            file = os.path.join(work, "plan")
            changes = self.plan(version, say, keep=file)
            if changes == 0:
                say("nothing is to be changed")
                return
            say(f"terraform apply: {changes} changes")
            say(self._run("apply", "-no-color", "-auto-approve", file).stdout.strip()[-20000:])


class Sources:
    """Addresses and the instances that carry them. An address rests when its tag `todoku:zone`, by which couriers look
    for what is theirs (modules/couriers/claim.sh), has another name, and it is taken off its instance: the courier sees
    that within ten seconds and ends what it sends from there, and mail is chosen another source."""

    def __init__(self, aws, settings, services):
        self._aws, self._settings, self._services = aws, settings, services

    def _address(self, source):
        answer = self._aws.call("ec2", "describe-addresses", Filters=[
            {"Name": "tag:todoku:installation", "Values": [self._settings.name]},
            {"Name": "tag:todoku:source", "Values": [source]}])
        if not answer["Addresses"]:
            raise TargetError(f"there is no task, instance or source {source!r}")
        address = answer["Addresses"][0]
        return address, {tag["Key"]: tag["Value"] for tag in address.get("Tags", [])}

    def _move(self, address, tags, old, new):
        self._aws.call("ec2", "create-tags", Resources=[address["AllocationId"]],
                       Tags=[{"Key": new, "Value": tags[old]}])
        self._aws.call("ec2", "delete-tags", Resources=[address["AllocationId"]], Tags=[{"Key": old}])

    def drain(self, source, say):
        address, tags = self._address(source)
        if ZONE in tags:
            say(f"{source}: no courier is to take {address['PublicIp']} from now on")
            self._move(address, tags, ZONE, RESTING)
        if address.get("AssociationId"):
            say(f"{source}: off {address.get('InstanceId', 'its instance')}")
            self._aws.call("ec2", "disassociate-address", AssociationId=address["AssociationId"])

    def resume(self, source, say):
        address, tags = self._address(source)
        if RESTING in tags:
            say(f"{source}: couriers of {tags[RESTING]} may take {address['PublicIp']}, which one does within a minute")
            self._move(address, tags, RESTING, ZONE)


class Instances:
    """ECS drains an instance: its courier gets SIGTERM, ends in order and hands over its sources."""

    def __init__(self, aws, settings, services):
        self._aws, self._settings, self._services = aws, settings, services

    def holder(self, what):
        """ARN of the container instance that `what` names: its EC2 instance, or a task on it. None: neither."""
        if re.fullmatch(r"i-[0-9a-f]{8,17}", what):
            arns = self._aws.call("ecs", "list-container-instances", cluster=self._settings.cluster,
                                  filter=f"ec2InstanceId == {what}")["containerInstanceArns"]
            if not arns:
                raise TargetError(f"{what} is no instance of the cluster {self._settings.cluster}")
            return arns[0]
        if re.fullmatch(r"[0-9a-f]{32}", what):
            for told in self._services.tell([what]):
                return told.get("containerInstanceArn", "")
            raise TargetError(f"ECS knows no task {what} any more: name its instance (i-...)")
        return None

    def _set(self, arn, status):
        answer = self._aws.call("ecs", "update-container-instances-state", cluster=self._settings.cluster,
                                containerInstances=[arn], status=status)
        for failure in answer.get("failures", []):
            raise TargetError(f"{task_id(arn)} does not become {status}: {failure.get('reason')}")

    def drain(self, arn, what, say):
        if not arn:
            raise TargetError(f"{what} is on Fargate: its service would start another at once. Roll, or scale instead")
        say(f"{what}: its courier ends in order and hands over its sources")
        self._set(arn, "DRAINING")
        self._services.wait(lambda: self._is_empty(arn) or None, f"{what}: its courier has not ended")

    def _is_empty(self, arn):
        answer = self._aws.call("ecs", "describe-container-instances", cluster=self._settings.cluster,
                                containerInstances=[arn])
        return answer["containerInstances"][0]["runningTasksCount"] == 0

    def resume(self, arn, what, say):
        if not arn:
            raise TargetError(f"{what} is on Fargate, where nothing is drained by hand")
        say(f"{what}: its instance takes a courier again")
        self._set(arn, "ACTIVE")


class Scale:
    """The least number of tasks, which the policies of modules/service and modules/couriers go up from. Terraform's next
    `apply` puts its own numbers back."""

    def __init__(self, aws, settings, services):
        self._aws, self._settings, self._services = aws, settings, services

    def scale(self, role, count, say):
        if self._services.one(role).get("schedulingStrategy") == "DAEMON":
            self._couriers(role, count, say)
        else:
            self._service(role, count, say)

    def _service(self, role, count, say):
        which = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
        name = f"service/{self._settings.cluster}/{role}"
        known = self._aws.call("application-autoscaling", "describe-scalable-targets", ResourceIds=[name],
                               **which)["ScalableTargets"]
        most = max([count, *(target["MaxCapacity"] for target in known)])
        say(f"{role}: from {count} to {most} tasks, as the load goes")
        self._aws.call("application-autoscaling", "register-scalable-target", ResourceId=name, MinCapacity=count,
                       MaxCapacity=most, **which)

    def _couriers(self, role, count, say):
        """A courier on each instance, and a group of instances in each zone."""
        prefix = f"{self._settings.name}-{role}-"
        groups = [group for group in self._aws.call("autoscaling", "describe-auto-scaling-groups")["AutoScalingGroups"]
                  if group["AutoScalingGroupName"].startswith(prefix)]
        if not groups:
            raise TargetError(f"there is no group of instances named {prefix}ZONE")
        for position, group in enumerate(sorted(groups, key=lambda each: each["AutoScalingGroupName"])):
            share = count // len(groups) + (position < count % len(groups))
            name, most = group["AutoScalingGroupName"], max(share, group["MaxSize"])
            say(f"{name}: from {share} to {most} instances, as the load goes")
            self._aws.call("autoscaling", "update-auto-scaling-group", AutoScalingGroupName=name, MinSize=share,
                           MaxSize=most, DesiredCapacity=max(share, min(group["DesiredCapacity"], most)))


class Copies:
    """Snapshots of the database, by RDS."""

    def __init__(self, aws, settings, services):
        self._aws, self._settings, self._services = aws, settings, services

    def backup(self, to, say):
        when = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
        name = to or f"{self._settings.database}-{when}"
        if not re.fullmatch(r"(?!.*--)[A-Za-z](?:[A-Za-z0-9-]{0,253}[A-Za-z0-9])?", name):
            raise TargetError(f"{name!r} cannot be a snapshot's name: letters, digits and single hyphens")
        say(f"a snapshot {name} of {self._settings.database}")
        self._aws.call("rds", "create-db-snapshot", DBInstanceIdentifier=self._settings.database,
                       DBSnapshotIdentifier=name)
        self._services.wait(lambda: self._done(name), f"the snapshot {name} is not complete")
        return name

    def _done(self, name):
        status = self._aws.call("rds", "describe-db-snapshots", DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"]
        if status == "failed":
            raise TargetError(f"RDS failed to make the snapshot {name}")
        return True if status == "available" else None

    def restore(self, copy, say):
        status = self._done(copy)
        say(f"{copy} is {'complete' if status else 'not complete yet'}")
        raise TargetError(
            f"nothing was done: RDS puts a copy into a new database only, which Terraform has to take over. Stop every "
            f"service, restore {copy} as {self._settings.database} after renaming the one that is there, and go on as "
            f"docs/operating.md says under \"With PostgreSQL\"")
