# SPDX-License-Identifier: Apache-2.0
"""`todoku lambda` beside an engine: lists put into S3 become imports, dead letters alarms, and what
goes wrong is told at the error endpoint."""
import json
import os
import pathlib
import subprocess
import sys
import time

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SYSTEM / "support"), str(SYSTEM / "delivery")]

from installation import Installation, check, check_equal, run  # noqa: E402
import emf  # noqa: E402
from runtime_api import RuntimeApi  # noqa: E402
from s3_stub import KEY, REGION, S3Stub, SECRET, TOKEN  # noqa: E402

RECEIVERS = {"one.example": []}
BUCKET = "lists"
SIZE_MAX = 100_000


class Function:
    """The program as Lambda runs it."""

    def __init__(self, binary, runtime, folder, **environment):
        self.folder = folder
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("TODOKU_", "AWS_"))}
        ours = {"AWS_LAMBDA_RUNTIME_API": runtime.place, "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN, "AWS_REGION": REGION,
                "TODOKU_IMPORT_BYTES_MAX": str(SIZE_MAX), **environment}
        ours = {name: value for name, value in ours.items() if value is not None}
        with open(folder / "lambda.out", "wb") as out, open(folder / "lambda.err", "wb") as err:
            self.process = subprocess.Popen([binary, "lambda"], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err, env=kept | ours)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        return [json.loads(line) for line in (self.folder / "lambda.err").read_text().splitlines()]

    def figures(self):
        lines = (self.folder / "lambda.out").read_text().splitlines()
        return [emf.read(line, time.time()) for line in lines]

    def shown(self, name):
        return sum(figures.get(name, 0) for figures in self.figures())


def put(key, size=10, sequencer="1", **more):
    return {"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": REGION,
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": BUCKET},
                   "object": {"key": key, "size": size, "sequencer": sequencer, **more}}}


def event(*records):
    return {"Records": list(records)}


def expect_error(got, words):
    kind, answer = got
    check_equal(kind, "error", f"end of the invocation ({answer})")
    check_equal(sorted(answer), ["errorMessage", "errorType", "stackTrace"], "members")
    check(words in answer["errorMessage"], f"{words!r} is not in {answer['errorMessage']!r}")


def expect_response(got):
    kind, answer = got
    check_equal(kind, "response", f"end of the invocation ({answer})")
    return answer


class World:
    """An engine, S3, the runtime API and the function."""

    def __init__(self, binary, **environment):
        self.binary, self.environment = binary, environment

    def __enter__(self):
        self.stack = Installation(self.binary, RECEIVERS).__enter__()
        self.s3 = S3Stub().__enter__()
        self.runtime = RuntimeApi().__enter__()
        self.function = Function(self.stack.binary, self.runtime, self.stack.directory, **{
            "TODOKU_API_URL": f"http://127.0.0.1:{self.stack.api_port}",
            "TODOKU_API_TOKEN": self.stack.api.token, "AWS_ENDPOINT_URL_S3": self.s3.url,
            **self.environment})
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            print((self.stack.directory / "lambda.err").read_text(), file=sys.stderr)
        self.function.__exit__()
        self.runtime.__exit__()
        self.s3.__exit__()
        self.stack.__exit__(kind, value, traceback)

    def invoke(self, *records):
        return self.runtime.invoke(event(*records))

    def total(self, delivery):
        return self.stack.detail(delivery)["total_count"]

    def await_total(self, delivery, count):
        self.stack.wait_for(lambda: self.total(delivery) == count and
                            self.stack.status_of(delivery) == "EDIT", f"{count} recipients")


def csv(*names):
    return ("email\n" + "".join(f"{name}@one.example\n" for name in names)).encode()


