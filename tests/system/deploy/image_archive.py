# SPDX-License-Identifier: Apache-2.0
"""An OCI archive made of a folder in a second, where deploy/bin/build would take a minute: one layer,
not compressed, with the configuration that a test wants."""
import hashlib
import io
import json
import tarfile

LAYER = "application/vnd.oci.image.layer.v1.tar"


def write_archive(root, path, version, environment=None, entrypoint=("/usr/bin/todoku",),
                  layer=None, extra=None):
    """`layer`: octets that pack() made of the root. `extra`: (name, target of a link, "device" or
    None) of one more member of the layer."""
    blobs = {}

    def add(octets, kind):
        digest = f"sha256:{hashlib.sha256(octets).hexdigest()}"
        blobs[digest] = octets
        return {"mediaType": kind, "digest": digest, "size": len(octets)}

    layer = add(layer or pack(root, extra), LAYER)
    config = {"architecture": "amd64", "os": "linux",
              "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
              "config": {"Entrypoint": list(entrypoint),
                         "Env": [f"{name}={value}" for name, value in (environment or {}).items()]}}
    manifest = {"schemaVersion": 2, "layers": [layer],
                "config": add(json.dumps(config).encode(),
                              "application/vnd.oci.image.config.v1+json")}
    described = add(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
    described["annotations"] = {"org.opencontainers.image.ref.name": version}
    with tarfile.open(path, "w") as archive:
        def put(name, octets):
            info = tarfile.TarInfo(name)
            info.size = len(octets)
            archive.addfile(info, io.BytesIO(octets))

        put("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        put("index.json", json.dumps({"schemaVersion": 2, "manifests": [described]}).encode())
        for digest, octets in blobs.items():
            put("blobs/" + digest.replace(":", "/"), octets)


def pack(root, extra=None):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as layer:
        for path in sorted(root.iterdir()):
            layer.add(path, path.name)
        if extra:
            info = tarfile.TarInfo(extra[0])
            if extra[1] == "device":
                info.type = tarfile.CHRTYPE
            elif extra[1]:
                info.type, info.linkname = tarfile.SYMTYPE, extra[1]
            layer.addfile(info)
    return made.getvalue()
