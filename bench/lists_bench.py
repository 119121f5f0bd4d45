# SPDX-License-Identifier: Apache-2.0
"""Lists of a million through the API: NDJSON, plain and compressed, and CSV whose first character that
is not ASCII stands at nine tenths of it.

Rows a second count from the first octet of the upload to the end of the job, when the recipients are
visible; `upload_` is the part until the answer, `read_` that of the job.
  --rows N       of each list (1,000,000)
  --quick        50,000
  --postgres     on a server of the bench's own
"""
import argparse
import gzip
import http.client
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "support"), str(HERE.parent / "tests/system/store_postgres")]

from bench_stack import FAST, BenchStack  # noqa: E402  (first: it knows the others' place)
from figures import figure  # noqa: E402
import process_info  # noqa: E402
from on_postgres import OnPostgres  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402

PATIENCE = 600


class OnServer(OnPostgres, BenchStack):
    pass


def ndjson(rows):
    return "".join(f'{{"email":"user{n}@d{n % 2000}.example","insert_code":'
                   f'[{{"key":"__name__","value":"名前{n}"}}]}}\n' for n in range(rows)).encode()


def csv(rows):
    late = rows * 9 // 10
    return ("email,__name__\n" + "".join(
        f"user{n}@d{n % 2000}.example,{'name' if n < late else '名前'}{n}\n"
        for n in range(rows))).encode("cp932")


def stream(stack, octets, content_type, encoding=None):
    """(seconds of the upload, seconds of the job)."""
    delivery = stack.draft("__name__")
    headers = {"Authorization": f"Bearer {stack.api.token}", "Content-Type": content_type}
    if encoding:
        headers["Content-Encoding"] = encoding
    connection = http.client.HTTPConnection("127.0.0.1", stack.api_port, timeout=PATIENCE)
    began = time.monotonic()
    connection.request("POST", f"/api/v1/deliveries/{delivery}/emails/stream", octets, headers)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    if answer.status != 201:
        raise RuntimeError(f"{answer.status} {body}")
    uploaded = time.monotonic()
    while True:
        state = stack.api.call("GET", f"/deliveries/-/emails/import/{body['job_id']}")
        if state["percentage"] == 100:
            break
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError(f"a list is not in after {PATIENCE} s: {state}")
        time.sleep(0.02)
    ended = time.monotonic()
    if state["status"] != "FINISHED":
        raise RuntimeError(f"the import ended with {state}")
    return uploaded - began, ended - uploaded, state["success_count"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    rows = 50_000 if options.quick else options.rows
    server = PostgresServer() if options.postgres else None
    if server:
        with server, OnServer(options.binary, server, receivers={"one.example": FAST}) as stack:
            measure(stack, rows)
    else:
        with BenchStack(options.binary, receivers={"one.example": FAST}) as stack:
            measure(stack, rows)


def measure(stack, rows):
    plain = ndjson(rows)
    pid = stack.engine.pid
    figure("memory_before", process_info.memory_now(pid), "MB")
    for name, octets, content_type, encoding in (
            ("ndjson", plain, "application/x-ndjson", None),
            ("ndjson_gzip", gzip.compress(plain, 1), "application/x-ndjson", "gzip"),
            ("csv_shift_jis", csv(rows), "text/csv", None)):
        cpu = process_info.cpu_seconds(pid)
        upload, read, added = stream(stack, octets, content_type, encoding)
        cpu = process_info.cpu_seconds(pid) - cpu
        if added != rows:
            raise RuntimeError(f"{name}: {added} of {rows} are in")
        figure(f"{name}_{rows}", rows / (upload + read), "rows/s")
        figure(f"cpu_{name}_{rows}", cpu / rows * 1e6, "us/row")
        figure(f"upload_{name}_{rows}", upload, "s")
        figure(f"read_{name}_{rows}", read, "s")
    figure("memory_peak", process_info.memory_peak(pid), "MB")


if __name__ == "__main__":
    main()
