#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The file system of the image: the engine, the shared objects that it needs, and the few files
that these read (trusted roots, time zones, public suffixes, DNSSEC's root key).

Everything comes from Debian packages that are installed on this machine, so what the engine was
linked to is what it runs with; bring those up to date before building. Each package leaves its
entry below /var/lib/dpkg/status.d, where scanners look for what an image without dpkg is made of,
and its licence; the same list is written as SPDX 2.3. Equal inputs give equal octets.
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import uuid

USER = 65532  # of nobody else, as in distroless images
# Files of these packages that are read at run time although nothing is linked to them.
DATA = {
    "ca-certificates": (),
    "tzdata": ("/usr/share/zoneinfo/Asia/Tokyo", "/usr/share/zoneinfo/UTC"),
    "publicsuffix": ("/usr/share/publicsuffix/",),
    "dns-root-data": ("/usr/share/dns/",),
    "openssl": ("/usr/lib/ssl/", "/etc/ssl/openssl.cnf"),
}
# Of headers alone, or partly (Boost's Asio and Beast): compiled into the program, so no file of the image is theirs.
COMPILED_IN = ("libboost1.81-dev", "libcli11-dev", "libtomlplusplus-dev")
# Found by name when a process runs, not when it is linked.
LOADED_LATER = ("libnss_dns.so.2", "libnss_files.so.2")


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        sys.exit(f"root: {' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def shared_objects(binary):
    """Paths of what the loader would load, the loader itself included."""
    paths = set()
    for line in output("ldd", str(binary)).splitlines():
        if "not found" in line:
            sys.exit(f"root: {line.strip()}")
        for word in line.split():
            if word.startswith("/"):
                paths.add(pathlib.Path(word))
    folder = next(path.parent for path in paths if path.name.startswith("libc.so"))
    paths.update(folder / name for name in LOADED_LATER if (folder / name).exists())
    return sorted(paths)


def owners(paths):
    """Package (with its architecture where dpkg tells it) by path. Paths may be seen through links."""
    seen = {path: (path, path.resolve(), pathlib.Path("/usr") / path.relative_to("/")) for path in paths}
    # All in one question: dpkg reads its whole database for each.
    done = subprocess.run(["dpkg", "-S", *sorted({str(name) for names in seen.values() for name in names})],
                          capture_output=True, text=True)
    told = {}
    for line in done.stdout.splitlines():
        packages, _, name = line.partition(": ")
        told[name] = packages.split(",")[0]
    found = {}
    for path, names in seen.items():
        found[path] = next((told[str(name)] for name in names if str(name) in told), None)
        if found[path] is None:
            sys.exit(f"root: {path} is of no Debian package, so nobody tells when it must be mended")
    return found


class Root:
    def __init__(self, folder, when):
        self.folder = folder
        self.when = when

    def path(self, name):
        path = self.folder / str(name).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        path.write_text(text)
        path.chmod(mode)

    def copy(self, source, name=None, mode=None):
        target = self.path(name or source)
        shutil.copyfile(source, target)
        target.chmod(mode if mode is not None else 0o644)

    def copy_tree(self, source):
        source = pathlib.Path(source)
        if not source.is_dir():
            return self.copy(source)
        for each in sorted(source.rglob("*")):
            if each.is_file() and os.access(each, os.R_OK):
                self.copy(each)

    def settle(self):
        """One time and one mode for all folders: what was umask's and the clock's."""
        for place, folders, files in os.walk(self.folder, topdown=False):
            for name in files + folders:
                path = pathlib.Path(place) / name
                if path.is_dir() and not path.is_symlink():
                    path.chmod(0o755)
                os.utime(path, (self.when, self.when), follow_symlinks=False)
        self.folder.chmod(0o755)
        os.utime(self.folder, (self.when, self.when))


def fill(root, binary):
    """Returns the packages that something was taken of."""
    strip = root.path("/usr/bin/todoku")
    output("strip", "--strip-all", "-o", str(strip), str(binary))
    strip.chmod(0o755)
    objects = shared_objects(binary)
    packages = set(owners(objects).values())
    for each in objects:
        # Where the loader looks, with no /lib beside /usr/lib: the image has Debian's merged /usr.
        name = each if str(each).startswith("/usr/") else pathlib.Path("/usr") / each.relative_to("/")
        root.copy(each.resolve(), name, 0o755)
    for link in ("lib", "lib64"):
        (root.folder / link).symlink_to(f"usr/{link}")
    (root.folder / "usr/lib64").mkdir(exist_ok=True)
    for package, names in DATA.items():
        for name in names:
            if pathlib.Path(name).exists():
                root.copy_tree(name)
                packages.add(package)
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    if not bundle.exists():
        sys.exit("root: no trusted roots on this machine: install ca-certificates")
    root.copy(bundle)
    packages.add("ca-certificates")
    root.write("/etc/passwd", f"root:x:0:0:root:/root:/sbin/nologin\n"
                              f"todoku:x:{USER}:{USER}:todoku:/var/lib/todoku:/sbin/nologin\n")
    root.write("/etc/group", f"root:x:0:\ntodoku:x:{USER}:\n")
    root.write("/etc/nsswitch.conf", "hosts: files dns\n")
    root.copy("/etc/os-release")
    for name in ("/var/lib/todoku", "/tmp", "/etc/todoku"):
        (root.folder / name.lstrip("/")).mkdir(parents=True)
    return sorted(packages)


def describe(package):
    fields = output("dpkg-query", "-W", "-f",
                    "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${Maintainer}",
                    package).split("\t")
    return dict(zip(("name", "version", "architecture", "source", "maintainer"), fields))


def tell_packages(root, packages):
    for package in packages:
        about = describe(package)
        root.write(f"/var/lib/dpkg/status.d/{about['name']}",
                   f"Package: {about['name']}\nStatus: install ok installed\n"
                   f"Maintainer: {about['maintainer']}\nArchitecture: {about['architecture']}\n"
                   f"Source: {about['source']}\nVersion: {about['version']}\n")
        licence = pathlib.Path(f"/usr/share/doc/{about['name']}/copyright")
        if licence.exists():
            root.copy(licence.resolve(), licence)


def compiled_in():
    """Those of this machine, which compiled it. A machine that only packs does not have them."""
    known = [name for name in COMPILED_IN
             if subprocess.run(["dpkg-query", "-W", name], capture_output=True).returncode == 0]
    for name in set(COMPILED_IN) - set(known):
        print(f"root: {name} is not on this machine, so the list cannot tell its version", file=sys.stderr)
    return known


def spdx(packages, version, binary, when):
    """SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/)."""
    digest = hashlib.sha256(binary.read_bytes()).hexdigest()
    made = subprocess.run(["date", "-u", "-d", f"@{when}", "+%Y-%m-%dT%H:%M:%SZ"],
                          capture_output=True, text=True, check=True).stdout.strip()
    listed = [{"SPDXID": "SPDXRef-todoku", "name": "todoku", "versionInfo": version,
               "supplier": "NOASSERTION", "downloadLocation": "NOASSERTION",
               "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
               "filesAnalyzed": False, "copyrightText": "NOASSERTION",
               "checksums": [{"algorithm": "SHA256", "checksumValue": digest}]}]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                  "relatedSpdxElement": "SPDXRef-todoku"}]
    inside = compiled_in()
    for package in [*packages, *inside]:
        about = describe(package)
        name = "".join(c if c.isalnum() or c in ".-" else "-" for c in about["name"])
        listed.append({
            "SPDXID": f"SPDXRef-deb-{name}", "name": about["name"], "versionInfo": about["version"],
            "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION",
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
            "filesAnalyzed": False, "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/debian/{about['name']}@"
                                                  f"{about['version'].replace('+', '%2B')}"
                                                  f"?arch={about['architecture']}"}]})
        relations.append({"spdxElementId": "SPDXRef-todoku",
                          "relationshipType": "STATIC_LINK" if package in inside else "DEPENDS_ON",
                          "relatedSpdxElement": f"SPDXRef-deb-{name}"})
    names = json.dumps([listed, version], sort_keys=True)
    space = uuid.uuid5(uuid.NAMESPACE_URL, "todoku " + hashlib.sha256(names.encode()).hexdigest())
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"todoku-{version}", "documentNamespace": f"urn:uuid:{space}",
            "creationInfo": {"created": made, "creators": ["Tool: todoku-deploy"]},
            "packages": listed, "relationships": relations}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--when", type=int, required=True, help="seconds since 1970, of every file")
    parser.add_argument("--into", type=pathlib.Path, required=True, help="a folder that is not there")
    parser.add_argument("--sbom", type=pathlib.Path, required=True)
    given = parser.parse_args()
    given.into.mkdir(parents=True)
    root = Root(given.into, given.when)
    packages = fill(root, given.binary)
    tell_packages(root, packages)
    stripped = root.folder / "usr/bin/todoku"
    listed = spdx(packages, given.version, stripped, given.when)
    text = json.dumps(listed, indent=1, sort_keys=True) + "\n"
    root.write("/usr/share/doc/todoku/sbom.spdx.json", text)
    given.sbom.write_text(text)
    root.settle()
    # The engine's user writes nowhere else; chown wants root, which the caller then is.
    for name in ("var/lib/todoku",):
        os.chown(root.folder / name, USER, USER)
        (root.folder / name).chmod(0o700)
        os.utime(root.folder / name, (given.when, given.when))
    (root.folder / "tmp").chmod(0o1777)
    os.utime(root.folder / "tmp", (given.when, given.when))


if __name__ == "__main__":
    main()
