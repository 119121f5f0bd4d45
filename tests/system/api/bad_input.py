# SPDX-License-Identifier: Apache-2.0
"""Wrong requests, made from docs/openapi.json: each operation's path, method, body, fields, form,
query and headers, each spoilt in every way that has a name here, and some by chance from a seed.

Makes requests and says what may come of them; sends nothing. `bad_input_checks` does.
"""
import dataclasses
import json
import random

from door import JSON, data_part, file_part, form
from openapi_checks import having, media, operations, resolved

HOLE = "<the hole>"
NOT_THERE = "987654321"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OTHER_METHODS = ("HEAD", "OPTIONS", "TRACE", "FOO", "get", "PROPFIND")
REFUSED = range(400, 500)


@dataclasses.dataclass
class Wrong:
    """One request. `may`: the statuses that it may get; None: any but a failure of ours."""
    operation: str
    what: str
    method: str
    target: str
    body: bytes = None
    headers: dict = dataclasses.field(default_factory=dict)
    may: object = None
    at: str = None  # the member that the refusal must name
    unknown: str = None  # a member that nobody reads, which is told wherever the rest is taken

    def __str__(self):
        return f"{self.operation}: {self.what}: {self.method} {self.target[:200]}"


# ---- values ------------------------------------------------------------------------------------

# Written as they stand in JSON: {name: (the kind, octets)}. "broken" is no JSON that anybody reads.
TOKENS = {
    "a string": ("string", b'"text"'), "an empty string": ("string", b'""'),
    "a number in a string": ("string", b'"7"'), "white space": ("string", b'" \\t "'),
    "a line break": ("string", b'"a\\r\\nb: c"'), "U+0000": ("string", b'"a\\u0000b"'),
    "200,000 characters": ("string", b'"' + b"x" * 200_000 + b'"'),
    "70,000 beyond the BMP": ("string", b'"' + "😀".encode() * 70_000 + b'"'),
    "0": ("integer", b"0"), "-0": ("integer", b"-0"), "-1": ("integer", b"-1"),
    "7": ("integer", b"7"), "2^31": ("integer", b"2147483648"), "2^53 + 1": ("integer", b"9007199254740993"),
    "2^63 - 1": ("integer", b"9223372036854775807"), "2^63": ("number", b"9223372036854775808"),
    "-2^63": ("integer", b"-9223372036854775808"), "2^64": ("number", b"18446744073709551616"),
    "4,000 digits": ("number", b"9" * 4_000), "1.5": ("number", b"1.5"), "1e3": ("number", b"1e3"),
    "1e308": ("number", b"1e308"), "1e400": ("number", b"1e400"), "-1e400": ("number", b"-1e400"),
    "1e-400": ("number", b"1e-400"), "1e9999999999": ("broken", b"1e9999999999"),
    "true": ("boolean", b"true"), "false": ("boolean", b"false"), "null": ("null", b"null"),
    "[]": ("array", b"[]"), "[[]]": ("array", b"[[]]"), "[null]": ("array", b"[null]"),
    "[1,2]": ("array", b"[1,2]"), "[{}]": ("array", b"[{}]"),
    "30,000 elements": ("array", b"[" + b"1," * 29_999 + b"1]"),
    "{}": ("object", b"{}"), "an object": ("object", b'{"x":{"y":[1]}}'),
    "20 levels": ("array", b"[" * 20 + b"]" * 20),
    "100 levels": ("broken", b"[" * 100 + b"]" * 100),
    "100,000 levels": ("broken", b"[" * 100_000), "a member twice": ("broken", b'{"x":1,"x":2}'),
    "2,000 members": ("broken", b"{" + b",".join(b'"m%d":1' % n for n in range(2_000)) + b"}"),
    "a lone surrogate": ("broken", b'"\\ud800"'), "half of a pair": ("broken", b'"\\udc00\\ud800"'),
    "octets FF FE": ("broken", b'"\xff\xfe"'), "overlong": ("broken", b'"\xc0\xaf"'),
    "a surrogate in UTF-8": ("broken", b'"\xed\xa0\x80"'),
    "beyond U+10FFFF": ("broken", b'"\xf5\x80\x80\x80"'), "NUL as it is": ("broken", b'"\0"'),
    "a bare word": ("broken", b"nonsense"), "NaN": ("broken", b"NaN"), "+1": ("broken", b"+1"),
    "01": ("broken", b"01"), "1.": ("broken", b"1."), "0x1": ("broken", b"0x1"),
    "an escape that is none": ("broken", b'"\\x41"'), "an open string": ("broken", b'"open'),
    "nothing": ("broken", b""), "a comment": ("broken", b"1/**/"),
}
# What the engine takes beyond its schemas: {name of the member: kinds}.
TAKEN_TOO = {"value": {"integer", "number", "boolean", "null"}, "to": {"array"},
             "reference": {"integer", "number", "boolean"},
             "expires_in": {"string"}, "ignore_errors": {"string"}, "immediate": {"string"},
             "keep_duplicates": {"string"}, "dry_run": {"string"}}
