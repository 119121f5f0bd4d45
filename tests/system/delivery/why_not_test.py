# SPDX-License-Identifier: Apache-2.0
"""Why did it not arrive? Some dozens of failures happen at once; of each, `explain` names the true
cause and a remedy that works, in English and Japanese, and what a support person can send on."""
import concurrent.futures
import json
import sys
import time
import urllib.parse

from installation import Installation, check, check_equal, run

CONFIG = ["[delivery]", "transactional_retry_seconds = [600]", "bulk_retry_seconds = [600]",
          "greylist_retry_seconds = [600]", "site_rest_first_seconds = 1",
          "[sites.demanding]", 'domains = ["no-tls.example", "bad-tls.example"]', 'tls = "required"',
          "[sites.clear]", 'domains = ["tls-off.example"]', 'tls = "none"']


def says(reply, at="rcpt", local=None):
    return ["[[receiver.rule]]", f'at = "{at}"', *([f'local = "{local}"'] if local else []),
            f'reply = "{reply}"']


# At one receiver, by local part: the reply to RCPT; cause; words of the remedy in both languages.
WORDS = {
    "spf": ("550 5.7.23 SPF validation failed", "spf", "SPF record", "SPF レコード"),
    "dkim": ("550 5.7.20 No passing DKIM signature found", "dkim", "todoku dkim list",
             "todoku dkim list"),
    "dmarc": ("550 5.7.1 Rejected per DMARC policy of sender.example", "dmarc",
              "DKIM signature", "DKIM"),
    "unproven": ("550 5.7.26 This mail is unauthenticated", "authentication", "DKIM key", "DKIM"),
    "ptr": ("550 5.7.25 The IP address has no PTR record", "reverse_dns", "PTR record", "PTR"),
    "helo": ("550 5.7.1 Helo command rejected: Host not found", "hello_name", "hello_name",
             "hello_name"),
    "listed": ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using "
               "zen.spamhaus.org", "reputation", "ask for removal", "解除"),
    "full": ("552 5.2.2 Mailbox full", "mailbox_full", "make room", "空けられる"),
    "gone": ("550 5.1.1 User unknown", "mailbox", "Remove the address", "宛先から外す"),
    "disabled": ("550 5.2.1 The mailbox is disabled", "mailbox_disabled", "Remove the address",
                 "宛先から外して"),
    "moved": ("551 5.1.6 The recipient has moved", "moved", "new address", "新しいアドレス"),
    "syntax": ("501 5.1.3 Bad recipient address syntax", "bad_address", "stray characters",
               "アドレス"),
    "relay": ("554 5.7.1 Relay access denied", "relay", "MX records", "MX"),
    "loop": ("554 5.4.6 Too many hops", "loop", "forwarding", "転送"),
    "grey": ("450 4.2.0 Greylisted, try again later", "greylist", "Nothing", "不要"),
    "rate": ("450 4.7.1 Too many messages, slow down", "rate", "messages_per_second",
             "messages_per_second"),
    "busy": ("450 4.2.1 The user you are trying to contact is receiving mail too quickly",
             "mailbox_busy", "Nothing", "不要"),
    "disk": ("452 4.3.1 Insufficient system storage", "receiver_trouble", "postmaster", "管理者"),
    "many": ("452 4.5.3 Too many recipients", "too_many_recipients", "Nothing", "不要"),
    "rules": ("554 5.7.1 Message refused by policy", "policy", "SPF", "SPF"),
    "odd": ("550 no", "unclear", "Remove the address", "宛先から外して"),
}

