# SPDX-License-Identifier: Apache-2.0
"""What a call of AWS may look like: the service's own model, as Debian's botocore has it.

botocore itself looks at names, types, what is required and least values. Here also: most, enumerations and patterns,
which AWS looks at, too. Answers are held against the model as well, so that the stand-in says nothing that AWS has no
words for. The model is as old as the package (`date_of_model`): members that are newer are unknown to it.
"""
import gzip
import pathlib
import re

import botocore
import botocore.loaders
import botocore.model
import botocore.validate

_SERVICES = {}


def date_of_model():
    """The version of botocore, and when Debian packaged it."""
    changes = pathlib.Path("/usr/share/doc/python3-botocore/changelog.Debian.gz")
    if not changes.exists() or not botocore.__file__.startswith("/usr/lib/python3/"):
        return f"botocore {botocore.__version__}"
    dated = [line for line in gzip.decompress(changes.read_bytes()).decode().splitlines() if line.startswith(" -- ")]
    return f"botocore {botocore.__version__} (Debian's, {dated[0].split('>  ')[1]})"


def service(name):
    """The model of one service; KeyError where AWS has none of that name."""
    if name not in _SERVICES:
        try:
            loaded = botocore.loaders.Loader().load_service_model(name, "service-2")
        except botocore.exceptions.UnknownServiceError as no:
            raise KeyError(name) from no
        _SERVICES[name] = botocore.model.ServiceModel(loaded, name)
    return _SERVICES[name]


def operation(service_name, verb):
    """`update-service` of ecs, as a model; KeyError where the service has no such operation."""
    model = service(service_name)
    for name in model.operation_names:
        if botocore.xform_name(name, "-") == verb:
            return model.operation_model(name)
    raise KeyError(verb)


def faults_of(shape, value):
    """What is wrong with `value` as a `shape`, a line each."""
    report = botocore.validate.ParamValidator().validate(value, shape)
    found = [line for line in report.generate_report().splitlines() if line] if report.has_errors() else []
    return found + list(_closer(shape, value, ""))


def _closer(shape, value, path):
    """Enumerations, patterns, and most of numbers, lengths and lists, which botocore leaves to AWS."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if name in value:
                yield from _closer(member, value[name], f"{path}.{name}")
    elif kind == "list" and isinstance(value, list):
        for position, item in enumerate(value):
            yield from _closer(shape.member, item, f"{path}[{position}]")
        yield from _most(shape, len(value), path)
    elif kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from _closer(shape.value, item, f"{path}.{key}")
    elif kind == "string" and isinstance(value, str):
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not _fits(pattern, value):
            yield f"{path}: {value!r} is not of the form {pattern}"
        yield from _most(shape, len(value), path)
    elif kind in ("integer", "long") and isinstance(value, int):
        yield from _most(shape, value, path)


def _most(shape, number, path):
    most = shape.metadata.get("max")
    if most is not None and number > most:
        yield f"{path}: {number} is over the most, {most}"


def _fits(pattern, value):
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # of a dialect that Python does not read
        return True