# Numbers that are taken as their text, too.
TAKEN_AS_TEXT = {"mails", "revision"}
# Numbers that these take as they like: the documents say what stands in their place.
LENIENT = {"month_ago"}


def kinds_of(schema):
    of = schema.get("type", [])
    kinds = set([of] if isinstance(of, str) else of)
    return kinds | {"integer"} if "number" in kinds else kinds


def members(schema, path=()):
    """(path, schema, whether it is required) of every member below an object."""
    schema = resolved(schema)
    for name, given in schema.get("properties", {}).items():
        member, here = resolved(given), (*path, name)
        yield here, member, name in schema.get("required", ())
        if "properties" in member:
            yield from members(member, here)
        elif member.get("type") == "array":
            element = resolved(member["items"])
            yield (*here, 0), element, True
            yield from members(element, (*here, 0))


def written(body):
    return json.dumps(body, ensure_ascii=False).encode()


def filled(body, path, token):
    """`body` as JSON, with this token at `path`."""
    return written(having(body, path, HOLE)).replace(written(HOLE), token, 1)


def verdict(schema, needed, name, kind):
    """What may come of such a value: the statuses, or None where it is not known beforehand."""
    if kind == "broken":
        return REFUSED
    # What may be left out may be null, too.
    taken_as_text = {"string"} if name in TAKEN_AS_TEXT and "integer" in kinds_of(schema) else set()
    tolerated = kinds_of(schema) | taken_as_text | TAKEN_TOO.get(name, set()) | (set() if needed else {"null"})
    return None if kind in tolerated or not kinds_of(schema) else REFUSED


# ---- one operation -----------------------------------------------------------------------------

