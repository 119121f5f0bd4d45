# SPDX-License-Identifier: Apache-2.0
"""A clean Debian root for tests that install something, made once by mmdebstrap of this machine's own
package sources and kept in build/debian-root, whoever comes first; and the Debian packages of todoku.

The root has systemd and Python beside what is essential, and in apt's cache, not installed, what
the tests install there: so they need no network. Needs root.
"""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import subprocess
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
CACHE = ROOT / "build/debian-root"
THERE = ("systemd", "python3", "python3-apt")
# What deploy/ansible installs, and what calls a sendmail; the engine's own packages come to it.
FETCHED = ("cron", "php-cli", "ca-certificates", "openssl", "chrony", "unattended-upgrades", "procps", "iproute2",
           "kmod", "nftables", "prometheus-node-exporter", "publicsuffix", "dns-root-data")
DAYS_MAX = 7  # then the distribution may have newer ones
BARRED = "resolv|connect to|not permitted|Permission denied"


def run(*command, check=True, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if check and done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
    return done


@contextlib.contextmanager
def locked():
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def key_of(*parts):
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:16]


def sources():
    for name in ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"):
        if pathlib.Path(name).exists():
            return pathlib.Path(name)
    raise RuntimeError("this machine has no package sources of Debian")


def package(binary, version):
    """The .deb of deploy/bin/package, of this program with this version."""
    binary = pathlib.Path(binary)
    made_of = [binary.stat().st_mtime_ns, binary.stat().st_size, version]
    made_of += [path.read_text() for path in sorted((ROOT / "deploy/debian").iterdir())]
    made_of += [(ROOT / "deploy/bin" / name).read_text() for name in ("package", "words")]
    with locked():
        into = CACHE / f"package-{version}"
        mark = into / key_of(*made_of)
        if not mark.exists():
            for old in into.glob("*"):
                old.unlink()
            # It is installed on this machine: packing it tightly takes longer than all else.
            run(ROOT / "deploy/bin/package", "--binary", binary, "--version", version, "--into", into,
                env={**os.environ, "DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"})
            mark.touch()
        return next(into.glob(f"todoku_{version}_*.deb"))


def needed(deb):
    """The packages that a package depends on."""
    words = re.sub(r"\([^)]*\)| |\|[^,]*", "", run("dpkg", "-f", deb, "Depends").stdout)
    return sorted(words.strip().split(","))


def unpack(into, deb):
    """Unpacks the root into a folder that is not there yet. Skips the test where none can be made."""
    fetched = sorted({*FETCHED, *needed(deb)})
    with locked():
        archive = CACHE / f"root-{key_of(sources().read_text(), *THERE, *fetched)}.tar"
        if not archive.exists() or time.time() - archive.stat().st_mtime > DAYS_MAX * 86400:
            for old in CACHE.glob("root-*.tar"):
                old.unlink()
            make(archive, fetched)
        into.mkdir()
        run("tar", "-xpf", archive, "--numeric-owner", "-C", into)
    # It is thrown away afterwards: dpkg need not wait for the disk at each file.
    (into / "etc/dpkg/dpkg.cfg.d/test").write_text("force-unsafe-io\n")
    # apt looks at their age before it asks for newer ones.
    run("find", into / "var/lib/apt/lists", "-exec", "touch", "{}", "+")


def make(archive, fetched):
    fetch = ('APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get install --yes --download-only '
             f'--no-install-recommends {" ".join(fetched)}')
    half = archive.with_suffix(".half")
    made = run("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "--format=tar",
               f"--include={','.join(THERE)}", "--skip=cleanup/apt", f"--customize-hook={fetch}",
               "bookworm", half, sources(), check=False)
    if made.returncode != 0:
        # Where no packages can be fetched, or no devices and mounts made, there is no such root.
        if re.search(BARRED, made.stderr):
            raise unittest.SkipTest(f"no Debian root can be made here: {made.stderr[-500:]}")
        raise RuntimeError(made.stdout + made.stderr)
    half.rename(archive)
