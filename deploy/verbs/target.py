# SPDX-License-Identifier: Apache-2.0
"""What the verbs deploy to: the one interface that a cluster of processes (local.py) and ECS (ecs.py)
stand behind. Nothing here decides: that is rollout.py.

A target has *services*, one for each role, and each service *tasks*: processes of one version. A
*version* is an image's tag, such as 1.2.0; it never changes once it was pushed. Whatever fails raises
TargetError with a sentence that says what and where, and leaves the target as it says.
"""
import abc
import dataclasses
import pathlib
import tomllib

# Who is replaced first: what others rely on least. A new scheduler offers work to old couriers, a
# new courier takes it from an old scheduler (docs/operating.md, "Schema"); the doors come last,
# because a task of theirs that fails is seen by clients.
ORDER = ("events", "scheduler", "courier", "api", "smtp-in")
# What stands still while a service has no task.
IDLE = {"events": "no import runs, and nothing that was deleted is removed", "scheduler": "nothing is sent",
        "courier": "nothing is sent", "api": "no request is answered", "smtp-in": "no mail is taken by SMTP"}


class TargetError(Exception):
    """Says in one sentence what could not be done, and why."""


class NeedsAHand(TargetError):
    """What runs is not what should; the sentence says what does, and what to do."""


@dataclasses.dataclass(frozen=True)
class Service:
    name: str   # the role; one of ORDER
    count: int  # tasks wanted
    drained: int = 0  # tasks that would be wanted besides, had nobody drained them
    since: str = ""   # when the last of them was drained, where the target knows: "2026-05-01 09:30 UTC"

    def is_drained(self):
        """Nothing of it is left because somebody drained it."""
        return self.count == 0 and self.drained > 0


@dataclasses.dataclass(frozen=True)
class Task:
    id: str        # unique in the target, for good
    service: str
    version: str
    state: str     # "starting", "ready", "unready" (it was ready before), or "ended" (and stays so)
    detail: str = ""  # why it is so, in a few words: "killed by signal 9, restarted 3 times"
    canary: bool = False  # beside its service, or the first of it, while a version is tried


@dataclasses.dataclass(frozen=True)
class Ran:
    """A command of the engine that was run once, in a task of its own."""
    status: int  # its exit status
    output: str  # its standard output; on ECS, which keeps them in one log, its errors as well
    errors: str = ""  # its standard error

    def words(self):
        """All that it said, for people."""
        return "\n".join(part.strip() for part in (self.output, self.errors) if part.strip())


@dataclasses.dataclass(frozen=True)
class Deployed:
    """What the target remembers. `current` is what all tasks should be of; None before the first
    roll. `rolling` is what they are on their way to, from the first change to the last: one that
    is set while no verb runs tells of a verb that was broken off."""
    current: str | None = None
    previous: str | None = None
    rolling: str | None = None