class Operation:
    """How an operation is called rightly, and from there wrongly. `ids`: for its path; `right`: its
    body, if it has one."""

    def __init__(self, method, path, description, ids, right):
        self.name = description["operationId"]
        self.method = method.upper()
        self.path = path
        self.description = description
        self.ids = ids
        self.right = right
        kinds = media(description.get("requestBody", {}))
        self.schema = resolved(kinds[JSON]["schema"]) if JSON in kinds else None
        self.takes_form = "multipart/form-data" in kinds
        self.required = description.get("requestBody", {}).get("required", False)

    @property
    def target(self):
        return self.path.format(**self.ids)

    @property
    def right_octets(self):
        return written(self.right) if self.right else None

    def wrong(self, what, **how):
        return Wrong(**{"operation": self.name, "what": what, "method": self.method,
                        "target": self.target, **how})

    def with_body(self, what, body, **how):
        return self.wrong(what, body=body, headers={"Content-Type": JSON}, **how)

    def with_form(self, what, parts, **how):
        return self.with_octets(what, form(parts), **how)

    def with_octets(self, what, body, **how):
        """What calls itself a form."""
        return self.wrong(what, body=body, headers={
            "Content-Type": "multipart/form-data; boundary=the-boundary"}, **how)

    # -- what can be wrong with it

    PATH_VALUES = ("0", "-1", "+1", "01x", "abc", "1e3", "1.0", "0x1", "%31x", "%20", "true",
                   "null", "2147483648", "9007199254740993", "9223372036854775807",
                   "9223372036854775808", "18446744073709551616", "9" * 400, "%00", "1%00", "%FF",
                   "%C0%AF", "%2F", "%2e%2e", "..", ".", "%", "%zz", "%E3%81%82", "%F0%9F%98%80",
                   "'--", "%22", "%0d%0aX:y", "a" * 3_000, "-", "[]", "{}", "*", "a;b=c", "xn--",
                   "%ED%A0%80")

    def paths(self):
        for name in self.ids:
            for value in self.PATH_VALUES:
                if str(value) == str(self.ids[name]):
                    continue
                yield self.with_body(f"{name} is {value[:40]}", self.right_octets, may=REFUSED,
                                     target=self.path.format(**{**self.ids, name: value}))
        yield self.wrong("a slash at the end", target=self.target + "/", may=REFUSED)
        yield self.wrong("more path", target=self.target + "/x/y/z", may=REFUSED)
        yield self.wrong("a hundred segments", target=self.target + "/x" * 100, may=REFUSED)

    def methods(self, known):
        """`known`: the methods of the paths that its target may stand for."""
        for method in (*METHODS, *OTHER_METHODS):
            if method not in known and not (method == "HEAD" and "GET" in known):
                yield self.wrong("another method", method=method, may=REFUSED)

    BODIES = {"an array": b"[]", "a string": b'"text"', "a number": b"5", "true": b"true",
              "two values": b"{}{}", "a trailing comma": b'{"a":1,}',
              "UTF-16": '{"a":1}'.encode("utf-16"),
              "a byte order mark alone": b"\xef\xbb\xbf", "100,000 arrays": b"[" * 100_000,
              "100,000 objects": b'{"a":' * 100_000, "octets": bytes(range(256)),
              "a zip": b"PK\x03\x04" + b"\0" * 60, "a form's text": b"a=1&b=2", "an element": b"<a/>",
              "9 MB": b'{"a":"' + b"x" * 9_000_000 + b'"}', "NULs": b"\0" * 1_000}

    def bodies(self):
        for name, body in self.BODIES.items():
            # Who reads no body need not look at it, but must not stumble either.
            yield self.with_body(f"body: {name}", body, may=REFUSED if self.schema else None)
        if self.schema is None or self.right is None:
            return
        whole = written(self.right)
        for cut in sorted({1, len(whole) // 3, len(whole) // 2, len(whole) - 1}):
            yield self.with_body(f"cut after {cut}", whole[:cut], may=REFUSED)
        yield self.with_body("something behind it", whole + b"x", may=REFUSED)
        first = next(iter(self.right))
        yield self.with_body("a member twice", whole[:-1] + b"," + written({first: None})[1:],
                             may=REFUSED)
        for name, octets in {"none": None, "empty": b"", "null": b"null", "{}": b"{}"}.items():
            may = REFUSED if self.required and self.schema.get("required") else None
            yield self.with_body(f"body: {name}", octets, may=may)

    def content_types(self):
        if self.schema is None:
            return
        for content_type in ("application/x-www-form-urlencoded", "text/xml", "application/xml",
                             "multipart/mixed; boundary=b", "multipart/form-data",
                             "multipart/form-data; boundary=", "multipart/form-data; boundary=" +
                             "b" * 500, "multipart/form-data; boundary=\"\x01\"",
                             "multipart/form-data; boundary=elsewhere"):
            yield self.wrong(f"type {content_type[:50]}", body=b"nothing=1",
                             headers={"Content-Type": content_type}, may=REFUSED)
        for encoding in ("gzip", "br", "deflate, gzip", "x" * 500):
            yield self.wrong(f"encoding {encoding[:20]}", body=written(self.right), may=REFUSED,
                             headers={"Content-Type": JSON, "Content-Encoding": encoding})

    def fields(self):
        for path, schema, needed in members(self.schema or {}):
            for name, (kind, token) in TOKENS.items():
                if not token and path[-1] == 0:
                    continue  # [] is a list
                may = verdict(schema, needed, path[-1], kind)
                what = f"{'.'.join(map(str, path))} is {name}"
                body = filled(self.right, path, token)
                at = str(path[0]) if may is REFUSED and kind != "broken" else None
                yield self.with_body(what, body, may=may, at=at)
                # A form's part is read by the same reader: of each kind one will do.
                if self.takes_form and name in ("7", "[[]]", "a lone surrogate", "octets FF FE"):
                    parts = [file_part(), ('name="data"', JSON, body)]
                    yield self.with_form(f"form: {what}", parts, may=may, at=at)
            for beyond in limits_beyond(path[-1], schema):
                yield self.with_body(f"{'.'.join(map(str, path))} beyond its limit",
                                     filled(self.right, path, written(beyond)), may=REFUSED)

    def unknown_members(self):
        objects = [()] + [path for path, schema, _ in members(self.schema or {})
                          if "properties" in schema]
        for path in objects if self.schema else ():
            here = (*path, "x-unknown")
            yield self.with_body(f"{'.'.join(map(str, here))} is unknown", unknown="x-unknown",
                                 body=written(having(self.right, here, {"a": [1]})))

    def forms(self):
        if not self.takes_form:
            return
        data = data_part(self.right if self.right is not None else {})
        csv = ('name="file"; filename="a.csv"', "text/csv", b"email\na@fast.example\n")
        file = csv if self.name == "importRecipients" else file_part()
        yield self.with_form("no part at all", [], may=REFUSED)
        # Whose form is a file, whatever else it has.
        takes_data = self.name not in ("importSuppressions", "importReports")
        if takes_data:
            yield self.with_form("two data parts", [data, data, file], may=REFUSED)
        yield self.with_form("parts without names", [("", None, b"x")] * 3, may=REFUSED)
        yield self.with_form("400 parts", [data] + [("name=x", None, b"")] * 400, may=REFUSED)
        yield self.with_form("a file in another part", [data, (
            'name="attachment"; filename="a.txt"', "text/plain", b"x")], may=REFUSED)
        yield self.with_form("a control character in a name", [data, file, ("name=\x01", None, b"")])
        for broken in (b"", b"{", b"[]", b'"x"', b"5", b"\xff", b"\0", b"[" * 10_000,
                       b'{"a":1,"a":2}') if takes_data else ():
            may = REFUSED if broken or (self.schema or {}).get("required") else None
            parts = [('name="data"', JSON, broken), file]
            yield self.with_form(f"data is {broken[:10]!r}", parts, may=may)
        whole = form([data, file])
        for cut in (3, len(whole) // 3, len(whole) // 2, len(whole) - 8):
            yield self.with_octets(f"a form cut after {cut}", whole[:cut], may=REFUSED)
        encoded = b"Content-Disposition: form-data", b"Content-Transfer-Encoding: base64\r\n" \
            b"Content-Disposition: form-data"
        for name, body in {"bare LF": whole.replace(b"\r\n", b"\n"), "JSON": b"{}",
                           "octets": bytes(range(256)) * 20, "only dashes": b"-" * 10_000,
                           "a header without end": b"--the-boundary\r\nX: " + b"y" * 50_000,
                           "base64": whole.replace(*encoded)}.items():
            yield self.with_octets(f"a form of {name}", body, may=REFUSED)

    QUERY_VALUES = ("", "0", "-1", "1.5", "1e400", "9223372036854775808", "9" * 500, "abc", "%00",
                    "a%00b", "%FF", "%C0%AF", "%ED%A0%80", "%", "%zz", "%0d%0a", "'", "%25", "_%25",
                    "%27%20OR%201%3D1--", "x" * 2_000, "%E3%81%82" * 700, "null", "true", "[]",
                    "{}", "2026-99-99", "9999-12-31T23:59:59-23:59", "0000-01-01", "-1:asc",
                    "delivery_time:up", "=", ",,,,")

    def queries(self):
        for parameter in map(resolved, self.description.get("parameters", ())):
            if parameter["in"] != "query":
                continue
            name, schema = parameter["name"], resolved(parameter["schema"])
            for value in self.QUERY_VALUES:
                may = None
                if schema.get("type") == "integer" and value and name not in LENIENT:
                    may = REFUSED
                yield self.wrong(f"{name} is {value[:40]}", target=f"{self.target}?{name}={value}",
                                 may=may)
            one = name.removesuffix("[]")
            for what, query in {
                    "100 times": "&".join([f"{name}=1"] * 100), "with an index": f"{one}[0]=1",
                    "in a member": f"{one}[a][b]=1", "an open bracket": f"{one}[=1",
                    "without a value": one, "5,000 commas": f"{name}=" + "a," * 2_500}.items():
                yield self.wrong(f"{name} {what}", target=f"{self.target}?{query}")
        for query in ("?" * 50, "?&&&&==&=", "?%00=1", "?%FF%FE=%FF", "?" + "&".join(
                f"p{n}=v" for n in range(1_000)), "?=" + "x" * 5_000):
            yield self.wrong(f"a query {query[:20]}", target=self.target + query)

    def headers(self):
        for what, headers in {
                "token with spaces": {"Authorization": "Bearer a b c"},
                "another scheme": {"Authorization": "Digest username=x"},
                "a token of 6,000": {"Authorization": "Bearer " + "x" * 6_000},
                "octets as a token": {"Authorization": "Bearer \xff\xfe"}}.items():
            yield self.wrong(what, headers=headers, may=(401,))
        for what, headers in {
                "languages": {"Accept-Language": "x" * 3_000},
                "a language's weight": {"Accept-Language": "ja;q=1e400,en;q=-1,;;q=,=\xff"},
                "a forwarded one": {"X-Forwarded-For": "999.1.1.1, \xff"},
                "a range": {"Range": "bytes=9-1", "If-Match": "*"},
                "an event id": {"Last-Event-ID": "\xff" * 100},
                "accepts": {"Accept": "\xff/*;q=x"}}.items():
            yield self.wrong(what, headers={**headers, "Content-Type": JSON}, body=b"[]",
                             may=REFUSED if self.schema else None)
        keyed = any(resolved(p)["name"] == "Idempotency-Key"
                    for p in self.description.get("parameters", ()))
        for key in ("", " ", "a b", "x" * 256, "\xff", "\t", "a\x7f") if keyed else ():
            headers = {"Idempotency-Key": key, "Content-Type": JSON}
            yield self.wrong(f"key {key[:5]!r}", headers=headers, body=self.right_octets, may=REFUSED)

    def by_chance(self, dice, count):
        """Its body and target with octets changed, taken out, doubled."""
        if self.right is None:
            return
        whole = written(self.right)
        for number in range(count):
            octets = bytearray(whole)
            for _ in range(dice.randint(1, 6)):
                at = dice.randrange(len(octets))
                change = dice.randrange(4)
                patch = dice.choice((b'"', b"{", b"[", b"\\u0000", b"\xff", b",", b"1e400"))
                if change == 0:
                    octets[at] = dice.randrange(256)
                elif change == 1:
                    del octets[at]
                elif change == 2:
                    octets[at:at] = patch
                else:
                    octets[at:at] = octets[at:at + dice.randint(1, 30)]
                octets = octets or bytearray(b"{")
            yield self.with_body(f"by chance {number}", bytes(octets))

    def all(self, known, dice, by_chance):
        for some in (self.paths(), self.methods(known), self.bodies(), self.content_types(),
                     self.fields(), self.unknown_members(), self.forms(), self.queries(),
                     self.headers(), self.by_chance(dice, by_chance)):
            yield from some


def limits_beyond(name, schema):
    """Values of the right kind that lie beyond what the schema says."""
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maxItems" in schema:
        yield [{"email": f"r{n}@fast.example", "key": f"__k{n}__", "value": ""} if
               "properties" in resolved(schema["items"]) else f"r{n}@fast.example"
               for n in range(schema["maxItems"] + 1)]
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if schema.get("enum"):
        yield "another"


def methods_by_path():
    known = {}
    for method, path, _ in operations():
        known.setdefault(path, set()).add(method.upper())
    return known


def dice_of(seed, name):
    return random.Random(f"{seed} {name}")
