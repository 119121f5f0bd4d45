# SPDX-License-Identifier: Apache-2.0
"""A small AWS for aws_recorder.py: what there is, and how it goes on. It moves one step at each look (DescribeServices,
DescribeTasks, ...), never by the clock, so a test goes the same way each time.

`faults.json` says what shall go wrong:
  refuse    [{"operation", "code", "words", "times"}]: the call is refused, that often (without times: always)
  versions  {VERSION: "ends" | "unready" | "stuck" | "dies"}: what its tasks do. dies: ready first, ended at the second
            look after that
  alarms    {NAME: N}: goes on at the Nth look at alarms
"""
import base64
import copy
import json

WHEN = "2026-01-05T12:00:00+09:00"
ACCOUNT = "111122223333"
ARN = f"arn:aws:ecs:ap-northeast-1:{ACCOUNT}"
BREAKS_AT = 3  # failed tasks until the circuit breaker rolls back


class Refused(Exception):
    def __init__(self, code, words):
        super().__init__(words)
        self.code, self.words = code, words


def tag_of(definition):
    container = next(c for c in definition["containerDefinitions"] if c["name"] == "todoku")
    return container["image"].rpartition(":")[2], container["image"]


class World:
    def __init__(self, folder):
        self._folder = folder
        self.all = json.loads((folder / "world.json").read_text(encoding="utf-8"))
        faults = folder / "faults.json"
        self._faults = json.loads(faults.read_text(encoding="utf-8")) if faults.exists() else {}

    def keep(self):
        (self._folder / "world.json").write_text(json.dumps(self.all, indent=1), encoding="utf-8")

    def call(self, service, operation, given):
        for fault in self._faults.get("refuse", []):
            if fault["operation"] == operation:
                spent = self.all["refused"].get(operation, 0)
                if spent < fault.get("times", 1 << 30):
                    self.all["refused"][operation] = spent + 1
                    raise Refused(fault["code"], fault.get("words", "Rate exceeded"))
        act = getattr(self, f"{service.replace('-', '_')}_{operation}", None)
        if act is None:
            raise Refused("NotPlayed", f"the stand-in does not play {service} {operation}")
        return act(given)

    def _cluster(self, given):
        if given.get("cluster") != self.all["name"]:
            raise Refused("ClusterNotFoundException", "Cluster not found.")

    # ---- how it goes on ----------------------------------------------------------------------

    def _fate(self, version):
        return self._faults.get("versions", {}).get(version, "good")

    def _number(self):
        self.all["numbers"] += 1
        return self.all["numbers"]

    def start(self, arn, group, **more):
        definition = self.all["definitions"][arn]
        version, image = tag_of(definition)
        number = self._number()
        task = {"id": f"{number:032x}", "definition": arn, "version": version, "image": image, "group": group,
                "status": "PENDING", "health": "UNKNOWN", "looks": 0, "address": f"10.20.0.{number % 250 + 1}", **more}
        self.all["tasks"].append(task)
        return task

    def step_of(self, task):
        """PENDING, then RUNNING, then what its version does."""
        task["looks"] += 1
        fate = self._fate(task["version"])
        if task["status"] == "PENDING":
            task["status"] = "RUNNING"
        elif task["status"] == "RUNNING" and task.get("once"):
            task |= {"status": "STOPPED", "exit": self.all["once_status"], "why": "Essential container in task exited"}
        elif task["status"] == "RUNNING" and task["health"] == "UNKNOWN" and fate != "stuck":
            if fate == "ends":
                task |= {"status": "STOPPED", "exit": 1, "why": "Essential container in task exited"}
            else:
                task["health"] = "UNHEALTHY" if fate == "unready" else "HEALTHY"
                task["looks"] = 0
        elif task["status"] == "RUNNING" and fate == "dies" and task["looks"] > 2:
            task |= {"status": "STOPPED", "exit": 137, "why": "OutOfMemoryError: Container killed due to memory usage"}

    def of(self, role, status="RUNNING"):
        running = [t for t in self.all["tasks"] if t["group"] == f"service:{role}"]
        return [t for t in running if (t["status"] == "STOPPED") == (status == "STOPPED")]

    def advance(self, role):
        """One step of a service: what is new goes on, then one old task makes room for a new one."""
        service = self.all["services"][role]
        for task in self.of(role):
            self.step_of(task)
        service["failed"] += sum(1 for t in self.all["tasks"] if t["group"] == f"service:{role}" and not t.get("counted")
                                 and (t["status"] == "STOPPED" and "exit" in t or t["health"] == "UNHEALTHY"))
        for task in self.all["tasks"]:
            if task["status"] == "STOPPED" and "exit" in task or task["health"] == "UNHEALTHY":
                task["counted"] = True
        if service["failed"] >= BREAKS_AT and service["before"] != service["definition"]:
            version = tag_of(self.all["definitions"][service["definition"]])[0]
            service |= {"definition": service["before"], "failed": 0,
                        "event": f"(service {role}) rolling back: tasks of {version} failed to start"}
        for task in self.of(role):
            if task["health"] == "UNHEALTHY":
                task |= {"status": "STOPPED", "exit": 1, "why": "Task failed container health checks"}
        new = [t for t in self.of(role) if t["definition"] == service["definition"]]
        old = [t for t in self.of(role) if t["definition"] != service["definition"]]
        if not all(t["health"] == "HEALTHY" for t in new):
            return
        numbers = {"minimumHealthyPercent": 100, "maximumPercent": 200} | service["numbers"]
        least = -(-service["desired"] * numbers["minimumHealthyPercent"] // 100)
        most = service["desired"] * numbers["maximumPercent"] // 100
        room = None
        if old and len(new) + len(old) - 1 >= least:
            room = old.pop(0)
            room |= {"status": "STOPPED", "why": "Scaling activity initiated by (deployment)"}
        if len(new) < service["desired"] and len(new) + len(old) < most:
            self.start(service["definition"], f"service:{role}", instance=(room or {}).get("instance"))

    # ---- ecs ---------------------------------------------------------------------------------

    def ecs_DescribeServices(self, given):
        self._cluster(given)
        if len(given["services"]) > 10:
            raise Refused("InvalidParameterException", "Services cannot have more than 10 elements")
        for role in self.all["services"]:
            self.advance(role)
        names = [name for name in given["services"] if name in self.all["services"]]
        return {"services": [self._service(name) for name in names],
                "failures": [{"arn": name, "reason": "MISSING"} for name in given["services"] if name not in names]}

    def _service(self, role):
        service = self.all["services"][role]
        running = self.of(role)
        new = [t for t in running if t["definition"] == service["definition"]]
        done = len(new) == service["desired"] == len(running) and all(t["health"] == "HEALTHY" for t in new)
        deployments = [{"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": service["definition"],
                        "desiredCount": service["desired"], "runningCount": len(new), "pendingCount": 0,
                        "rolloutState": "COMPLETED" if done else "IN_PROGRESS", "rolloutStateReason": "ECS deployment"}]
        if not done:
            deployments.append({"id": "ecs-svc/0", "status": "ACTIVE", "taskDefinition": service["before"],
                                "runningCount": len(running) - len(new), "rolloutState": "COMPLETED"})
        told = {"serviceName": role, "status": "ACTIVE", "desiredCount": service["desired"],
                "runningCount": len(running), "pendingCount": 0, "taskDefinition": service["definition"],
                "schedulingStrategy": "DAEMON" if service["daemon"] else "REPLICA",
                "launchType": "EC2" if service["daemon"] else "FARGATE", "deployments": deployments,
                "loadBalancers": service["balancers"], "events": []}
        if "event" in service:
            told["events"] = [{"id": "1", "createdAt": WHEN, "message": service["event"]}]
        if not service["daemon"]:
            told["networkConfiguration"] = {"awsvpcConfiguration": {
                "subnets": ["subnet-1", "subnet-2"], "securityGroups": [f"sg-{role}"], "assignPublicIp": "DISABLED"}}
        return told

    def ecs_UpdateService(self, given):
        self._cluster(given)
        service = self.all["services"].get(given["service"])
        if service is None:
            raise Refused("ServiceNotFoundException", "Service not found.")
        if "taskDefinition" in given and given["taskDefinition"] != service["definition"]:
            self._definition(given["taskDefinition"])
            service |= {"before": service["definition"], "definition": given["taskDefinition"], "failed": 0}
        numbers = given.get("deploymentConfiguration", {})
        if numbers.get("minimumHealthyPercent") == numbers.get("maximumPercent") == 100:
            raise Refused("InvalidParameterException", "Both maximumPercent and minimumHealthyPercent cannot be 100 as "
                                                       "this will block deployments.")
        service["numbers"] |= {k: v for k, v in numbers.items() if k.endswith("Percent")}
        service["desired"] = given.get("desiredCount", service["desired"])
        return {"service": self._service(given["service"])}

    def _definition(self, which):
        found = self.all["definitions"].get(which)
        if found is None:
            of_family = [d for d in self.all["definitions"].values() if d["family"] == which and d["status"] == "ACTIVE"]
            if not of_family:
                raise Refused("ClientException", "Unable to describe task definition.")
            found = max(of_family, key=lambda d: d["revision"])
        return found

    def ecs_DescribeTaskDefinition(self, given):
        return {"taskDefinition": self._definition(given["taskDefinition"]), "tags": [{"key": "installation",
                                                                                     "value": self.all["name"]}]}

    def ecs_RegisterTaskDefinition(self, given):
        revision = max((d["revision"] for d in self.all["definitions"].values() if d["family"] == given["family"]),
                       default=0) + 1
        arn = f"{ARN}:task-definition/{given['family']}:{revision}"
        made = {k: v for k, v in given.items() if k != "tags"} | {"taskDefinitionArn": arn, "revision": revision,
                                                                  "status": "ACTIVE"}
        self.all["definitions"][arn] = copy.deepcopy(made)
        return {"taskDefinition": made, "tags": given.get("tags", [])}

    def ecs_DeregisterTaskDefinition(self, given):
        definition = self._definition(given["taskDefinition"])
        definition["status"] = "INACTIVE"
        return {"taskDefinition": definition}

    def ecs_ListTasks(self, given):
        self._cluster(given)
        stopped = given.get("desiredStatus", "RUNNING") == "STOPPED"
        found = [t for t in self.all["tasks"] if (t["status"] == "STOPPED") == stopped]
        if "serviceName" in given:
            found = [t for t in found if t["group"] == f"service:{given['serviceName']}"]
        if "startedBy" in given:
            found = [t for t in found if t.get("by") == given["startedBy"]]
        return {"taskArns": [self._task_arn(t) for t in found]}

    def _task_arn(self, task):
        return f"{ARN}:task/{self.all['name']}/{task['id']}"

    def ecs_DescribeTasks(self, given):
        self._cluster(given)
        wanted = {name.rpartition("/")[2] for name in given["tasks"]}
        found = [t for t in self.all["tasks"] if t["id"] in wanted]
        for task in found:
            self.step_of(task)
        return {"tasks": [self._task(t) for t in found], "failures": []}

    def _task(self, task):
        container = {"name": "todoku", "image": task["image"], "lastStatus": task["status"]}
        if "exit" in task:
            container["exitCode"] = task["exit"]
        told = {"taskArn": self._task_arn(task), "taskDefinitionArn": task["definition"], "group": task["group"],
                "lastStatus": task["status"], "healthStatus": task["health"], "containers": [container],
                "attachments": [{"type": "ElasticNetworkInterface", "status": "ATTACHED", "details": [
                    {"name": "privateIPv4Address", "value": task["address"]}]}]}
        if task.get("instance"):
            told["containerInstanceArn"] = task["instance"]
        if "why" in task:
            told["stoppedReason"] = task["why"]
        return told

    def ecs_RunTask(self, given):
        self._cluster(given)
        task = self.start(self._definition(given["taskDefinition"])["taskDefinitionArn"],
                          given.get("group", "family:once"), by=given.get("startedBy"), once="group" not in given,
                          words=given.get("overrides"))
        return {"tasks": [self._task(task)], "failures": []}

    def ecs_StopTask(self, given):
        for task in self.all["tasks"]:
            if task["id"] == given["task"].rpartition("/")[2]:
                task |= {"status": "STOPPED", "why": given.get("reason", "")}
                return {"task": self._task(task)}
        raise Refused("InvalidParameterException", "The referenced task was not found.")

    def ecs_ListContainerInstances(self, given):
        self._cluster(given)
        wanted = given["filter"].rpartition(" ")[2]
        return {"containerInstanceArns": [arn for arn, i in self.all["instances"].items() if i["ec2"] == wanted]}

    def ecs_UpdateContainerInstancesState(self, given):
        for arn in given["containerInstances"]:
            self.all["instances"][arn]["status"] = given["status"]
            for task in self.all["tasks"]:
                if task.get("instance") == arn and given["status"] == "DRAINING":
                    task |= {"status": "STOPPED", "why": "Task stopped by container instance draining"}
        return {"containerInstances": [], "failures": []}

    def ecs_DescribeContainerInstances(self, given):
        return {"containerInstances": [
            {"containerInstanceArn": arn, "status": self.all["instances"][arn]["status"], "runningTasksCount": sum(
                1 for t in self.all["tasks"] if t.get("instance") == arn and t["status"] != "STOPPED")}
            for arn in given["containerInstances"]], "failures": []}

    # ---- the others --------------------------------------------------------------------------

    def ecr_DescribeRepositories(self, given):
        return {"repositories": [{"repositoryName": given["repositoryNames"][0],
                                  "repositoryUri": f"{ACCOUNT}.dkr.ecr.ap-northeast-1.amazonaws.com/"
                                                   f"{given['repositoryNames'][0]}"}]}

    def ecr_DescribeImages(self, given):
        images = [{"imageTags": [tag], "imageDigest": i["digest"], "imagePushedAt": i["at"]}
                  for tag, i in self.all["images"].items()]
        for wish in given.get("imageIds", []):
            images = [i for i in images if i["imageTags"] == [wish["imageTag"]]]
            if not images:
                raise Refused("ImageNotFoundException", "The image does not exist within the repository")
        return {"imageDetails": images}

    def ecr_GetAuthorizationToken(self, given):
        token = base64.b64encode(b"AWS:of-the-test").decode()
        return {"authorizationData": [{"authorizationToken": token, "expiresAt": WHEN}]}

    def elbv2_RegisterTargets(self, given):
        for target in given["Targets"]:
            self.all["targets"][f"{target['Id']}:{target['Port']}"] = "initial"
        return {}

    def elbv2_DeregisterTargets(self, given):
        for target in given["Targets"]:
            self.all["targets"][f"{target['Id']}:{target['Port']}"] = "draining"
        return {}

    def elbv2_DescribeTargetHealth(self, given):
        told = []
        for target in given["Targets"]:
            key = f"{target['Id']}:{target['Port']}"
            state = self.all["targets"].get(key, "unused")
            told.append({"Target": target, "TargetHealth": {"State": state}})
            self.all["targets"][key] = {"initial": "healthy", "draining": "unused"}.get(state, state)
        return {"TargetHealthDescriptions": told}

    def ssm_GetParameter(self, given):
        if given["Name"] not in self.all["parameters"]:
            raise Refused("ParameterNotFound", "")
        return {"Parameter": {"Name": given["Name"], "Type": "String", "Value": self.all["parameters"][given["Name"]]}}

    def ssm_PutParameter(self, given):
        if given["Name"] in self.all["parameters"] and not given.get("Overwrite"):
            raise Refused("ParameterAlreadyExists", "The parameter already exists.")
        self.all["parameters"][given["Name"]] = given["Value"]
        return {"Version": 1, "Tier": "Standard"}

    def ssm_DeleteParameter(self, given):
        if self.all["parameters"].pop(given["Name"], None) is None:
            raise Refused("ParameterNotFound", "")
        return {}

    def ec2_DescribeSecurityGroups(self, given):
        return {"SecurityGroups": [{"GroupId": "sg-migrate", "GroupName": given["Filters"][0]["Values"][0]}]}

    def ec2_DescribeAddresses(self, given):
        wanted = {f["Name"].removeprefix("tag:"): f["Values"] for f in given["Filters"]}
        found = [a for a in self.all["addresses"] if all(a["tags"].get(k) in v for k, v in wanted.items())]
        return {"Addresses": [{k: v for k, v in a.items() if k != "tags"} | {
            "Tags": [{"Key": k, "Value": v} for k, v in a["tags"].items()]} for a in found]}

    def _addresses(self, given):
        return [a for a in self.all["addresses"] if a["AllocationId"] in given["Resources"]]

    def ec2_CreateTags(self, given):
        for address in self._addresses(given):
            address["tags"] |= {tag["Key"]: tag["Value"] for tag in given["Tags"]}
        return {}

    def ec2_DeleteTags(self, given):
        for address in self._addresses(given):
            for tag in given["Tags"]:
                address["tags"].pop(tag["Key"], None)
        return {}

    def ec2_DisassociateAddress(self, given):
        for address in self.all["addresses"]:
            if address.get("AssociationId") == given["AssociationId"]:
                del address["AssociationId"], address["InstanceId"]
        return {}

    def autoscaling_DescribeAutoScalingGroups(self, given):
        return {"AutoScalingGroups": [
            {"AutoScalingGroupName": name, "MinSize": g["MinSize"], "MaxSize": g["MaxSize"], "CreatedTime": WHEN,
             "DesiredCapacity": g["DesiredCapacity"], "DefaultCooldown": 300, "AvailabilityZones": ["ap-northeast-1a"],
             "HealthCheckType": "EC2"} for name, g in self.all["groups"].items()]}

    def autoscaling_UpdateAutoScalingGroup(self, given):
        self.all["groups"][given.pop("AutoScalingGroupName")] |= given
        return {}

    def application_autoscaling_DescribeScalableTargets(self, given):
        return {"ScalableTargets": [
            {"ServiceNamespace": "ecs", "ResourceId": given["ResourceIds"][0], "MinCapacity": 2, "MaxCapacity": 12,
             "ScalableDimension": "ecs:service:DesiredCount", "CreationTime": WHEN, "RoleARN": "arn:aws:iam::1:role/r"}]}

    def application_autoscaling_RegisterScalableTarget(self, given):
        self.all["scaled"][given["ResourceId"]] = [given["MinCapacity"], given["MaxCapacity"]]
        return {}

    def logs_GetLogEvents(self, given):
        return {"events": [{"timestamp": 1, "message": self.all["once_says"], "ingestionTime": 1}]}

    def cloudwatch_DescribeAlarms(self, given):
        self.all["alarm_looks"] += 1
        on = [name for name, at in self._faults.get("alarms", {}).items() if self.all["alarm_looks"] >= at]
        return {"MetricAlarms": [{"AlarmName": n, "StateValue": "ALARM"} for n in on
                                 if n.startswith(given["AlarmNamePrefix"])], "CompositeAlarms": []}

    def rds_CreateDBSnapshot(self, given):
        self.all["snapshots"][given["DBSnapshotIdentifier"]] = "creating"
        return {"DBSnapshot": {"DBSnapshotIdentifier": given["DBSnapshotIdentifier"], "Status": "creating"}}

    def rds_DescribeDBSnapshots(self, given):
        name = given["DBSnapshotIdentifier"]
        if name not in self.all["snapshots"]:
            raise Refused("DBSnapshotNotFound", f"DBSnapshot {name} not found.")
        status, self.all["snapshots"][name] = self.all["snapshots"][name], "available"
        return {"DBSnapshots": [{"DBSnapshotIdentifier": name, "Status": status}]}
