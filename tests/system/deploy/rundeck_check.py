# SPDX-License-Identifier: Apache-2.0
"""Jobs for Rundeck, held against its YAML format and our own rules. Format: "JOB-YAML", "Job file formats" of Rundeck's
documentation (docs.rundeck.com, manual/document-format-reference/job-yaml-v12), read in 2026-11.

    rundeck_check.py FILE...        a line for each finding, exit status 1 if there are any
"""
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]

TEXT, FLAG = {"type": "string"}, {"type": "boolean"}


def closed(required, /, **members):
    return {"type": "object", "required": required, "additionalProperties": False, "properties": members}


OPTION = closed(["name"], name={"type": "string", "pattern": "^[A-Za-z0-9._-]+$"}, description=TEXT, value=TEXT,
                values={"type": "array", "items": TEXT, "minItems": 1}, required=FLAG, enforced=FLAG, regex=TEXT,
                valuesUrl=TEXT, multivalued=FLAG, delimiter=TEXT, multivalueAllSelected=FLAG, secure=FLAG,
                valueExposed=FLAG, storagePath=TEXT, isDate=FLAG, dateFormat=TEXT, sortIndex={"type": "integer"})
DISPATCH = closed([], threadcount={"type": ["integer", "string"]}, keepgoing=FLAG, excludePrecedence=FLAG,
                  rankAttribute=TEXT, rankOrder={"enum": ["ascending", "descending"]})
NODES = closed(["filter"], filter=TEXT, dispatch=DISPATCH)
KINDS = {"exec": closed(["exec"], exec=TEXT, description=TEXT),
         "script": closed(["script"], script=TEXT, args=TEXT, description=TEXT, scriptInterpreter=TEXT,
                          interpreterArgsQuoted=FLAG),
         "scriptfile": closed(["scriptfile"], scriptfile=TEXT, args=TEXT, description=TEXT, scriptInterpreter=TEXT,
                              interpreterArgsQuoted=FLAG),
         "scripturl": closed(["scripturl"], scripturl=TEXT, args=TEXT, description=TEXT, scriptInterpreter=TEXT,
                             interpreterArgsQuoted=FLAG),
         "jobref": closed(["jobref"], description=TEXT, jobref=closed(["name"], name=TEXT, group=TEXT, args=TEXT,
                                                                      nodeStep=FLAG, nodefilters=NODES))}
SEQUENCE = closed(["keepgoing", "strategy", "commands"], keepgoing=FLAG, strategy={"enum": ["node-first", "step-first"]},
                  commands={"type": "array", "minItems": 1, "items": {"oneOf": list(KINDS.values())}})
DURATION = {"type": ["string", "integer"], "pattern": r"^(\d+|(\d+[dhms] ?)+)$"}
JOB = closed(["name", "description", "loglevel", "sequence"], name=TEXT, description=TEXT,
             loglevel={"enum": ["DEBUG", "VERBOSE", "INFO", "WARN", "ERROR"]}, sequence=SEQUENCE,
             uuid={"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}, group=TEXT,
             multipleExecutions=FLAG, timeout=DURATION, nodefilters=NODES,
             options={"type": "array", "items": OPTION}, loglimit=TEXT, loglimitAction={"enum": ["halt", "truncate"]},
             loglimitStatus=TEXT, retry={"type": ["integer", "string", "object"]}, schedule={"type": "object"},
             notification={"type": "object"}, plugins={"type": "object"})
JOBS = {"type": "array", "minItems": 1, "items": JOB}


class NoTwice(yaml.SafeLoader):
    """YAML takes a key twice and the last one counts: here that is a fault."""


def once_each(loader, node):
    keys = [key.value for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} is there twice", node.start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


NoTwice.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, once_each)


def loaded(text):
    return yaml.load(text, Loader=NoTwice)  # noqa: S506 (a SafeLoader)


def variable(option):
    """By which a script has it: Rundeck writes it in capitals, other characters than letters and digits as _."""
    return "RD_OPTION_" + re.sub(r"[^A-Z0-9]", "_", option.upper())


