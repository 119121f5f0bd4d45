# SPDX-License-Identifier: Apache-2.0
"""Images as a container engine has them on its disk: layers unpacked once each, and what the image
says of how it is run.

Read are OCI archives (the image layout of the OCI image specification, in a tar file) such as
deploy/bin/build makes. Each digest is checked. A program of the image is run here by the image's own
loader with the image's own shared objects, so with nothing of this machine but its kernel and /etc.
"""
import dataclasses
import hashlib
import io
import json
import os
import pathlib
import shutil
import tarfile
import tempfile

from verbs.target import TargetError

JSON_OCTETS_MAX = 4 << 20
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
LIBRARIES = "usr/lib/x86_64-linux-gnu"


@dataclasses.dataclass(frozen=True)
class Image:
    version: str
    digest: str             # of its manifest
    root: pathlib.Path      # its file system
    environment: dict       # what its configuration sets
    entrypoint: tuple       # such as ("/usr/bin/todoku",)

    def command(self, *words):
        """What runs its entry point with these words on this machine."""
        program = str(self.root / self.entrypoint[0].lstrip("/"))
        if not (self.root / LOADER).exists():
            return [program, *self.entrypoint[1:], *words]
        return [str(self.root / LOADER), "--library-path", str(self.root / LIBRARIES), "--argv0",
                self.entrypoint[0], program, *self.entrypoint[1:], *words]


class Archive:
    """One OCI archive that is open."""

    def __init__(self, path):
        try:
            self.tar = tarfile.open(path)
        except (OSError, tarfile.TarError) as error:
            raise TargetError(f"{path} is no archive of an image: {error}") from error
        self.path = path
        index = json.loads(self.member("index.json", JSON_OCTETS_MAX))
        if len(index.get("manifests", ())) != 1:
            raise TargetError(f"{path} holds {len(index.get('manifests', ()))} images, not 1")
        described = index["manifests"][0]
        self.digest = described["digest"]
        self.tag = described.get("annotations", {}).get("org.opencontainers.image.ref.name")
        self.manifest = json.loads(self.blob(self.digest, JSON_OCTETS_MAX))
        self.config = json.loads(self.blob(self.manifest["config"]["digest"], JSON_OCTETS_MAX))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tar.close()

    def member(self, name, octets_max):
        try:
            info = self.tar.getmember(name)
        except KeyError as error:
            raise TargetError(f"{self.path} has no {name}: it is no OCI archive") from error
        if info.size > octets_max:
            raise TargetError(f"{self.path}: {name} has {info.size} octets, over {octets_max}")
        return self.tar.extractfile(info).read()

    def blob(self, digest, octets_max=1 << 31):
        octets = self.member("blobs/" + digest.replace(":", "/"), octets_max)
        if f"sha256:{hashlib.sha256(octets).hexdigest()}" != digest:
            raise TargetError(f"{self.path}: the octets of {digest} have another digest")
        return octets


class Images:
    """Those in one folder: layers/DIGESTS (unpacked), versions/TAG.json."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def add(self, path, version, say):
        """(version, whether it was new). Refuses another image under a version that is there."""
        with Archive(path) as archive:
            version = version or archive.tag
            if not version or not all(c.isalnum() or c in "._-" for c in version):
                raise TargetError(f"{version!r} cannot be a version: name one with --version")
            known = self.described(version)
            if known:
                if known["digest"] != archive.digest:
                    raise TargetError(f"version {version} is there and is {known['digest']}, not "
                                      f"{archive.digest}: a version never changes, name another")
                return version, False
            say(f"unpacking {archive.digest} as {version}")
            root = self.unpacked(archive)
            (self.folder / "versions").mkdir(parents=True, exist_ok=True)
            config = archive.config.get("config", {})
            write_whole(self.folder / "versions" / f"{version}.json", json.dumps({
                "version": version, "digest": archive.digest, "root": root,
                "order": len(self.versions()),
                "environment": dict(each.split("=", 1) for each in config.get("Env") or ()),
                "entrypoint": config.get("Entrypoint") or ["/usr/bin/todoku"]}))
            return version, True

    def unpacked(self, archive):
        """The name of the folder with all layers of it, made if need be."""
        digests = [layer["digest"] for layer in archive.manifest["layers"]]
        name = hashlib.sha256(" ".join(digests).encode()).hexdigest()[:16]
        folder = self.folder / "layers" / name
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            making = pathlib.Path(tempfile.mkdtemp(dir=folder.parent, prefix="making-"))
            try:
                for digest in digests:
                    unpack(archive.blob(digest), making)
                making.chmod(0o755)
                making.rename(folder)
            except BaseException:
                shutil.rmtree(making, ignore_errors=True)
                raise
        return name

    def described(self, version):
        try:
            return json.loads((self.folder / "versions" / f"{version}.json").read_text())
        except OSError:
            return None

    def versions(self):
        """The newest last."""
        found = [json.loads(path.read_text())
                 for path in (self.folder / "versions").glob("*.json")]
        return [each["version"] for each in sorted(found, key=lambda each: each["order"])]

    def get(self, version):
        known = self.described(version)
        if known is None:
            raise TargetError(f"there is no version {version}; there are: "
                              f"{', '.join(self.versions()) or 'none'}")
        return Image(version, known["digest"], self.folder / "layers" / known["root"],
                     known["environment"], tuple(known["entrypoint"]))


def unpack(octets, folder):
    """A layer: files, folders and links, and nothing outside of the folder. Whose they are is the
    image's affair; here they are the caller's."""
    with tarfile.open(fileobj=io.BytesIO(octets)) as layer:
        for member in layer:
            path = pathlib.PurePosixPath(member.name)
            inside = not path.is_absolute() and ".." not in path.parts
            if member.issym():
                inside &= is_inside(path.parent / member.linkname)
            elif member.islnk():
                inside &= is_inside(pathlib.PurePosixPath(member.linkname))
            elif not (member.isfile() or member.isdir()):
                inside = False
            if not inside or path.name.startswith(".wh."):
                raise TargetError(f"a layer of the image holds {member.name}, which is not "
                                  "unpacked here: a device, a removal, or outside of its folder")
            member.mode = (member.mode & 0o755) | (0o700 if member.isdir() else 0o600)
            member.uid, member.gid = os.getuid(), os.getgid()
            member.uname = member.gname = ""
            layer.extract(member, folder)


def is_inside(path):
    """Whether a relative path (of PurePosixPath) stays below where it begins."""
    depth = 0
    for part in path.parts:
        depth += -1 if part == ".." else 1
        if depth < 0 or part == "/":
            return False
    return True


def write_whole(path, text, mode=0o644):
    """The file is whole at any time."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
              encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def plain_environment():
    """This process's, without settings of the engine that were meant for another one."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TODOKU_")}