# Address: what the receiver is (None: the DNS says it all), cause, state, words of the remedy.
CASES = {
    "a@no-service.example": (says("554 5.7.1 No SMTP service here", "connect"), "no_service",
                             "deferred", "blocklist", "ブロックリスト"),
    "a@sender.test": (says("553 5.1.8 Sender address rejected: Domain not found", "mail"),
                      "sender_address", "bounced", "return_path_domain", "return_path_domain"),
    "a@login.example": (says("530 5.7.0 Authentication required", "mail"), "client_auth",
                        "bounced", "MX records", "MX"),
    "a@wants-tls.example": (says("530 5.7.0 Must issue a STARTTLS command first", "mail"),
                            "tls_required", "deferred", "postmaster", "管理者"),
    "a@tls-off.example": (['tls = "self_signed"',
                           *says("530 5.7.0 Must issue a STARTTLS command first", "mail")],
                          "tls_switched_off", "deferred", 'tls = "none"', 'tls = "none"'),
    "a@no-tls.example": ([], "no_tls_offered", "deferred", "[sites.*]", "[sites.*]"),
    "a@bad-tls.example": (['tls = "broken"'], "tls_failed", "deferred", "certificate", "証明書"),
    "a@spam.example": (says("554 5.7.1 This message is spam", "body"), "content", "bounced",
                       "wording", "文面"),
    "a@charset.example": (says("554 5.6.1 The character set is not supported", "body"), "form",
                          "bounced", "UTF-8", "UTF-8"),
    "a@large.example": (says("552 5.3.4 Message too big", "body"), "size", "bounced", "a link",
                        "リンク"),
    "a@tiny.example": (["size_max = 100"], "over_size_limit", "bounced", "a link", "リンク"),
    "close-rcpt@broken-off.example": ([], "connection_lost", "deferred", "Nothing", "不要"),
    "close-body@doubt.example": ([], "in_doubt", "deferred", "Nothing", "不要"),
    "slow-3@slow.example": (['without = ["CHUNKING"]'], "silence", "deferred", "Nothing", "不要"),
    "\u592a\u90ce@ascii.example": (['without = ["SMTPUTF8"]'], "no_smtputf8", "bounced", "ASCII",
                                   "ASCII"),
    "a@docomo.ne.jp": (says("550 5.7.1 From domain has no A or MX record"), "sender_address",
                       "bounced", "todoku domain check", "todoku domain check"),
    "filtered@au.com": (says("550 : User unknown"), "policy", "bounced", "receive list",
                        "受信リスト"),
    "a@nifty.com": ([], "none", "delivered", "spam folder", "迷惑メール"),
    "a@missing.example": (None, "no_such_domain", "bounced", "typing mistake", "アドレス"),
    "a@null.example": (None, "null_mx", "bounced", "Remove the address", "宛先から外して"),
    "a@servfail.example": (None, "dns_failed", "deferred", "dns.servers", "dns.servers"),
    "a@refused.example": (None, "unreachable", "deferred", "port 25", "ポート 25"),
    "a@six.example": (None, "ipv6_only", "deferred", "[[egress]]", "[[egress]]"),
}
ZONE = ["null.example. MX 0 .", "refused.example. MX 10 mx.refused.example.",
        "mx.refused.example. A 127.0.2.250", "six.example. MX 10 mx.six.example.",
        "mx.six.example. AAAA 2001:db8::25"]


def receivers():
    rules = [line for local, (reply, *_) in WORDS.items()
             for line in says(reply, local=f"{local}*")]
    named = {"words.example": ["address_rules = false", *rules],
             "late.example": [], "once.example": []}
    for address, (lines, *_) in CASES.items():
        if lines is not None:
            named[address.rpartition("@")[2]] = lines
    return named


def expected():
    for local, (reply, cause, en, ja) in WORDS.items():
        # A refusal of our address is not the mail's: it waits.
        state = "bounced" if reply.startswith("5") and local != "listed" else "deferred"
        yield f"{local}@words.example", cause, state, en, ja
    for address, (_, cause, state, en, ja) in CASES.items():
        yield address, cause, state, en, ja


def told(stack, address, language="en"):
    """The newest mail to an address."""
    return stack.api.call("GET", f"/explain?email={urllib.parse.quote(address)}&lang={language}"
                          "&limit=1")["mails"][0]


def check_case(stack, address, cause, state, en, ja):
    mail = {}

    def is_tried():
        mail.update(told(stack, address))
        return mail["attempts"]

    stack.wait_for(is_tried, f"an attempt at {address}")
    line = mail["attempts"][-1]
    check_equal((line["cause"], line["state"]), (cause, state), f"{address}, {line['answer']}")
    check(en in line["action"], f"{address}: {en!r} is not in {line['action']!r}")
    action = told(stack, address, "ja")["attempts"][-1]["action"]
    check(ja in action, f"{address}: {ja!r} is not in {action!r}")
    check_sendable(address, mail["for_recipient"])


# Nothing of the inside, and nothing that the receiver said of us.
INSIDE = ("127.0.", "192.0.2.1", "mx.", "DKIM", "SPF", "todoku", "[sites", "smtp_out", "TLS")


def check_sendable(address, text):
    check(address in text and text.startswith("Thank you"), f"{address}: {text}")
    for word in INSIDE:
        check(word not in text, f"{address}: {word!r} is in {text!r}")


