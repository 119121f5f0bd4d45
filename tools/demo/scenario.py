# SPDX-License-Identifier: Apache-2.0
"""Who receives in the demonstration: domains, their hosts, and how each behaves.

Every receiver takes each mail in the end, so that all of them can be counted; some make it hard.
The names are reserved ones (RFC 2606), the addresses are this machine's own.
"""
import dataclasses

SENDER_DOMAIN = "shop.example"
GREYLIST_SECONDS = 3


@dataclasses.dataclass(frozen=True)
class Receiver:
    domain: str
    mails: int  # of the bulk
    hosts: tuple  # (name, preference, address); "-" before the address: nobody listens there
    about: str
    sink: tuple  # lines of its [[receiver]] table beyond name, hosts and domain
    site: str = ""  # the shipped rule (rules/sites.toml) whose limits are to hold for it

    @property
    def listening(self):
        return [address for _, _, address in self.hosts if not address.startswith("-")]


RECEIVERS = (
    Receiver("example.jp", 300,
             (("mx1", 10, "127.0.1.11"), ("mx2", 10, "127.0.1.12")),
             "two equal MX, TLS, PIPELINING, CHUNKING", ('tls = "good"',)),
    Receiver("example.com", 250,
             (("mx", 10, "127.0.1.21"), ("backup", 20, "127.0.1.22")),
             "TLS, PIPELINING, no CHUNKING", ('tls = "good"', 'without = ["CHUNKING"]')),
    Receiver("company.example", 100,
             (("mx1", 10, "-127.0.1.31"), ("mx2", 20, "127.0.1.32")),
             "first MX is down, the second has a self-signed certificate",
             ('tls = "self_signed"', 'provider = "office365"')),
    Receiver("gray.example", 100,
             (("mx", 10, "127.0.1.41"),),
             f"greylists: nothing from strangers in the first {GREYLIST_SECONDS} s",
             ('tls = "good"', f"greylist = {{ seconds = {GREYLIST_SECONDS} }}")),
    Receiver("slow.example", 90,
             (("mx", 10, "127.0.1.51"),),
             "takes 0.2 s to think about each recipient, no extension at all",
             ('without = ["PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE"]',
              "delay = { rcpt = 0.2 }")),
    Receiver("docomo.example", 80,
             (("mx", 10, "127.0.1.61"),),
             "has docomo's limits: 10 mails a second", ('provider = "docomo"',), "docomo"),
    Receiver("au.example", 40,
             (("mx", 10, "127.0.1.62"),),
             "has au's limits: 5 mails a second", ('provider = "au"',), "au"),
    Receiver("softbank.example", 40,
             (("mx", 10, "127.0.1.63"),),
             "has SoftBank's limits: 5 mails a second",
             ('provider = "softbank"', 'without = ["PIPELINING", "CHUNKING"]'), "softbank"),
)
BULK_MAILS = sum(receiver.mails for receiver in RECEIVERS)
GREYLISTING = next(receiver for receiver in RECEIVERS if "greylist" in receiver.about)


def zone_text(domain, records):
    """A zone file; `records` are its lines below SOA and NS."""
    return "\n".join([f"$ORIGIN {domain}.", "$TTL 60",
                      "@ SOA ns hostmaster 1 3600 600 86400 60", "@ NS ns", "ns A 127.0.0.1",
                      *records]) + "\n"


def receiver_zone(receiver):
    records = [f"@ MX {preference} {name}" for name, preference, _ in receiver.hosts]
    records += [f"{name} A {address.lstrip('-')}" for name, _, address in receiver.hosts]
    return zone_text(receiver.domain, records)


def sender_zone(dkim_entries):
    """`dkim_entries`: as `todoku dkim generate` prints them for a zone file."""
    return zone_text(SENDER_DOMAIN, [
        "@ MX 10 mail", "mail A 127.0.0.1", "bounce MX 10 mail", '@ TXT "v=spf1 ip4:127.0.0.1 -all"',
        '_dmarc TXT "v=DMARC1; p=reject"', *dkim_entries])


def sink_toml(data, mail_port, dns_port):
    """The configuration of `todoku sink` (docs/sink.md)."""
    lines = [f'report_file = "{data}/report.json"', f'arrival_log_file = "{data}/arrivals.jsonl"',
             f'store_directory = "{data}/mails"', "store_max = 20000",
             f'certificates_file = "{data}/certificates.pem"', "",
             "[dkim]", "sample = 1.0", f'dns_server = "127.0.0.1:{dns_port}"']
    for receiver in RECEIVERS:
        name = next(name for name, _, address in receiver.hosts if not address.startswith("-"))
        listen = ", ".join(f'"{address}:{mail_port}"' for address in receiver.listening)
        lines += ["", "[[receiver]]", f'name = "{receiver.domain}"',
                  f'hostname = "{name}.{receiver.domain}"', f"listen = [{listen}]",
                  f'domains = ["{receiver.domain}"]', *receiver.sink]
    return "\n".join(lines) + "\n"


def engine_toml(api_port, mail_port, dns_port):
    """The engine's configuration (docs/configuration.md): what differs from the defaults."""
    lines = [
        "# Made by ./run. docs/configuration.md explains every key.",
        "[api]", f'listen = "127.0.0.1:{api_port}"', "",
        "[engine]", "drain_seconds = 10", "",
        "[dns]", f'servers = ["127.0.0.1:{dns_port}"]',
        'check_names = ["."]  # the small DNS of this play has a root and no com. or jp.', "",
        "[smtp_out]", f'hello_name = "mail.{SENDER_DOMAIN}"',
        f'return_path_domain = "bounce.{SENDER_DOMAIN}"', f'message_id_domain = "{SENDER_DOMAIN}"',
        "allow_private_receivers = true  # the receivers are on loopback", "",
        "[delivery]", "transactional_retry_seconds = [5, 10, 30]", "greylist_retry_seconds = []",
        "bulk_retry_seconds = [5, 10, 30]  # so that greylisted mail arrives while we watch", "",
        "[sites.defaults]", f"port = {mail_port}"]
    for receiver in RECEIVERS:
        if receiver.site:
            lines += ["", f"[sites.{receiver.site}]", f'domains = ["{receiver.domain}"]']
    return "\n".join(lines) + "\n"