def a_list_becomes_an_import(binary):
    with World(binary) as world:
        named, by_key = world.stack.draft(), world.stack.draft()
        # The key as S3 writes it into events: a space is a plus sign, the rest percent-encoded.
        world.s3.objects[(BUCKET, "6月/a b+c&d.csv")] = (
            csv("a", "b"), {"todoku-delivery": str(named)})
        answer = expect_response(world.invoke(put("6%E6%9C%88/a+b%2Bc%26d.csv")))
        check_equal(answer["imports"], 1, "imports")
        world.await_total(named, 2)
        world.s3.objects[(BUCKET, f"lists/{by_key}/june.csv")] = (csv("c"), {})
        expect_response(world.invoke(put(f"lists/{by_key}/june.csv", versionId="v 1/2")))
        world.await_total(by_key, 1)
        check("versionId=v%201%2F2" in world.s3.asked[-1], world.s3.asked[-1])
        check_equal(world.s3.refusals, [], "refusals of S3")
        # An event may come twice.
        asked = len(world.s3.asked)
        expect_response(world.invoke(put(f"lists/{by_key}/june.csv", versionId="v 1/2")))
        check_equal(len(world.s3.asked), asked, "objects asked for by the repetition")
        check_equal(world.function.shown("Imports"), 2, "imports shown")
        # And a list may be sent at once.
        sent = world.stack.draft()
        world.s3.objects[(BUCKET, "now.csv")] = (
            csv("d"), {"todoku-delivery": str(sent), "todoku-immediate": "true"})
        expect_response(world.invoke(put("now.csv")))
        world.stack.await_arrivals(1)
        text = (world.stack.directory / "lambda.err").read_text()
        for secret in (SECRET, TOKEN, world.stack.api.token, "@one.example"):
            check(secret not in text, "a secret or an address is in the log")


def what_goes_wrong_is_told(binary):
    with World(binary) as world:
        draft = world.stack.draft()
        key = f"{draft}/a.csv"
        expect_error(world.invoke(put(key)), "S3 answered 404")
        world.s3.objects[(BUCKET, key)] = (csv("a"), {})
        expect_error(world.invoke(put(key, size=SIZE_MAX + 1)), "at most 100000 are read")
        world.s3.objects[(BUCKET, f"{draft}/large.csv")] = (b"x" * (SIZE_MAX + 1), {})
        expect_error(world.invoke(put(f"{draft}/large.csv")), "longer than 100000")
        world.s3.objects[(BUCKET, "a.csv")] = (csv("a"), {})
        expect_error(world.invoke(put("a.csv")), "names no delivery")
        world.s3.objects[(BUCKET, "999999/a.csv")] = (csv("a"), {})
        expect_error(world.invoke(put("999999/a.csv")), "answered 404 to the import")
        world.s3.status = 503
        expect_error(world.invoke(put(key)), "S3 answered 503")
        world.s3.status = 200
        world.s3.secret = "another secret"
        expect_error(world.invoke(put(key)), "allow s3:GetObject")
        check_equal(world.s3.refusals, ["SignatureDoesNotMatch"], "refusals of S3")
        world.s3.secret = SECRET
        for octets in (b"", b"[1]", b'{"Records":[{"eventSource":"aws:ses"}]}', b"\xff"):
            expect_error(world.runtime.invoke(octets), "")
        expect_error(world.invoke(put("../1/a.csv")), "folders `.` or `..`")
        # Taken, and refused as a whole when it was read.
        world.s3.objects[(BUCKET, f"{draft}/bad.csv")] = (b"email\nno address\n", {})
        expect_error(world.invoke(put(f"{draft}/bad.csv")), "ended FAILED")
        check_equal(world.function.shown("Imports"), 0, "imports shown")
        check_equal(world.total(draft), 0, "recipients so far")
        # Of several the good ones come through, also where the event comes again.
        check_equal(world.invoke(put(key), put("none/a.csv"))[0], "error", "end with one missing")
        check_equal(world.invoke(put(key), put("none/a.csv"))[0], "error", "the same again")
        world.await_total(draft, 1)
        check(world.function.shown("ImportFailures") > 0, "no failure is shown")
        # It has survived all that, and goes when the runtime API has gone.
        world.runtime.end()
        check_equal(world.function.process.wait(60), 1, "exit status")


