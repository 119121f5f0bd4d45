#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The image: built twice with one digest, small, without a shell, and at work: as process 1 of an
ordinary user on a file system that nothing can be written to, it answers its health check, sends
mail, and drains on SIGTERM. Needs root for its namespaces."""
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from stack import ROOT, Stack, is_ready, processes  # noqa: E402
from whole import WHOLE, only_whole  # noqa: E402

OCTETS_MAX = 80_000_000
USER = 65532
BINARY = None

# As a container engine does it: the root read-only, one volume, one user, process 1.
ENTER = ('mount --bind "$1" "$1" && mount --bind "$2" "$1/var/lib/todoku" && '
         'mount -o remount,ro,bind "$1" && mount --bind /etc/resolv.conf "$1/etc/resolv.conf" && '
         'root=$1 && shift 2 && exec chroot --userspec=%d:%d "$root" /usr/bin/todoku "$@"'
         % (USER, USER))


def build(into, scratch):
    done = subprocess.run([ROOT / "deploy/bin/build", "--binary", BINARY, "--into", into],
                          env={**os.environ, "TMPDIR": str(scratch)}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    return (into / "digest").read_text().strip()


class Archive:
    """An OCI archive (the image layout of the OCI image specification, in a tar file)."""

    def __init__(self, path):
        with tarfile.open(path) as archive:
            self.files = {each.name: archive.extractfile(each).read()
                          for each in archive if each.isfile()}
        index = json.loads(self.files["index.json"])
        self.manifest = self.blob(index["manifests"][0])
        self.config = self.blob(self.manifest["config"])

    def octets_of(self, descriptor):
        return self.files["blobs/" + descriptor["digest"].replace(":", "/")]

    def blob(self, descriptor):
        return json.loads(self.octets_of(descriptor))

    def unpack(self, folder):
        for layer in self.manifest["layers"]:
            subprocess.run(["tar", "-xzp", "-C", folder], input=self.octets_of(layer), check=True)


class ImageStack(Stack):
    """Its engine and commands are those of the image."""

    def __init__(self, root, receivers):
        super().__init__(BINARY, receivers)
        self.root = root

    def inside(self, *words, more=()):
        return ["unshare", "--mount", *more, "sh", "-c", ENTER, "sh", str(self.root),
                str(self.directory), *words]

    def write_config(self):
        super().write_config()
        for path in (self.directory, self.directory / "todoku.toml"):
            os.chown(path, USER, USER)

    def command(self, *arguments, statuses=(0,), with_errors=False):
        done = subprocess.run(self.inside("--config", "/var/lib/todoku/todoku.toml", *arguments),
                              capture_output=True, text=True)
        if done.returncode not in statuses:
            raise RuntimeError(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout + (done.stderr if with_errors else "")

    def start_engine(self):
        words = self.inside("serve", "--config", "/var/lib/todoku/todoku.toml",
                            more=("--pid", "--fork", "--kill-child"))
        self.engine = processes.start(self.directory, "engine", words)
        self.wait_for(lambda: is_ready(self.api_port), "the engine")

    def close(self):
        # What is process 1 of its own namespace does not hear of the end of who started it.
        if self.engine is not None and self.engine.poll() is None:
            os.kill(self.engine_pid(), signal.SIGKILL)
            self.engine.wait()
        super().close()

    def engine_pid(self):
        children = pathlib.Path(f"/proc/{self.engine.pid}/task/{self.engine.pid}/children")
        return int(children.read_text().split()[0])


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="todoku-image-")
        cls.folder = pathlib.Path(cls.work.name)
        for name in ("first", "second", "scratch", "root"):
            (cls.folder / name).mkdir()
        cls.digests = [build(cls.folder / name, cls.folder / "scratch")
                       for name in ("first", "second")[: 2 if WHOLE else 1]]
        cls.archive = Archive(cls.folder / "first/todoku.oci.tar")
        cls.root = cls.folder / "root"
        cls.archive.unpack(cls.root)
        (cls.root / "etc/resolv.conf").touch()  # a container engine's

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    @only_whole
    def test_two_builds_have_one_digest(self):
        self.assertEqual(self.digests[0], self.digests[1])

    def test_it_is_small(self):
        size = sum(layer["size"] for layer in self.archive.manifest["layers"])
        print(f"compressed layers: {size / 1e6:.1f} MB")
        self.assertLess(size, OCTETS_MAX)

    def test_its_description(self):
        config = self.archive.config["config"]
        self.assertEqual(config["User"], f"{USER}:{USER}")
        self.assertEqual(config["Entrypoint"], ["/usr/bin/todoku"])
        self.assertEqual(config["StopSignal"], "SIGTERM")
        labels = config["Labels"]
        self.assertEqual(labels["org.opencontainers.image.title"], "todoku")
        self.assertEqual(labels["org.opencontainers.image.version"],
                         (self.folder / "first/version").read_text().strip())

    def test_nothing_is_in_it_that_helps_an_intruder(self):
        programs = []
        for path in self.root.rglob("*"):
            mode = path.lstat().st_mode
            self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID), path)
            if stat.S_ISREG(mode):
                self.assertFalse(mode & stat.S_IWOTH, path)
                is_object = ".so" in path.name
                if mode & stat.S_IXUSR and not is_object:
                    programs.append(str(path.relative_to(self.root)))
        self.assertEqual(programs, ["usr/bin/todoku"])

    def test_the_list_names_every_package_that_something_is_of(self):
        listed = json.loads((self.folder / "first/sbom.spdx.json").read_text())
        self.assertEqual(listed["spdxVersion"], "SPDX-2.3")
        versions = {each["name"]: each["versionInfo"] for each in listed["packages"]}
        for path in sorted((self.root / "usr/lib").rglob("*.so*")):
            name = str(pathlib.Path("/") / path.relative_to(self.root))
            owner = ""
            for seen in (name, name.removeprefix("/usr"), os.path.realpath(name)):
                done = subprocess.run(["dpkg", "-S", seen], capture_output=True, text=True)
                owner = owner or done.stdout.split(":")[0]
            self.assertIn(owner, versions, name)
        for entry in (self.root / "var/lib/dpkg/status.d").iterdir():
            fields = dict(line.split(": ", 1) for line in entry.read_text().splitlines())
            self.assertEqual(versions[fields["Package"]], fields["Version"])
        # What is compiled in leaves no file, and its weaknesses are ours all the same.
        for name in ("libboost1.81-dev", "libcli11-dev", "libtomlplusplus-dev"):
            self.assertIn(name, versions)
        known = {each["SPDXID"] for each in listed["packages"]}
        for relation in listed["relationships"]:
            self.assertIn(relation["relatedSpdxElement"], known)

    def test_it_works_and_drains(self):
        if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"]).returncode != 0:
            self.skipTest("no namespaces can be made here, so the image cannot be run")
        with ImageStack(self.root, {"receiver.example": []}) as stack:
            pid = stack.engine_pid()
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            self.assertRegex(status, rf"(?m)^Uid:\t{USER}\t{USER}\t{USER}\t{USER}$")
            self.assertRegex(status, rf"(?m)^NSpid:\t{pid}\t1$")
            self.assertEqual(stack.command("healthcheck").strip(), "ready")
            self.assertEqual(stack.command("healthcheck", "--live").strip(), "alive")
            delivery = stack.api.call("POST", "/deliveries/transaction", {
                "from": {"email": "shop@sender.example"}, "to": "a@receiver.example",
                "subject": "届く", "text_part": "from an image"})["delivery_id"]
            stack.wait_for(lambda: stack.status_of(delivery) == "SENT", "the mail")
            stack.wait_for(stack.arrivals, "its arrival")
            self.assertEqual([who for who, _ in stack.arrivals()], ["a@receiver.example"])
            os.kill(pid, signal.SIGTERM)
            self.assertEqual(stack.engine.wait(30), 0)
            self.assertNotEqual(
                subprocess.run(stack.inside("--config", "/var/lib/todoku/todoku.toml", "healthcheck"),
                               capture_output=True).returncode, 0)
            stack.engine = None


if __name__ == "__main__":
    BINARY = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(warnings="ignore")