def findings(text):
    """[what is wrong, in words]"""
    try:
        jobs = loaded(text)
    except yaml.YAMLError as error:
        return [f"no YAML: {error}"]
    found = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
             for error in jsonschema.Draft7Validator(JOBS).iter_errors(jobs)]
    if found:
        return found
    for member in ("uuid", "name"):
        known = [(job.get("group"), job[member]) if member == "name" else job.get(member) for job in jobs]
        found += [f"{each} is the {member} of two jobs" for each in sorted(set(map(str, known)))
                  if list(map(str, known)).count(each) > 1]
    for job in jobs:
        found += [f"{job['name']}: {what}" for what in findings_of(job)]
    return found


def findings_of(job):
    for member in ("uuid", "group", "timeout", "nodefilters", "multipleExecutions"):
        if member not in job:
            yield f"{member} is missing: two runs at once, or one for ever, would be somebody else's default"
    scripts = [command.get("script", "") for command in job["sequence"]["commands"]]
    options = job.get("options", [])
    for option in options:
        yield from findings_of_option(option)
        if not any(variable(option["name"]) in script for script in scripts):
            yield f"option {option['name']} is used by no script"
    names = {variable(option["name"]) for option in options}
    optional = {variable(option["name"]) for option in options if not option.get("required")}
    for command in job["sequence"]["commands"]:
        if "script" not in command:
            yield "only scripts: in the others the text of an option becomes part of a command"
            continue
        yield from findings_of_script(command["script"], names, optional)


def findings_of_option(option):
    name = option["name"]
    if bool(option.get("enforced")) != ("values" in option):
        yield f"option {name}: values and enforced go together"
    if not option.get("enforced") and not option.get("secure") and "regex" not in option:
        yield f"option {name}: takes anything; it needs values or a regex"
    if "value" in option and "values" in option and option["value"] not in option["values"]:
        yield f"option {name}: its default {option['value']!r} is none of its values"
    if option.get("multivalued") and ("delimiter" not in option or option.get("secure")):
        yield f"option {name}: multivalued wants a delimiter, and is never secure"
    if option.get("secure") and not (option.get("valueExposed") and "storagePath" in option):
        yield f"option {name}: a secret wants valueExposed, or no script has it, and a storagePath"
    if re.search("token|password|secret", name) and not option.get("secure"):
        yield f"option {name}: a secret is not secure"
    try:
        takes_nothing = "regex" in option and re.fullmatch(option["regex"], "") is not None
    except re.error as error:
        yield f"option {name}: regex: {error}"
        return
    if "regex" in option and takes_nothing == bool(option.get("required")):
        yield f"option {name}: what is required must not be empty, and what is not may be"


def findings_of_script(script, names, optional):
    if not script.startswith("#!/bin/bash\nset -euo pipefail\n"):
        yield "a script does not begin with bash and set -euo pipefail"
    if re.search(r"@[\w.]+@|\$\{(option|job|node|globals)\.", script):
        yield "Rundeck would write a value into the script's text, where it becomes a command: use RD_OPTION_..."
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    if checked.returncode != 0:
        yield f"bash cannot read a script: {checked.stderr.strip()}"
    for match in re.finditer(r"\$\{?(RD_OPTION_\w+)", script):
        if match[1] not in names:
            yield f"{match[1]} is no option"
        elif match[1] in optional and not re.search(r"\$\{" + match[1] + r":[-+]", script):
            yield f"{match[1]} may be missing, which ends a script: ${{{match[1]}:-}}"
    # Out of quotes, spaces of a value would part it.
    bare = re.sub(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|\w+=\w*\$\{?RD_OPTION_\w+\}?(?=\s|$)', "", script)
    bare = re.sub(r"\$\{RD_OPTION_\w+:\+[^}]*\}", "", bare)
    if "$RD_OPTION" in bare or "${RD_OPTION" in bare:
        yield "a value is used without quotes"
    for verb in re.findall(r"deploy/bin/([\w-]+)", script):
        if not (ROOT / "deploy/bin" / verb).exists():
            yield f"there is no deploy/bin/{verb}"


def main():
    wrong = 0
    for file in sys.argv[1:]:
        for what in findings(pathlib.Path(file).read_text(encoding="utf-8")):
            print(f"{file}: {what}")
            wrong += 1
    print(json.dumps({"findings": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
