# SPDX-License-Identifier: Apache-2.0
"""Plays AWS for its command line: each call is held against the service's own model (aws_model.py), answered from a small
world (aws_world.py) and recorded. Nothing leaves the machine.

`Recorder(folder, world, stand_in)` puts a stand-in for `aws` (aws_stand_in.cc) into FOLDER/bin, to be first in PATH, and
answers it. In the folder are
`world.json` (what there is), `faults.json` (optional: what shall go wrong) and `calls.jsonl`, a line a call:
{"service", "operation", "input", "region", "answer": "ok" | the error's code}.

It takes `aws SERVICE OPERATION --cli-input-json JSON` and the options that deploy/verbs uses, and refuses every other
form: what it does not understand it cannot check. Exit statuses are those of the AWS CLI 2: 252 the call is not of the
model, 254 the service refused it.
"""
import json
import pathlib
import socketserver
import threading

import aws_model
from aws_world import Refused, World

TAKES_VALUE = {"--cli-input-json", "--region", "--output", "--profile"}
REQUEST_OCTETS_MAX = 1 << 20


class NotUnderstood(Exception):
    """A call of a form that the model does not have: exit status 252."""


def parsed(words):
    """(service, operation, options) of the command line."""
    options, names = {}, []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in TAKES_VALUE:
            if not words:
                raise NotUnderstood(f"argument {word}: expected one argument")
            options[word] = words.pop(0)
        elif word.startswith("-"):
            raise NotUnderstood(f"Unknown options: {word}")
        else:
            names.append(word)
    if len(names) != 2:
        raise NotUnderstood(f"a service and an operation are wanted, not {names}")
    if options.get("--output") != "json":
        raise NotUnderstood("without --output json the answer depends on whose configuration it is")
    return names[0], names[1], options


def model_of(service, verb):
    try:
        return aws_model.operation(service, verb)
    except KeyError as unknown:
        raise NotUnderstood(f"argument: Invalid choice: {unknown}") from unknown


def checked_input(model, options):
    try:
        given = json.loads(options.get("--cli-input-json", "{}"))
    except ValueError as no:
        raise NotUnderstood(f"Invalid JSON received: {no}") from no
    faults = aws_model.faults_of(model.input_shape, given) if model.input_shape else []
    if faults:
        raise NotUnderstood("Parameter validation failed:\n" + "\n".join(faults))
    return given


class Recorder:
    """Answers until it is closed, one call at a time."""

    def __init__(self, folder, world, stand_in):
        self.folder = pathlib.Path(folder)
        self.bin = self.folder / "bin"
        self.bin.mkdir(parents=True)
        (self.bin / "aws").symlink_to(pathlib.Path(stand_in).resolve())
        self.write("world.json", world)
        self._lock = threading.Lock()
        recorder = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                words = self.rfile.read(REQUEST_OCTETS_MAX).decode().split("\0")[:-1]
                try:
                    with recorder._lock:
                        answer = recorder.answer(words)
                except Exception:
                    answer = {"status": 255, "out": "", "err": "the stand-in broke\n"}
                    raise
                finally:
                    out = answer["out"].encode()
                    self.wfile.write(b"%d %d\n" % (answer["status"], len(out)) + out + answer["err"].encode())

        self._server = socketserver.ThreadingUnixStreamServer(str(self.folder / "socket"), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def write(self, name, what):
        (self.folder / name).write_text(json.dumps(what), encoding="utf-8")

    def world(self):
        return json.loads((self.folder / "world.json").read_text(encoding="utf-8"))

    def calls(self):
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    def environment(self):
        """What whoever calls `aws` needs besides the folder `bin` in PATH."""
        return {"AWS_RECORDER": str(self.folder / "socket")}

    def answer(self, words):
        """{"status", "out", "err"} of one call of `aws`."""
        try:
            service, verb, options = parsed(words)
            model = model_of(service, verb)
            given = checked_input(model, options)
        except NotUnderstood as no:
            self._record("?", " ".join(words[:2]), words, {}, f"not of the model: {no}")
            return {"status": 252, "out": "", "err": f"\n{no}\n"}
        try:
            answer = self._answered(service, model, given)
        except Refused as no:
            self._record(service, model.name, given, options, no.code)
            # As the CLI says it when its own tries were of no use.
            tried = " (reached max retries: 2)" if "Throttling" in no.code else ""
            return {"status": 254, "out": "", "err": f"\nAn error occurred ({no.code}) when calling the {model.name} "
                                                     f"operation{tried}: {no.words}\n"}
        self._record(service, model.name, given, options, "ok")
        says = model.output_shape is not None and model.output_shape.members
        return {"status": 0, "out": json.dumps(answer, indent=4) + "\n" if says else "", "err": ""}

    def _answered(self, service, model, given):
        """The answer of the world as it is now; it is another afterwards."""
        world = World(self.folder)
        try:
            answer = world.call(service, model.name, given)
        finally:
            world.keep()
        faults = aws_model.faults_of(model.output_shape, answer) if model.output_shape else []
        if faults:
            raise AssertionError(f"the stand-in's answer to {model.name} is not of the model: {faults}")
        return answer

    def _record(self, service, operation, given, options, answer):
        line = json.dumps({"service": service, "operation": operation, "input": given,
                           "region": options.get("--region"), "answer": answer})
        with open(self.folder / "calls.jsonl", "a", encoding="utf-8") as calls:
            calls.write(line + "\n")
