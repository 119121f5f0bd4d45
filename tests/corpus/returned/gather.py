#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Genuine bounces: Debian's mail servers, each in a Debian root of its own, refused and put off by a
receiver of ours that says what replies.tsv has, and what they then write to the sender. Needs root,
mmdebstrap and a Debian mirror; gather.md tells what comes out. Run again only to gather anew: the
mails are in the repository, with labels.tsv beside them.

    gather.py ROOTS OUT [MTA...]     ROOTS: a folder for the Debian roots, made where they are missing
"""
import base64
import csv
import hashlib
import pathlib
import re
import select
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
MTA_ADDRESS, OUR_ADDRESS = "203.0.113.5", "203.0.113.1"
MX_SHARED, MX_RETURNS = "192.0.2.25", "192.0.2.26"
RETURNS = "returns.example.com"
WAIT_SECONDS = 150

PACKAGES = {"postfix": "postfix", "exim": "exim4-daemon-light", "opensmtpd": "opensmtpd",
            "sendmail": "sendmail-bin,sendmail-cf,sendmail-base,m4"}
VERSION_OF = {"postfix": "postfix", "exim": "exim4-daemon-light", "opensmtpd": "opensmtpd",
              "sendmail": "sendmail-bin"}

# What is no reply: (name, what the DNS or the network does, class, permanent, suppress).
FINDINGS = [("nxdomain", "no_such_domain", True, True), ("nullmx", "null_mx|dns_failed", True, True),
            ("servfail", "dns_failed|out_of_time", False, False),
            ("refused", "unreachable|out_of_time", False, False),
            ("dropped", "connection_lost|unreachable|out_of_time", False, False)]
NEUTRAL = {name: f"f{place}" for place, (name, *_) in enumerate(FINDINGS)}

POSTFIX = """\
compatibility_level = 3.6
myhostname = mta.example.jp
myorigin = mta.example.jp
mydestination =
mynetworks = 203.0.113.0/24
inet_interfaces = all
inet_protocols = ipv4
alias_maps =
alias_database =
smtputf8_enable = yes
smtp_tls_security_level = none
smtpd_peername_lookup = no
maximal_queue_lifetime = 12s
bounce_queue_lifetime = 40s
delay_warning_time = 2s
minimal_backoff_time = 3s
maximal_backoff_time = 3s
queue_run_delay = 3s
maillog_file = /var/log/postfix.log
bounce_size_limit = 3000
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
"""
# Text for people in Japanese, as bounce_template_file(5) has it.
POSTFIX_JA = """\
failure_template = <<EOF
Charset: iso-2022-jp
From: MAILER-DAEMON (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Postmaster-Subject: Postmaster Copy: Undelivered Mail

$myhostname のメールシステムです。

お送りいただいたメールは、下記の宛先に配送できませんでした。
詳しくは各宛先の後に示した理由をご覧ください。
EOF

delay_template = <<EOF
Charset: iso-2022-jp
From: MAILER-DAEMON (Mail Delivery System)
Subject: Delayed Mail (still being retried)
Postmaster-Subject: Postmaster Warning: Delayed Mail

$myhostname のメールシステムです。

これはお知らせです。再送していただく必要はありません。
メールはまだ配送できていません。
EOF
"""
EXIM = """\
primary_hostname = mta.example.jp
qualify_domain = mta.example.jp
local_interfaces = 203.0.113.5
acl_smtp_rcpt = accept
acl_smtp_data = accept
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
delay_warning = 2s
bounce_return_size_limit = 3K
log_file_path = /var/log/exim4/%slog
queue_run_max = 20
smtp_accept_max = 0
{more}
begin routers
out:
  driver = dnslookup
  transport = remote_smtp
  no_more
begin transports
remote_smtp:
  driver = smtp
  hosts_avoid_tls = *
begin retry
* * F,12s,3s
"""
EXIM_JA = "bounce_message_file = /etc/exim4/bounce\nwarn_message_file = /etc/exim4/warn\n"
EXIM_BOUNCE = """\
Subject: メールを配送できませんでした
****
このメールは、メール配送システムが自動的に作成しました。

お送りいただいたメールは、次の宛先に配送できませんでした。
****
以下は元のメールです。ヘッダーを含みます。
****
元のメールは長いため、途中までを示します。
****
"""
EXIM_WARN = """\
Subject: メールの配送が遅れています
****
このメールは、メール配送システムが自動的に作成しました。

お送りいただいたメールは、まだ次の宛先に届いていません。
****
再送していただく必要はありません。配送は引き続き試みられます。
"""
OPENSMTPD = """\
bounce warn-interval 2s
queue ttl 20s
listen on 203.0.113.5
action "out" relay helo mta.example.jp
match from any for any action "out"
"""
SENDMAIL = """\
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
define(`confDOMAIN_NAME',`mta.example.jp')dnl
define(`confDONT_PROBE_INTERFACES',`True')dnl
define(`confTO_IDENT',`0')dnl
define(`confTO_QUEUEWARN',`2s')dnl
define(`confTO_QUEUERETURN',`14s')dnl
define(`confMIN_QUEUE_AGE',`0')dnl
define(`confMAX_DAEMON_CHILDREN',`60')dnl
{more}
FEATURE(`no_default_msa')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
DAEMON_OPTIONS(`Family=inet, Port=smtp, Addr=203.0.113.5')dnl
MAILER(`smtp')dnl
"""
SENDMAIL_JA = "define(`confERROR_MESSAGE',`/etc/mail/error-header')dnl"


def run(*command, check=True, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, **more)
    if check and done.returncode:
        raise RuntimeError(f"{command}: {done.stdout!r}{done.stderr!r}")
    return done


def replies():
    with open(HERE / "replies.tsv", encoding="utf-8") as file:
        rows = [row for row in file if not row.startswith("#")]
    return list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))


class Case:
    """One mail to one recipient, and what becomes of it."""

    def __init__(self, number, name, stage, reply, label):
        self.name, self.stage, self.reply, self.label = name, stage, reply, label
        self.domain = f"n{number}.example.jp"
        self.mailbox = ("taro", "yamada.hanako", "info", "order+42")[number % 4]
        self.full = number % 2 == 0
        self.japanese = number % 3 == 0
        self.address = (f"198.51.100.{number % 250 + 1}"
                        if stage in ("greeting", "hello", "mail_from", "refused", "dropped") else MX_SHARED)

    def recipient(self):
        return f"{self.mailbox}@{self.domain}"

    def mail(self):
        subject, text = "Your order 4711", "Thank you for your order.\r\nIt is on its way.\r\n"
        kind = "text/plain; charset=us-ascii"
        if self.japanese:
            words = base64.b64encode("ご注文ありがとうございます".encode("iso-2022-jp")).decode()
            subject, kind = f"=?ISO-2022-JP?B?{words}?=", "text/plain; charset=iso-2022-jp"
            text = "株式会社サンプルです。\r\nご注文の品を発送しました。\r\n".encode("iso-2022-jp").decode("ascii")
        if int(self.domain[1:self.domain.index(".")]) % 7 == 0:  # longer than what is returned whole
            text += "1234567890 abcdefghijklmnopqrstuvwxyz\r\n" * 120
        return (f"From: Shop <news@example.com>\r\nTo: {self.recipient()}\r\nSubject: {subject}\r\n"
                f"Message-ID: <{self.name}@example.com>\r\nDate: Mon, 30 Nov 2026 09:00:00 +0900\r\n"
                f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
                f"{text}").encode()


class Names(socketserver.BaseRequestHandler):
    """The DNS of that world."""

    def handle(self):
        query, sock = self.request
        labels, place = [], 12
        while query[place]:
            labels.append(query[place + 1:place + 1 + query[place]].decode("latin-1").lower())
            place += query[place] + 1
        kind, = struct.unpack(">H", query[place + 1:place + 3])
        question = query[12:place + 5]
        code, answers = self.answer(".".join(labels), kind)
        flags = 0x8400 | (0x0100 & struct.unpack(">H", query[2:4])[0]) | 0x80 | code
        packed = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
                          for data in answers)
        sock.sendto(query[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0) + question + packed,
                    self.client_address)

    def answer(self, name, kind):
        def wire(host):
            return b"".join(bytes([len(word)]) + word.encode() for word in host.split(".") if word) + b"\0"
        host = name.removeprefix("mx.")
        case = self.server.cases.get(host)
        if host == RETURNS:
            address = MX_RETURNS
        elif name == "mta.example.jp":
            return 0, [socket.inet_aton(MTA_ADDRESS)] if kind == 1 else []
        elif case is None:
            return (0, []) if name in ("example.jp", "example.com", "jp", "com") else (3, [])
        elif case.stage == "nxdomain":
            return 3, []
        elif case.stage == "servfail":
            return 2, []
        elif case.stage == "nullmx":
            return 0, [struct.pack(">H", 0) + b"\0"] if kind == 15 else []
        else:
            address = case.address
        if kind == 15 and name == host:
            return 0, [struct.pack(">H", 10) + wire("mx." + host)]
        if kind == 1 and name.startswith("mx."):
            return 0, [socket.inet_aton(address)]
        return 0, []


class Receiver(socketserver.StreamRequestHandler):
    """Says what the case of the recipient, or of the address, wants said."""

    def handle(self):
        try:
            self.dialogue()
        except (ConnectionError, ValueError, OSError):
            pass

    def say(self, text):
        code, rest = text[:3], text[4:]
        lines = rest.split("\\n")
        out = "".join(f"{code}{'-' if line is not lines[-1] else ' '}{line}\r\n" for line in lines)
        self.wfile.write(out.encode())
        return not code == "421"

    def refusal(self, case):
        return case.reply.replace("a@example.jp", case.recipient())

    def dialogue(self):
        own = self.request.getsockname()[0]
        of_address = self.server.by_address.get(own)
        if of_address and of_address.stage == "dropped":
            return
        if of_address and of_address.stage == "greeting":
            self.say(self.refusal(of_address))
            return
        self.say("220 mx.example.jp ESMTP")
        case, wanted = None, []
        while line := self.rfile.readline():
            words = line.decode("utf-8", "replace").strip()
            verb = words.upper()
            goes_on = True
            if verb.startswith(("EHLO", "HELO")):
                if of_address and of_address.stage == "hello":
                    goes_on = self.say(self.refusal(of_address))
                else:
                    self.say("250 mx.example.jp\\nSIZE 10485760\\n8BITMIME\\nENHANCEDSTATUSCODES")
            elif verb.startswith("MAIL"):
                case, wanted = None, []
                refused = of_address and of_address.stage == "mail_from"
                goes_on = self.say(self.refusal(of_address) if refused else "250 2.1.0 Ok")
            elif verb.startswith("RCPT"):
                address = re.search("<([^>]*)>", words).group(1)
                domain = address.rpartition("@")[2].lower()
                case = self.server.cases.get(domain)
                if case and case.stage == "rcpt_to":
                    goes_on = self.say(self.refusal(case))
                else:
                    wanted.append(address)
                    self.say("250 2.1.5 Ok")
            elif verb == "DATA":
                if not wanted:
                    self.say("503 5.5.1 no recipients")
                    continue
                self.say("354 go on")
                octets = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    octets.append(line[1:] if line.startswith(b"..") else line)
                if wanted[0].endswith("@" + RETURNS):
                    self.server.came(wanted[0], b"".join(octets))
                    self.say("250 2.0.0 Ok")
                elif case and case.stage == "data":
                    goes_on = self.say(self.refusal(case))
                else:
                    self.say("250 2.0.0 Ok")
            elif verb == "QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                self.say("250 2.0.0 Ok" if verb in ("RSET", "NOOP") else "502 5.5.1 no such command")
            if not goes_on:
                return


class Threads(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 200


class Sender:
    def __init__(self):
        self.sock = socket.create_connection((MTA_ADDRESS, 25), 20)
        self.file = self.sock.makefile("rb")
        self.reply()
        self.offers = self.say("EHLO client.example.com")

    def reply(self):
        lines = []
        while True:
            lines.append(self.file.readline().decode("latin-1"))
            if lines[-1][3:4] != "-":
                return "".join(lines)

    def say(self, line):
        self.sock.sendall(line.encode() + b"\r\n")
        return self.reply()

    def send(self, case):
        utf8 = " SMTPUTF8" if case.mailbox.isascii() is False else ""
        if utf8 and "SMTPUTF8" not in self.offers:
            return False
        wishes = [f" RET={'FULL' if case.full else 'HDRS'} ENVID={case.name}",
                  f" NOTIFY=FAILURE,DELAY ORCPT={'utf-8' if utf8 else 'rfc822'};"
                  + case.recipient().replace("+", "+2B")] if "DSN" in self.offers else ["", ""]
        if utf8 and wishes[1]:
            wishes[1] = " NOTIFY=FAILURE,DELAY"
        said = self.say(f"MAIL FROM:<{case.name}@{RETURNS}>{utf8}{wishes[0]}")
        said += self.say(f"RCPT TO:<{case.recipient()}>{wishes[1]}")
        said += self.say("DATA")
        self.sock.sendall(case.mail() + b".\r\n")
        last = self.reply()
        if not last.startswith("250"):
            print(case.name, said, last, file=sys.stderr)
            self.say("RSET")
            return False
        return True


def debian_root(roots, name):
    root = roots / name
    if not root.exists():
        run("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "--format=directory",
            f"--include={PACKAGES[name]}", "bookworm", root, "/etc/apt/sources.list.d/debian.sources")
    return root


def write(root, path, text):
    path = root / path
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.write_text(text)


def configure(name, root, japanese):
    """The command that serves in the foreground or is done when it serves."""
    write(root, "etc/resolv.conf", f"nameserver {OUR_ADDRESS}\noptions timeout:2 attempts:1\n")
    write(root, "etc/hosts", f"127.0.0.1 localhost\n{MTA_ADDRESS} mta.example.jp mta\n")
    write(root, "etc/mailname", "mta.example.jp\n")
    write(root, "etc/hostname", "mta.example.jp\n")
    if name == "postfix":
        write(root, "etc/postfix/main.cf", POSTFIX + (
            "bounce_template_file = /etc/postfix/bounce.cf\n" if japanese else ""))
        # A dollar that ISO-2022-JP is full of is no parameter.
        parts = [part.encode("iso-2022-jp").replace(b"$", b"$$") for part in POSTFIX_JA.split("$myhostname")]
        (root / "etc/postfix/bounce.cf").write_bytes(b"$myhostname".join(parts))
        return ("postconf -F '*/*/chroot=n'; rm -f /var/log/postfix.log; "
                "postsuper -d ALL 2>/dev/null; postfix start && sleep 1000000")
    if name == "exim":
        write(root, "etc/exim4/exim4.conf", EXIM.format(more=EXIM_JA if japanese else ""))
        write(root, "etc/exim4/bounce", EXIM_BOUNCE)
        write(root, "etc/exim4/warn", EXIM_WARN)
        return ("rm -rf /var/spool/exim4/input/* /var/spool/exim4/db/*; "
                "chown root:root /etc/exim4/exim4.conf; exec exim4 -C /etc/exim4/exim4.conf -bdf -q3s")
    if name == "opensmtpd":
        write(root, "etc/smtpd.conf", OPENSMTPD)
        return "rm -rf /var/spool/smtpd/queue/*; exec smtpd -d -f /etc/smtpd.conf >/var/log/smtpd.log 2>&1"
    write(root, "etc/mail/todo.mc", SENDMAIL.format(more=SENDMAIL_JA if japanese else ""))
    write(root, "etc/mail/error-header", "お送りいただいたメールは、次の理由により配送できませんでした。\n")
    write(root, "etc/mail/local-host-names", "")
    write(root, "etc/mail/trusted-users", "")
    return ("cd /etc/mail && m4 todo.mc > /tmp/sendmail.cf && mkdir -p /run/sendmail/mta && "
            "rm -rf /var/spool/mqueue && mkdir -m 700 /var/spool/mqueue && "
            "exec sendmail -C/tmp/sendmail.cf -bD -q3s")


def serve(cases, came):
    domains = {case.domain: case for case in cases}
    names = socketserver.ThreadingUDPServer((OUR_ADDRESS, 53), Names)
    names.cases = domains
    threading.Thread(target=names.serve_forever, daemon=True).start()
    servers = [names]
    for address in sorted({case.address for case in cases if case.stage != "refused"}
                          | {MX_SHARED, MX_RETURNS}):
        server = Threads((address, 25), Receiver)
        server.cases, server.came = domains, came
        server.by_address = {case.address: case for case in cases if case.address != MX_SHARED}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    return servers


def play(name, roots, cases, japanese):
    """{(case's name, action): the mail that came back}"""
    root = debian_root(roots, name)
    script = configure(name, root, japanese)
    got, lock = {}, threading.Lock()

    def came(address, octets):
        action = re.search(rb"(?im)^action:\s*(\w+)", octets)
        word = action.group(1).decode().lower() if action else "failed"
        with lock:
            got.setdefault((address.partition("@")[0], word), octets)
    servers = serve(cases, came)
    world = subprocess.Popen(
        ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
         'read go; hostname mta.example.jp; ip link set lo up; ip link set inside up; '
         f'ip address add {MTA_ADDRESS}/24 dev inside; ip route add default via {OUR_ADDRESS}; '
         'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; exec chroot "$0" sh -c "$1"', str(root), script],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=open(roots / f"{name}.out", "wb"))
    try:
        run("ip", "link", "add", "outside", "type", "veth", "peer", "name", "inside")
        child = wait_for_child(world.pid)
        run("ip", "link", "set", "inside", "netns", str(child))
        run("ip", "address", "add", f"{OUR_ADDRESS}/24", "dev", "outside")
        run("ip", "link", "set", "outside", "up")
        world.stdin.write(b"go\n")
        world.stdin.flush()
        send_all(cases)
        end = time.monotonic() + WAIT_SECONDS
        wanted = {(case.name, "failed") for case in cases}
        while time.monotonic() < end and wanted - set(got):
            time.sleep(0.5)
        time.sleep(2)
        missing = {case for case, _ in wanted - set(got)}
        print(name, len(got), "mails came; none of", sorted(missing), file=sys.stderr)
    finally:
        world.kill()
        world.wait()
        run("ip", "link", "delete", "outside", check=False)
        for server in servers:
            server.shutdown()
            server.server_close()
    return got


def wait_for_child(pid):
    while True:
        told = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if told:
            return int(told[0])
        time.sleep(0.05)


def send_all(cases):
    end = time.monotonic() + 60
    while True:
        try:
            sender = Sender()
            if sender.offers.startswith("250"):
                break
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.5)
    for place, case in enumerate(cases):
        if place % 20 == 19:
            sender = Sender()
        sender.send(case)


def cases_for(name, japanese):
    """Which cases a mail server gets: each one of its own share, all of them what the network does."""
    cases, shares = [], [each for each in PACKAGES]
    for row in replies():
        digest = int(hashlib.sha256(row["id"].encode()).hexdigest(), 16)
        share = shares[digest // 7 % 4]
        is_mine = digest // 31 % 9 < (8 if row["id"][0] in "st" else 5) and share == name
        is_common = digest // 13 % 37 == 0
        if japanese:
            is_mine, is_common = digest // 17 % 16 == 5 or (row["language"] == "ja" and digest % 2 == 0), False
        if row["stage"] != "none" and (is_mine or is_common):
            cases.append((row["id"], row["stage"], row["reply"].replace("550-5", "550 5"), row))
    if not japanese:
        cases += [(NEUTRAL[found], found, "", None) for found, *_ in FINDINGS]
    return [Case(number, *case) for number, case in enumerate(cases, 1)]


def label_of(case, action, octets):
    # Exim warns without saying why, or that it could not ask for the name yet.
    if action == "delayed" and case.reply[:3].encode() not in octets and b"Diagnostic-Code" not in octets:
        return "dns_failed" if b"Delay reason: host lookup" in octets else "unclear", "no", "no"
    # Exim gives up on a host that has put off the mails before it.
    if action == "failed" and b"retry timeout exceeded" in octets and case.reply[:3].encode() not in octets:
        return "out_of_time", "no", "no"
    if case.label is None:
        _, kind, permanent, suppress = next(each for each in FINDINGS if each[0] == case.stage)
        is_over = action == "failed"
        return kind, "yes" if permanent and is_over else "no", "yes" if suppress and is_over else "no"
    row = case.label
    kind = row["class"]
    if action == "failed" and row["reply"].startswith("4"):
        kind += "|out_of_time"  # it was tried until its time was over
    if action == "delayed":
        return kind, "no", "no"
    return kind, row["permanent"], row["suppress"]


def main():
    roots, out, *wanted = sys.argv[1:]
    roots, out = pathlib.Path(roots), pathlib.Path(out)
    if run("ip", "-o", "link").stdout.count(b"\n") > 1:  # a network of our own first
        sys.exit(subprocess.call(["unshare", "--net", sys.executable, __file__, *sys.argv[1:]]))
    for command in (["link", "set", "lo", "up"], ["address", "add", f"{OUR_ADDRESS}/32", "dev", "lo"],
                    *(["address", "add", f"{net}.{last}/32", "dev", "lo"] for net, lasts in
                      (("192.0.2", (25, 26)), ("198.51.100", range(1, 255))) for last in lasts)):
        run("ip", *command)
    out.mkdir(exist_ok=True)
    labels = []
    for name in wanted or PACKAGES:
        name, _, only = name.partition("-")
        version = run("dpkg-query", f"--root={debian_root(roots, name)}", "-W", "-f=${Version}",
                      VERSION_OF[name]).stdout.decode()
        for japanese in [False, True]:
            if (name == "opensmtpd" and japanese) or (only == "ja" and not japanese):
                continue
            cases = cases_for(name, japanese)
            got = play(name, roots, cases, japanese)
            for case in cases:
                for action in ("failed", "delayed"):
                    octets = got.get((case.name, action))
                    if octets is None:
                        continue
                    file = f"{case.name}.{name}{'-ja' if japanese else ''}-{action}.eml"
                    (out / file).write_bytes(octets)
                    kind, permanent, suppress = label_of(case, action, octets)
                    row = case.label or {}
                    language = "ja" if japanese or case.japanese or row.get("language") == "ja" else "en"
                    labels.append([file, case.recipient(), kind, permanent, suppress, language,
                                   f"{name} {version}: " + (f"{case.stage} {row['reply']}" if row else case.stage)])
    with open(out / "labels.tsv", "a", encoding="utf-8") as file:
        for row in labels:
            file.write("\t".join(row) + "\n")


if __name__ == "__main__":
    main()
