# SPDX-License-Identifier: Apache-2.0
"""What versions need of the store's tables, as they say themselves (`todoku migrate status --json`): whether a step is
missing, whether a version could not work on the tables any more, and what is to be taken away (contractions)."""
import dataclasses
import json

from verbs.target import TargetError


@dataclasses.dataclass(frozen=True)
class Tables:
    """As a version sees them."""
    missing: int  # steps that it would take, and that take nothing away
    known: int    # steps that it knows; 0 where the engine makes its tables by itself
    least: int | None  # steps that a version must know to work on them once all are taken; None: it does not say
    contractions: int = 0  # steps that take away what versions before it need


def look(target, version, say):
    """-> Tables; TargetError where the version cannot work on these tables, or cannot tell."""
    ran = target.run_once(version, ["migrate", "status", "--json"], say)
    try:
        told = json.loads(ran.output) if ran.status == 0 else {}
        return Tables(told["missing"], len(told.get("steps", ())), told.get("worked_on_by"),
                      told.get("contractions", 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TargetError(f"version {version} cannot tell the state of the tables: {ran.words()[-400:]}") \
            from error


def check(target, version, say):
    """TargetError unless the version can work on the tables as they are."""
    missing = look(target, version, say).missing
    if missing:
        raise TargetError(f"{missing} steps of the schema are missing: deploy/bin/migrate first")


def check_expansion(target, version, say):
    """TargetError where the version that runs could not go on, or start again, after the steps of this one."""
    running = target.deployed().current
    if running in (None, version):
        return
    new = look(target, version, say)
    if not new.missing:
        return
    known = look(target, running, say).known
    if new.least is not None and known >= new.least:
        return
    needs = f"versions that know {new.least} steps or more" if new.least is not None else "nobody knows which versions"
    raise TargetError(
        f"nothing was taken: after the {new.missing} steps that version {version} needs {needs} can work on the tables, "
        f"and version {running}, which runs, knows {known}. Bring a version between the two to run first; or take "
        f"them with deploy/bin/migrate --no-way-back --version {version}, and roll at once: until then a task of "
        f"{running} that ends does not start again, and there is no way back to it")
