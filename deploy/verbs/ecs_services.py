# SPDX-License-Identifier: Apache-2.0
"""Services, tasks and definitions of ECS, as deploy/terraform makes them: family NAME-ROLE, service ROLE, a container
"todoku" whose image's tag is the version.

A version reaches a service by a new revision of its definition that differs in the image only, so that Terraform, which
follows the newest revision (`track_latest`), finds nothing to change afterwards."""
import time

from verbs.target import ORDER, Service, Task, TargetError

CONTAINER = "todoku"
CANARY = "todoku-canary"  # `startedBy` of what is tried beside a service
# What RegisterTaskDefinition takes; the rest of a description is AWS's own.
_WRITTEN = ("family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes",
            "placementConstraints", "requiresCompatibilities", "cpu", "memory", "pidMode", "ipcMode",
            "proxyConfiguration", "inferenceAccelerators", "ephemeralStorage", "runtimePlatform")
_BEGINNING = {"PROVISIONING", "PENDING", "ACTIVATING"}


def version_of_image(image):
    """The tag of `HOST/NAME:TAG`; "" of an image that is named by its digest."""
    name = image.rsplit("/", 1)[-1]
    return name.partition(":")[2] if "@" not in name else ""


def task_id(arn):
    return arn.rsplit("/", 1)[-1]


def task_of(service, told, canary=False):
    """Task, of DescribeTasks's words."""
    ours = next((c for c in told.get("containers", []) if c.get("name") == CONTAINER), {})
    status, health = told.get("lastStatus", ""), told.get("healthStatus", "UNKNOWN")
    if status in _BEGINNING or (status == "RUNNING" and health == "UNKNOWN"):
        state, detail = "starting", status.lower()
    elif status == "RUNNING":
        state, detail = ("ready", "") if health == "HEALTHY" else ("unready", "todoku healthcheck says no")
    else:
        exited = f", exit status {ours['exitCode']}" if "exitCode" in ours else ""
        state, detail = "ended", told.get("stoppedReason", status.lower()) + exited
    return Task(task_id(told["taskArn"]), service, version_of_image(ours.get("image", "")), state, detail, canary)