def every_failure_is_named_with_its_remedy(binary):
    with Installation(binary, receivers(), CONFIG, zone=ZONE, smtp_out=["command_seconds = 1"],
                      broken_zones=["servfail.example"]) as stack:
        cases = list(expected())
        check(len(cases) >= 40, f"{len(cases)} failures")
        for address, *_ in cases:
            stack.transaction(address)
        wrong = []
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            done = {pool.submit(check_case, stack, *case): case for case in cases}
            for each in concurrent.futures.as_completed(done):
                if each.exception() is not None:
                    wrong.append(f"{done[each][0]}: {each.exception()}")
        check(not wrong, "\n".join(wrong))
        other_ends_say_why_as_well(stack)
        a_bulk_is_told_by_cause(stack)


COUNTED = {("spf", "bounced"): 3, ("mailbox", "bounced"): 2, ("reverse_dns", "bounced"): 1}


def other_ends_say_why_as_well(stack):
    """Suppressed, out of time, sent at most once and in doubt."""
    stack.command("suppression", "add", "ok@words.example", "--account", "tester", "--reason",
                  "manual")
    stack.settle(stack.transaction("ok@words.example"),
                 stack.transaction("grey@late.example", expires_in=2),
                 stack.transaction("close-body@once.example", duplicate_policy="at_most_once"))
    for address, en, ja in (
            ("ok@words.example", "suppression look", "suppression look"),
            ("grey@late.example", "send the mail again", "送り直して"),
            ("close-body@once.example", "may have arrived", "届いたかどうか")):
        check(en in stack.explain(address), f"{address}: {stack.explain(address)}")
        check(ja in stack.explain(address, "ja"), f"{address}: {stack.explain(address, 'ja')}")


def causes(stack, *arguments):
    return json.loads(stack.command("explain", *arguments, "--json", statuses=(0, 1)))


def counted(answer):
    return {(each["cause"], each["state"]): each["mails"] for each in answer["causes"]}


def a_bulk_is_told_by_cause(stack):
    bulk = stack.bulk([f"{local}@words.example" for local in ("spf", "spf2", "spf3", "gone", "gone2",
                                                              "ptr", "grey")] +
                      ["a@late.example", "b@late.example"])
    stack.wait_for(lambda: counted(causes(stack, "--delivery", str(bulk))) ==
                   {**COUNTED, ("greylist", "deferred"): 1} and stack.counts(bulk)[1] == 2,
                   "the bulk's outcomes")
    stack.api.call("POST", f"/deliveries/{bulk}/pause")
    story = stack.explain("grey@words.example")
    check(f"delivery {bulk} is paused" in story, story)
    text = stack.command("explain", "--delivery", str(bulk), "--lang", "ja")
    check("一時停止中" in text and "SPF レコード" in text, text)
    stack.api.call("POST", f"/deliveries/{bulk}/stop")
    stack.settle(bulk)
    answer = stack.api.call("GET", f"/explain?delivery_id={bulk}&lang=en")
    check_equal((answer["delivery"]["total"], answer["delivery"]["cancelled"]), (9, 1), "recipients")
    spf = next(each for each in answer["causes"] if each["cause"] == "spf")
    check(spf["sample"]["answer"].startswith("550 5.7.23"), f"{spf}")
    check(0 < spf["share"] < 1 and "SPF record" in spf["action"], f"{spf}")
    check("Whose turn: the operator's" in answer["text"], answer["text"])
    the_same_by_receiver_and_time(stack, spf["site"])


def the_same_by_receiver_and_time(stack, site):
    """Where the transactions count as well."""
    yesterday = time.strftime("%Y-%m-%d", time.localtime(time.time() - 86_400))
    hours = stack.api.call("GET", f"/explain?site={site}&since={yesterday}")
    check(counted(hours)[("spf", "bounced")] > 3, f"{counted(hours)}")
    check_equal({each["site"] for each in hours["causes"]}, {site}, "the receivers told of")
    by_domain = stack.api.call("GET", "/explain?domain=words.example")
    check_equal(counted(by_domain), counted(hours), "by the domain")
    story = stack.api.call("GET", "/explain?email=spf@words.example&lang=ja")
    check_equal(len(story["mails"]), 2, "mails of one address")
    check("お問い合わせありがとうございます" in story["mails"][0]["for_recipient"], f"{story}")
    text = stack.command("explain", "full@words.example", "--for-recipient")
    check("your mailbox is full" in text and "Attempt" not in text, text)


if __name__ == "__main__":
    sys.exit(run(every_failure_is_named_with_its_remedy))
