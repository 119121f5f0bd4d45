# SPDX-License-Identifier: Apache-2.0
"""Reports in the shapes in which receivers write them, made from the schemas of RFC 7489 appendix C and
RFC 8460 section 4.4: elements in other orders, with and without a namespace, in gzip, zip or plain, and the
messages that carry them."""
import gzip
import io
import json
import time
import zipfile
from email.message import EmailMessage

DAY = 86_400


def midnight(days_ago):
    return int(time.time()) // DAY * DAY - days_ago * DAY


def row(source, count, dkim="pass", spf="pass", disposition="none", header_from=None, selector="s1",
        signed_by=None, reason=None):
    return {"source": source, "count": count, "dkim": dkim, "spf": spf, "disposition": disposition,
            "header_from": header_from, "selector": selector, "signed_by": signed_by, "reason": reason}


def record(each, domain, envelope):
    reason = f"<reason><type>{each['reason']}</type></reason>" if each["reason"] else ""
    signed_by = each["signed_by"] or domain
    return f"""<record><row><source_ip>{each['source']}</source_ip><count>{each['count']}</count>
<policy_evaluated><disposition>{each['disposition']}</disposition><dkim>{each['dkim']}</dkim>
<spf>{each['spf']}</spf>{reason}</policy_evaluated></row>
<identifiers>{envelope}<header_from>{each['header_from'] or domain}</header_from></identifiers>
<auth_results><dkim><domain>{signed_by}</domain><result>{each['dkim']}</result>
<selector>{each['selector']}</selector></dkim>
<spf><domain>bounce.{domain}</domain><result>{each['spf']}</result></spf></auth_results></record>"""


def aggregate(domain, rows, organization="receiver.example", report_id="1", begin=None, policy="none",
              shape="google", end=None):
    """XML as Google ("google"), Microsoft ("microsoft") or Yahoo ("yahoo") write it."""
    begin = midnight(1) if begin is None else begin
    end = begin + DAY - 1 if end is None else end
    heads = {"google": "<feedback>", "yahoo": "<feedback>",
             "microsoft": '<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
                          ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><version>1.0</version>'}
    envelope = {"google": "", "yahoo": "", "microsoft":
                f"<envelope_to>{organization}</envelope_to><envelope_from>bounce.{domain}</envelope_from>"}
    dates = f"<date_range><begin>{begin}</begin><end>{end}</end></date_range>"
    names = (f"<org_name>{organization}</org_name><email>dmarc@{organization}</email>"
             f"<report_id>{report_id}</report_id>")
    published = (f"<policy_published><domain>{domain}</domain><adkim>r</adkim><aspf>r</aspf>"
                 f"<p>{policy}</p><sp>{policy}</sp><pct>100</pct></policy_published>")
    metadata = dates + names if shape == "yahoo" else names + dates
    records = "\n".join(record(each, domain, envelope[shape]) for each in rows)
    return (f'<?xml version="1.0" encoding="UTF-8" ?>\n{heads[shape]}<report_metadata>{metadata}'
            f"</report_metadata>{published}{records}</feedback>\n").encode()


def tls(domains, organization="TLS Receiver", report_id="t1", begin=None):
    """RFC 8460: `domains` {domain: (successful, [(result, host, sessions)])}."""
    begin = midnight(1) if begin is None else begin
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    policies = [{"policy": {"policy-type": "sts", "policy-domain": domain},
                 "summary": {"total-successful-session-count": good,
                             "total-failure-session-count": sum(bad[2] for bad in failures)},
                 "failure-details": [{"result-type": result, "receiving-mx-hostname": host,
                                      "sending-mta-ip": "203.0.113.9", "failed-session-count": count}
                                     for result, host, count in failures]}
                for domain, (good, failures) in domains.items()]
    return json.dumps({"organization-name": organization, "contact-info": "tls@receiver.example",
                       "report-id": report_id, "policies": policies, "date-range": {
                           "start-datetime": time.strftime(stamp, time.gmtime(begin)),
                           "end-datetime": time.strftime(stamp, time.gmtime(begin + DAY - 1))}}).encode()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in files.items():
            archive.writestr(name, octets)
    return out.getvalue()


def message(octets, file_name, kind=("application", "gzip"), forwarded=False):
    mail = EmailMessage()
    mail["From"] = "dmarc@receiver.example"
    mail["To"] = "reports@example.jp"
    mail["Subject"] = "Report Domain: example.jp"
    mail.set_content("This is a report.\n")
    mail.add_attachment(octets, maintype=kind[0], subtype=kind[1], filename=file_name)
    if not forwarded:
        return mail.as_bytes()
    outer = EmailMessage()
    outer["From"] = "taro@example.jp"
    outer["Subject"] = "Fwd"
    outer.set_content("See below.\n")
    outer.add_attachment(mail)
    return outer.as_bytes()


def mailbox(messages):
    return b"".join(b"From dmarc@receiver.example Sat Nov 28 00:00:00 2026\n" +
                    each.replace(b"\r\n", b"\n") + b"\n" for each in messages)


def compressed(octets):
    return gzip.compress(octets)