def a_dead_letter_becomes_an_alarm(binary):
    with World(binary) as world:
        letters = [{"messageId": f"m{i}", "body": "hint\n" + "あ" * 1000, "eventSource": "aws:sqs",
                    "attributes": {"ApproximateReceiveCount": "21"},
                    "eventSourceARN": "arn:aws:sqs:ap-northeast-1:123456789012:todoku-dead"}
                   for i in range(3)]
        check_equal(expect_response(world.invoke(*letters))["dead_letters"], 3, "dead letters")
        alarms = [line for line in world.function.log() if line["event"] == "dead letter"]
        check_equal(len(alarms), 3, "alarms")
        check_equal(sorted(alarms[0]), sorted(["time", "level", "event", "queue", "message_id",
                                               "received", "body"]), "members of the line")
        check_equal((alarms[0]["level"], alarms[0]["queue"], alarms[0]["message_id"],
                     alarms[0]["received"]), ("error", "todoku-dead", "m0", "21"), "the alarm")
        check(len(alarms[0]["body"].encode()) <= 256, "the body is not cut")
        check_equal(world.function.shown("DeadLetters"), 3, "dead letters shown")
        check_equal(world.function.figures()[0]["role"], "lambda", "the role")
        expect_response(world.runtime.invoke({"Event": "s3:TestEvent", "Service": "Amazon S3"}))


def a_wrong_setup_is_told_to_lambda(binary):
    with World(binary) as world:
        for wrong, words in (({"TODOKU_API_URL": None}, "TODOKU_API_URL"),
                             ({"TODOKU_API_URL": "mail.example.jp/x"}, "TODOKU_API_URL"),
                             ({"TODOKU_API_TOKEN": None}, "TODOKU_API_TOKEN_FILE"),
                             ({"TODOKU_API_TOKEN": None, "TODOKU_API_TOKEN_FILE": "/nowhere"},
                              "/nowhere"),
                             ({"TODOKU_IMPORT_BYTES_MAX": "many"}, "TODOKU_IMPORT_BYTES_MAX"),
                             ({"AWS_ENDPOINT_URL_S3": "s3"}, "AWS_ENDPOINT_URL_S3")):
            with RuntimeApi() as runtime:
                settings = {"TODOKU_API_URL": "http://127.0.0.1:9", "TODOKU_API_TOKEN": "t"} | wrong
                with Function(world.stack.binary, runtime, world.stack.directory,
                              **settings) as function:
                    check_equal(function.process.wait(60), 1, "exit status")
                path, answer, error_type = runtime.told.get(timeout=60)
                check_equal((path, error_type), ("init/error", "Todoku.Error"), "where it is told")
                check(words in answer["errorMessage"], answer)
        done = subprocess.run([world.stack.binary, "lambda"], capture_output=True, text=True,
                              timeout=10, env={"PATH": "/usr/bin"})
        check_equal(done.returncode, 1, "exit status outside of Lambda")
        check("AWS_LAMBDA_RUNTIME_API" in done.stderr, done.stderr)
        # A token in a file, and one that is not an account's.
        token = world.stack.directory / "token"
        token.write_text(world.stack.api.token + "\n")
        draft = world.stack.draft()
        world.s3.objects[(BUCKET, f"{draft}/a.csv")] = (csv("a"), {})
        for text, kind in ((world.stack.api.token + "\n", "response"), ("wrong", "error")):
            token.write_text(text)
            with RuntimeApi() as runtime, Function(
                    world.stack.binary, runtime, world.stack.directory, **{
                        "TODOKU_API_URL": f"http://127.0.0.1:{world.stack.api_port}/",
                        "TODOKU_API_TOKEN_FILE": str(token),
                        "AWS_ENDPOINT_URL_S3": world.s3.url}):
                got = runtime.invoke(event(put(f"{draft}/a.csv", sequencer=kind)))
                check_equal(got[0], kind, f"end ({got})")
                if kind == "error":
                    expect_error(got, "answered 401")
                else:
                    world.await_total(draft, 1)


if __name__ == "__main__":
    sys.exit(run(a_list_becomes_an_import, what_goes_wrong_is_told,
                 a_dead_letter_becomes_an_alarm, a_wrong_setup_is_told_to_lambda))
