# SPDX-License-Identifier: Apache-2.0
"""What there is on AWS at the beginning of a test: an installation as deploy/terraform makes it, with 1.0 of it."""
from aws_world import ARN

NAME = "mail"
IMAGE = "111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/mail"
GROUP = "arn:aws:elasticloadbalancing:ap-northeast-1:111122223333:targetgroup/mail-{}/0123456789abcdef"
COUNTS = {"events": 1, "scheduler": 2, "courier": 3, "api": 2, "smtp-in": 2}
PORTS = {"api": 8025, "smtp-in": 2525}


def definition(role, version, revision=1):
    family = f"{NAME}-{role}"
    return {"family": family, "revision": revision, "status": "ACTIVE", "cpu": "512", "memory": "1024",
            "taskDefinitionArn": f"{ARN}:task-definition/{family}:{revision}",
            "networkMode": "host" if role == "courier" else "awsvpc",
            "requiresCompatibilities": ["EC2" if role == "courier" else "FARGATE"],
            "executionRoleArn": f"arn:aws:iam::111122223333:role/{family}-start",
            "taskRoleArn": f"arn:aws:iam::111122223333:role/{family}-work",
            "volumes": [{"name": "settings"}, {"name": "state"}],
            "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
            "compatibilities": ["EC2"], "registeredBy": "arn:aws:iam::111122223333:user/deployer",
            "containerDefinitions": [
                {"name": "settings", "image": f"{IMAGE}@sha256:{'0' * 64}", "essential": False, "cpu": 0},
                {"name": "todoku", "image": f"{IMAGE}:{version}", "essential": True, "cpu": 0,
                 "environment": [{"name": "TODOKU_ENGINE__ROLES", "value": role}], "command": ["serve"]}]}


def world(version="1.0", roles=tuple(COUNTS)):
    definitions = {}
    for role in (*COUNTS, "migrate"):
        made = definition(role, version)
        definitions[made["taskDefinitionArn"]] = made
    tasks, services, instances = [], {}, {}
    for role in roles:
        count, arn = COUNTS[role], f"{ARN}:task-definition/{NAME}-{role}:1"
        services[role] = {"definition": arn, "before": arn, "desired": count, "daemon": role == "courier", "failed": 0,
                          "numbers": {"minimumHealthyPercent": 50, "maximumPercent": 100} if role == "courier" else {},
                          "balancers": [{"targetGroupArn": GROUP.format(role), "containerName": "todoku",
                                         "containerPort": PORTS[role]}] if role in PORTS else []}
        for _ in range(count):
            number = len(tasks) + 1
            task = {"id": f"{number:032x}", "definition": arn, "version": version, "image": f"{IMAGE}:{version}",
                    "group": f"service:{role}", "status": "RUNNING", "health": "HEALTHY", "looks": 0,
                    "address": f"10.20.0.{number}"}
            if role == "courier":
                task["instance"] = f"{ARN}:container-instance/{NAME}/{number:032x}"
                instances[task["instance"]] = {"ec2": f"i-{number:017x}", "status": "ACTIVE"}
            tasks.append(task)
    return {"name": NAME, "numbers": 100, "definitions": definitions, "services": services, "tasks": tasks,
            "instances": instances, "refused": {}, "alarm_looks": 0, "once_status": 0, "once_says": '{"missing": 0}',
            "targets": {}, "snapshots": {},
            "scaled": {}, "groups": {f"{NAME}-courier-ap-northeast-1{zone}": {"MinSize": 1, "MaxSize": 4, "DesiredCapacity": 1}
                                     for zone in "acd"},
            "images": {"settings-1.37": {"digest": f"sha256:{'0' * 64}", "at": "2026-01-01T00:00:00+09:00"},
                       "1.0": {"digest": f"sha256:{'1' * 64}", "at": "2026-01-02T00:00:00+09:00"},
                       "2.0": {"digest": f"sha256:{'2' * 64}", "at": "2026-01-03T00:00:00+09:00"}},
            "parameters": {f"/todoku/{NAME}/deployed": '{"current": "1.0", "previous": null, "rolling": null}'},
            "addresses": [{"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.1", "AssociationId": "eipassoc-1",
                           "InstanceId": "i-00000000000000004",
                           "tags": {"todoku:installation": NAME, "todoku:source": "out-1",
                                    "todoku:zone": "ap-northeast-1a", "todoku:private-ip": "10.20.1.1"}}]}
