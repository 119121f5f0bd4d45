# SPDX-License-Identifier: Apache-2.0
"""A mail with which processes die is set aside, found by the operator, and goes out on their word."""
import json
import re
import sys

from installation import Installation, check, check_equal, run

ADDRESS = "taro@deadly.example"
DEATHS = 5  # three make its batch suspect, two more set it aside


def waits_for_the_operators_word(binary):
    with Installation(binary, {"deadly.example": ["delay = { body = 100 }"]}) as stack:
        check_equal(stack.command("stuck"), "No mail is set aside.\n", "at the beginning")
        delivery = stack.transaction(ADDRESS)
        for death in range(DEATHS):
            stack.wait_for(lambda: stack.metric("todoku_mails_in_hand") == 1,
                           f"the mail in hand, after {death} deaths")
            stack.kill_engine()
            stack.start_engine()
        stack.wait_for(lambda: stack.metric("todoku_set_aside_recipients") == 1, "the end of it")
        check_equal(stack.metric("todoku_set_aside_total"), 1.0, "set aside since the start")

        check("1 of them set aside" in stack.command("status"), stack.command("status"))
        listed = stack.command("stuck")
        check(re.search(rf"JST +tester +{delivery} +\d+ +{re.escape(ADDRESS)}\n", listed), listed)
        advised = re.search(r"todoku (stuck release tester \d+)\n", listed)
        check(advised, listed)
        story = stack.explain(ADDRESS)
        check(f"todoku {advised[1]}\n" in story and "until an operator releases it" in story, story)
        check(f"todoku {advised[1]}\n" in stack.explain(ADDRESS, "ja"), "advice in Japanese")

        mails = json.loads(stack.command("--json", "stuck"))
        stack.restart_sink({"deadly.example": []})
        check_equal(stack.terminate()[0], 0, "exit status")
        check_equal(json.loads(stack.command("--json", "stuck")), mails, "with a stopped engine")
        stack.start_engine()

        stack.command(*advised[1].split())
        stack.settle(delivery)
        check_equal(stack.counts(delivery), (1, 1, 0, 0), "counts")
        check_equal(stack.command("stuck"), "No mail is set aside.\n", "at the end")
        try:
            stack.command(*advised[1].split())
        except RuntimeError as error:
            check("is not set aside" in str(error), str(error))
        else:
            check(False, "it was released twice")


if __name__ == "__main__":
    sys.exit(run(waits_for_the_operators_word))
