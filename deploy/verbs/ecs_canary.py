# SPDX-License-Identifier: Apache-2.0
"""One task of a new version in a service's work, before the rest follows.

- On Fargate it runs beside its service, by the service's own network, and stands behind the same balancers: it gets its
  share of the requests, because a target group spreads over targets and does not ask whose they are.
- A courier has no room beside another: an instance has memory and addresses for one. There the service's own roll-out
  begins, one instance at a time, and is held at the first: of the least, 99 %, ECS rounds up, so up to 99 couriers may
  none end, and the most is 100 %, so none may begin. (It refuses 100 % of both: "this will block deployments".) That
  a change of these numbers alone begins no new roll-out is how AWS's documentation reads; nobody has seen it here.
"""
from verbs.ecs_services import CANARY, task_id, task_of
from verbs.target import TargetError

HELD = {"minimumHealthyPercent": 99, "maximumPercent": 100}
USUAL = {"minimumHealthyPercent": 50, "maximumPercent": 100}  # deploy/terraform/modules/couriers/service.tf


def one_at_a_time(count):
    """How many per cent of `count` couriers must stay, for one to go at a time."""
    return {"minimumHealthyPercent": (count - 1) * 100 // max(count, 1), "maximumPercent": 100}


class Canaries:
    def __init__(self, aws, settings, services):
        self._aws, self._settings, self._services = aws, settings, services
        self._cluster = settings.cluster

    def begin(self, role, version, say):
        service = self._services.one(role)
        if service.get("schedulingStrategy") == "DAEMON":
            return self._first_of_daemon(role, service, version, say)
        return self._beside(role, service, version, say)

    # ---- looking -----------------------------------------------------------------------------------

    def beside(self, version):
        """ARNs of the tasks of this version that stand beside their services."""
        return [told["taskArn"] for task, told in self._services.canaries() if task.version == version]

    def faults(self, arns):
        """[sentence] of what is wrong with these: one that ended, which is among no service's tasks, or that a balancer
        finds unwell. It asks whether the task is ready (/readyz), ECS itself only whether it lives."""
        found = []
        for told in self._services.tell(arns):
            role = told["group"].removeprefix("canary:")
            task = task_of(role, told, canary=True)
            if task.state == "ended":
                found.append(f"{role}: the task {task.id} of {task.version} beside the service ended: {task.detail}")
                continue
            found += [f"{role}: the balancer finds the task {task.id} of {task.version} unhealthy"
                      for group, target in _targets(self._services.one(role), told)
                      if self._health(group, target) == "unhealthy"]
        return found

    # ---- beside the service ----------------------------------------------------------------------

    def _beside(self, role, service, version, say):
        arn = self._there(role, version)
        if arn is None:
            definition = self._services.definition(role, version, say)
            say(f"{role}: one task of {version} beside the service")
            arn = self._services.run(definition, service["networkConfiguration"], group=f"canary:{role}", started_by=CANARY)
        try:
            told = self._services.wait(lambda: self._ready(role, arn),
                                       f"{role}: the task of {version} is not ready")
            self._behind_balancers(role, service, told, say)
        except TargetError:
            self._end(role, service, arn, say)
            raise
        return task_of(role, told, canary=True)

    def _there(self, role, version):
        for task, told in self._services.canaries():
            if (task.service, task.version) == (role, version) and task.state != "ended":
                return told["taskArn"]
        return None

    def _ready(self, role, arn):
        told = self._services.tell([arn])
        if not told:
            raise TargetError(f"{role}: the task {task_id(arn)} is gone")
        task = task_of(role, told[0], canary=True)
        if task.state == "ended":
            raise TargetError(f"{role}: the task of {task.version} ended before it was ready: {task.detail}")
        return told[0] if task.state == "ready" else None

    def _behind_balancers(self, role, service, told, say):
        for group, target in _targets(service, told):
            say(f"{role}: {target['Id']} behind its balancer")
            self._aws.call("elbv2", "register-targets", TargetGroupArn=group, Targets=[target])
        for group, target in _targets(service, told):
            self._services.wait(lambda g=group, t=target: self._health(g, t) == "healthy" or None,
                                f"{role}: the balancer does not find {target['Id']} healthy")

    def _health(self, group, target):
        answer = self._aws.call("elbv2", "describe-target-health", TargetGroupArn=group, Targets=[target])
        return answer["TargetHealthDescriptions"][0]["TargetHealth"]["State"]

    def end(self, role, say):
        """Ends those of the service that are beside it."""
        service = self._services.one(role)
        for task, told in self._services.canaries():
            if task.service == role and task.state != "ended":
                self._end(role, service, told["taskArn"], say)

    def _end(self, role, service, arn, say):
        """Out of the balancers first, so that no request is cut off; then SIGTERM, which drains."""
        for told in self._services.tell([arn]):
            if told["lastStatus"] in ("STOPPED", "DEPROVISIONING"):
                return
            say(f"{role}: the task beside the service ends")
            for group, target in _targets(service, told):
                self._aws.call("elbv2", "deregister-targets", TargetGroupArn=group, Targets=[target])
                self._services.wait(lambda g=group, t=target: self._health(g, t) == "unused" or None,
                                    f"{role}: the balancer does not let go of {target['Id']}")
            self._services.stop(arn, "it was tried, and is no part of the service")

    # ---- the first of a service that has one on each instance ------------------------------------

    def _first_of_daemon(self, role, service, version, say):
        definition = self._services.definition(role, version, say)
        if service["taskDefinition"] != definition:
            say(f"{role}: the first of {service['desiredCount']} becomes {version}, the others wait")
            self._configure(role, one_at_a_time(service["desiredCount"]), taskDefinition=definition)
        try:
            # Held from the moment that it is there: the next would go when it is ready.
            self._services.wait(lambda: self._first(role, definition), f"{role}: no task of {version} begins")
            self._configure(role, HELD)
            first = self._services.wait(lambda: self._first(role, definition, "ready"),
                                        f"{role}: the first task of {version} is not ready")
        except TargetError:
            if service["taskDefinition"] != definition:
                say(f"{role}: back to {service['taskDefinition'].rsplit('/', 1)[-1]}")
                self._configure(role, USUAL, taskDefinition=service["taskDefinition"])
            raise
        return task_of(role, first, canary=True)

    def _first(self, role, definition, state=None):
        """DescribeTasks's words of one with this definition, in this state if one is given; None: there is none yet."""
        service = self._services.one(role)
        if service["taskDefinition"] != definition:
            raise TargetError(f"{role}: ECS has rolled it back by itself before one was ready")
        arns = self._aws.call("ecs", "list-tasks", cluster=self._cluster, serviceName=role)["taskArns"]
        for told in self._services.tell(arns):
            if told["taskDefinitionArn"] == definition and state in (None, task_of(role, told).state):
                return told
        return None

    def release(self, role, say):
        """A roll-out that was held after its first goes on, one at a time."""
        service = self._services.one(role)
        if service.get("schedulingStrategy") == "DAEMON":
            say(f"{role}: one instance after the other")
            self._configure(role, one_at_a_time(service["desiredCount"]))

    def as_usual(self, role):
        """The numbers that Terraform has given it, or its next plan would differ."""
        service = self._services.one(role)
        if service.get("schedulingStrategy") == "DAEMON":
            self._configure(role, USUAL)

    def _configure(self, role, numbers, **more):
        numbers = {**numbers, "deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        self._aws.call("ecs", "update-service", cluster=self._cluster, service=role,
                       deploymentConfiguration=numbers, **more)


def _targets(service, told):
    """[(target group, target)] of a task behind the balancers of its service."""
    details = [d for a in told.get("attachments", []) for d in a.get("details", [])]
    address = next((d["value"] for d in details if d.get("name") == "privateIPv4Address"), None)
    balancers = [b for b in service.get("loadBalancers", []) if "targetGroupArn" in b]
    return [(b["targetGroupArn"], {"Id": address, "Port": b["containerPort"]}) for b in balancers if address]
