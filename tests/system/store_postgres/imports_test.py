# SPDX-License-Identifier: Apache-2.0
"""An import survives the node that took the list: another finishes it, and each row is there once.
What was wrong with the list is told by any node.

usage: imports_test.py TODOKU
"""
import http.client
import io
import sys
import time
import zipfile

from on_postgres import FROM, OnPostgres, check, check_equal, run
from api import ApiError

ROWS = 300_000
LIST = "email\n" + "".join(f"user{i}@one.example\n" for i in range(ROWS)) + "nobody\n"


def staged(stack):
    return int(stack.sql("SELECT coalesce(max(staged), 0) FROM import_jobs"))


def job_of(api, job):
    try:
        return api.call("GET", f"/deliveries/-/emails/import/{job}")
    except ApiError:
        return {"status": ""}


def errors_of(api, job):
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
    try:
        connection.request("GET", f"/api/v1/deliveries/-/emails/import/{job}/errorinfo/download",
                           headers={"Authorization": f"Bearer {api.token}"})
        answer = connection.getresponse()
        octets = answer.read()
    finally:
        connection.close()
    check_equal(answer.status, 200, "status of the download")
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        return archive.read(archive.namelist()[0]).decode()


def import_survives_its_node(binary, server):
    with OnPostgres(binary, server) as stack:
        second, _, api = stack.start_api_node()
        delivery = api.call("POST", "/deliveries/bulk/begin",
                            {"from": FROM, "subject": "s", "text_part": "t"})["delivery_id"]
        job = api.call_multipart("POST", f"/deliveries/{delivery}/emails/import",
                                 {"ignore_errors": True},
                                 [("list.csv", "text/csv", LIST.encode())])["job_id"]
        stack.wait_for(lambda: staged(stack) > 0, "the first rows")
        second.kill()
        second.wait()
        check_equal(job_of(stack.api, job)["status"], "IMPORTING", "the job of a node that died")
        check(staged(stack) < ROWS, "it was over before its node died")
        check(not list((stack.directory / "second-data").glob("import-*")), "a list in the folder")
        began = time.monotonic()
        stack.wait_for(lambda: job_of(stack.api, job)["status"] == "FINISHED", "another to finish",
                       90)
        print(f"finished {time.monotonic() - began:.1f} s after its node had died")
        done = job_of(stack.api, job)
        check_equal((done["success_count"], done["failed_count"], done["total_count"]),
                    (ROWS, 1, ROWS + 1), "counts of the job")
        check_equal(stack.detail(delivery)["total_count"], ROWS, "recipients of the delivery")
        rows = stack.sql("SELECT sum(b.size), count(DISTINCT b.number) > 0 FROM batches b"
                         " JOIN sections s ON s.id = b.section WHERE s.state = 1")
        check_equal(rows, f"{ROWS}|t", "rows that are seen")
        check_equal(stack.sql("SELECT count(*) FROM uploads WHERE name LIKE '%.upload'"), "0",
                    "lists that are kept")

        _, _, third = stack.start_api_node("third")
        for where, node in (("the one that finished it", stack.api), ("a new one", third)):
            check("nobody" in errors_of(node, job), f"what was wrong, from {where}")
        check_equal(stack.terminate()[0], 0, "exit status")


if __name__ == "__main__":
    sys.exit(run(import_survives_its_node))