class Services:
    def __init__(self, aws, settings):
        self._aws, self._settings = aws, settings
        self._cluster = settings.cluster

    # ---- looking -----------------------------------------------------------------------------

    def described(self):
        """DescribeServices's words by role, in ORDER; those that the installation has."""
        answer = self._aws.call("ecs", "describe-services", cluster=self._cluster, services=list(ORDER))
        found = {told["serviceName"]: told for told in answer["services"] if told["status"] == "ACTIVE"}
        if not found:
            raise TargetError(f"the cluster {self._cluster} has no service of todoku: apply first")
        return {role: found[role] for role in ORDER if role in found}

    def one(self, role):
        services = self.described()
        if role not in services:
            raise TargetError(f"the cluster {self._cluster} has no service {role!r}: it has {', '.join(services)}")
        return services[role]

    def services(self):
        return [Service(role, told["desiredCount"]) for role, told in self.described().items()]

    def tasks(self, stopped=False):
        """Those that run, or those that ended within about an hour, which is as long as ECS tells of them."""
        status = "STOPPED" if stopped else "RUNNING"
        found = []
        for role in self.described():
            arns = self._aws.call("ecs", "list-tasks", cluster=self._cluster, serviceName=role,
                                  desiredStatus=status)["taskArns"]
            found += [task_of(role, told) for told in self.tell(arns)]
        return found if stopped else found + [task for task, _ in self.canaries()]

    def canaries(self):
        """[(Task, DescribeTasks's words)] of those beside their services."""
        arns = self._aws.call("ecs", "list-tasks", cluster=self._cluster, startedBy=CANARY)["taskArns"]
        told = self.tell(arns)
        return [(task_of(each["group"].removeprefix("canary:"), each, canary=True), each) for each in told]

    def tell(self, arns):
        """DescribeTasks's words; AWS takes a hundred at once."""
        found = []
        for begin in range(0, len(arns), 100):
            answer = self._aws.call("ecs", "describe-tasks", cluster=self._cluster, tasks=arns[begin:begin + 100])
            found += answer["tasks"]
        return found

    # ---- definitions -------------------------------------------------------------------------

    def definition(self, role, version, say):
        """ARN of a revision of NAME-ROLE whose image is of this version; the newest one if that is so already."""
        answer = self._aws.call("ecs", "describe-task-definition", taskDefinition=f"{self._settings.name}-{role}",
                                include=["TAGS"])
        newest = answer["taskDefinition"]
        container = next((c for c in newest["containerDefinitions"] if c["name"] == CONTAINER), None)
        if container is None:
            raise TargetError(f"the task definition {newest['family']} has no container {CONTAINER!r}")
        if version_of_image(container["image"]) == version:
            return newest["taskDefinitionArn"]
        container["image"] = f"{container['image'].rsplit(':', 1)[0]}:{version}"
        say(f"{role}: a revision of {newest['family']} with the image {container['image']}")
        wish = {key: newest[key] for key in _WRITTEN if newest.get(key) not in (None, [], "")}
        if answer.get("tags"):
            wish["tags"] = answer["tags"]
        return self._aws.call("ecs", "register-task-definition", **wish)["taskDefinition"]["taskDefinitionArn"]

    # ---- changing ----------------------------------------------------------------------------

    def run(self, definition, network, words=None, group=None, started_by=None):
        """Starts one task on Fargate in this network, as services have it, and returns its ARN."""
        wish = {"cluster": self._cluster, "taskDefinition": definition, "launchType": "FARGATE", "count": 1,
                "networkConfiguration": network, "propagateTags": "TASK_DEFINITION"}
        if words:
            wish["overrides"] = {"containerOverrides": [{"name": CONTAINER, "command": list(words)}]}
        if group:
            wish |= {"group": group, "startedBy": started_by}
        answer = self._aws.call("ecs", "run-task", **wish)
        for failure in answer.get("failures", []):
            raise TargetError(f"ECS starts no task of {definition}: {failure.get('reason', 'it does not say why')}")
        return answer["tasks"][0]["taskArn"]

    def wait(self, look, what):
        """Calls `look` until it returns something, at most as long as the target is patient."""
        end = time.monotonic() + self._settings.patience_seconds
        while True:
            seen = look()
            if seen is not None:
                return seen
            if time.monotonic() >= end:
                raise TargetError(f"{what} within {self._settings.patience_seconds:.0f} s")
            time.sleep(self._settings.poll_seconds)

    def replace(self, role, version, say):
        service = self.one(role)
        # Going back to what a service still is begins no roll-out.
        definition = service["taskDefinition"]
        if self._version_of(definition) != version:
            definition = self.definition(role, version, say)
            say(f"{role}: {service['desiredCount']} tasks become {version}; ECS waits for each before an old one drains")
            self._aws.call("ecs", "update-service", cluster=self._cluster, service=role, taskDefinition=definition)
        self.wait(lambda: self._rolled(role, definition), f"{role}: not all tasks are of {version} and ready")
        self._forget_newer(role, definition)

    def _version_of(self, definition):
        told = self._aws.call("ecs", "describe-task-definition", taskDefinition=definition)["taskDefinition"]
        return next((version_of_image(c["image"]) for c in told["containerDefinitions"] if c["name"] == CONTAINER), "")

    def _forget_newer(self, role, definition):
        """A revision that was only tried: Terraform would take it for what the service is to be."""
        newest = self._aws.call("ecs", "describe-task-definition",
                                taskDefinition=f"{self._settings.name}-{role}")["taskDefinition"]
        if newest["taskDefinitionArn"] != definition and newest["revision"] > int(definition.rsplit(":", 1)[1]):
            self._aws.call("ecs", "deregister-task-definition", taskDefinition=newest["taskDefinitionArn"])

    def _rolled(self, role, definition):
        """True once the service is stable with this definition, None while it is not."""
        service = self.one(role)
        primary = next(d for d in service["deployments"] if d["status"] == "PRIMARY")
        if primary["taskDefinition"] != definition:
            raise TargetError(f"{role}: ECS has rolled it back by itself{_why(service, definition)}")
        if primary.get("rolloutState") == "FAILED":
            raise TargetError(f"{role}: the roll-out failed{_why(service, definition)}")
        whole = primary["runningCount"] >= service["desiredCount"] and len(service["deployments"]) == 1
        return True if whole and primary.get("rolloutState", "COMPLETED") == "COMPLETED" else None

    def stop(self, arn, reason):
        self._aws.call("ecs", "stop-task", cluster=self._cluster, task=arn, reason=reason)


def _why(service, definition):
    """What ECS says of the deployment of this definition, and the service's last word."""
    words = [d["rolloutStateReason"] for d in service["deployments"]
             if d["taskDefinition"] == definition and d.get("rolloutStateReason")]
    words += [event["message"] for event in service.get("events", [])[:1]]
    return f": {'; '.join(words)}" if words else ""