class Target(abc.ABC):
    """Methods that take `say` call it with a sentence before each step that changes something.

    Each may be called again after it failed or was broken off, and then does what is left."""

    name: str  # as people know it: "local:run-cluster", "ecs:todoku"
    # How long the first task of each service is watched unless somebody says, and how often it is looked at.
    watch_seconds = 60
    look_seconds = 1

    # ---- versions ----------------------------------------------------------------------------

    @abc.abstractmethod
    def push(self, archive, version, say):
        """Makes the image in this OCI archive (a path) known as `version` (None: the archive's own
        tag), and returns it. The same image again changes nothing; another image under a version
        that is there is refused."""

    @abc.abstractmethod
    def versions(self):
        """Those that were pushed, the newest last."""

    @abc.abstractmethod
    def deployed(self):
        """-> Deployed."""

    @abc.abstractmethod
    def remember(self, deployed):
        """Keeps it where the next verb, on whatever machine, finds it."""

    @abc.abstractmethod
    def lock(self):
        """A context in which no other verb changes the target; TargetError if one does."""

    def image(self, version):  # noqa: ARG002
        """images.Image of it where this machine has it, for the trial; None elsewhere."""
        return None

    # ---- tasks -------------------------------------------------------------------------------

    @abc.abstractmethod
    def services(self):
        """[Service], in the order in which they are replaced."""

    @abc.abstractmethod
    def tasks(self):
        """[Task] of all services; those that ended and were replaced are not told."""

    @abc.abstractmethod
    def canary(self, service, version, say):
        """Brings up one task of this version in the service's work and returns it once it is ready.
        One that is there already is returned. How it takes part (as one of the service's tasks, or
        beside them) is the target's affair. TargetError if it ends or is not ready in time; what was
        begun of it then is ended."""

    @abc.abstractmethod
    def replace(self, service, version, say):
        """Brings the service to its wanted count of tasks, all of this version and ready: each new
        one is ready before an old one leaves and drains. Ends canaries that are no part of it.
        TargetError if one ends or is not ready in time: then the service has tasks of both."""

    def differing(self):
        """[id] of tasks that began with other settings than one would that begins now; [] where the target
        does not know (on ECS settings are of the definitions, which `apply` changes)."""
        return []

    def renew(self, wanted):  # noqa: ARG002
        """From now on, in this verb, `canary` and `replace` take differing tasks for old ones where it is
        wanted. Otherwise they are left: what goes back or comes back does not change settings besides."""
        return

    @abc.abstractmethod
    def run_once(self, version, words, say):
        """Runs `todoku WORDS...` of this version with the target's settings, and waits. -> Ran.
        For `migrate` it runs with the rights to change tables."""

    # ---- looking -----------------------------------------------------------------------------

    @abc.abstractmethod
    def watch(self, version):
        """Begins to watch tasks of this version. Returns a function without arguments that tells
        what is wrong with them since then: [sentence], empty if nothing is."""

    @abc.abstractmethod
    def api(self):
        """(URL that the API is under, such as http://127.0.0.1:8025; bearer token to send smoke
        mails with). TargetError if none is set up."""

    @abc.abstractmethod
    def smoke_recipients(self):
        """[(what stands behind it, address)], such as ("todoku sink", "smoke@sink.example")."""

    @abc.abstractmethod
    def smoke_sender(self):
        """The address that smoke mails come from."""

    # ---- infrastructure and data --------------------------------------------------------------

    @abc.abstractmethod
    def plan(self, say):
        """Shows what `apply` would change; returns how many things, 0 if nothing."""

    @abc.abstractmethod
    def apply(self, say):
        """Makes it so."""

    @abc.abstractmethod
    def scale(self, service, count, say):
        """Keeps so many tasks of the service from now on."""

    @abc.abstractmethod
    def drain(self, what, say):
        """Takes a task (by its id) or a source (by its name) out of work in order."""

    def drain_leaves(self, what):  # noqa: ARG002
        """What stands still after this `drain`, as a sentence; "" if nothing does, or nobody knows."""
        return ""

    @abc.abstractmethod
    def resume(self, what, say):
        """Brings it back to work."""

    @abc.abstractmethod
    def backup(self, to, say):
        """Copies the store as it is at one moment; returns the name of the copy."""

    @abc.abstractmethod
    def restore(self, copy, say):
        """Ends all tasks, replaces the store by this copy, and begins the tasks again, which then
        stand in HOLD where the journal knows more than the copy. TargetError leaves the store as it
        was; NeedsAHand where no tasks run after it."""


def open_target(where):
    """The target that --target names: `local:FOLDER`, `ecs` (settings by the environment) or a TOML
    file with `kind = "local"` or `kind = "ecs"`."""
    kind, _, folder = where.partition(":")
    if kind == "local" and folder:
        path = pathlib.Path(folder).resolve() / "target.toml"
    elif where == "ecs":
        path = None
    else:
        path = pathlib.Path(where).resolve()
    settings = {"kind": "ecs"}
    if path is not None:
        try:
            settings = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TargetError(f"{path} cannot be read: {error.strerror}") from error
        except tomllib.TOMLDecodeError as error:
            raise TargetError(f"{path}: {error}") from error
    kind = settings.get("kind")
    if kind == "local":
        from verbs.local import LocalTarget as Kind  # noqa: PLC0415
    elif kind == "ecs":
        from verbs.ecs import EcsTarget as Kind  # noqa: PLC0415
    else:
        raise TargetError(f'{where}: kind is {kind!r}, not "local" or "ecs"')
    return Kind(where, settings, path.parent if path else pathlib.Path.cwd())
