#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The figures of docs/capacity.md and its plot: three days on the installation of deploy/terraform, played by
todoku_scaling_days with the rules that stand in the Terraform files and the costs that docs/scale.md measured, and
what a million mails cost.

usage: bench/capacity.py PLAYER            prints what it finds
       bench/capacity.py PLAYER --write    puts it into docs/capacity.md, capacity.ja.md and autoscaling.svg
"""
import dataclasses
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench/support"))
import capacity_plot  # noqa: E402

TERRAFORM = ROOT / "deploy/terraform"
EXAMPLE = "examples/production/main.tf"
PAGES = ("docs/capacity.md", "docs/capacity.ja.md")
PLOT = "docs/autoscaling.svg"
CURVES = ("quiet", "noon", "incident")
NAMES = {"quiet": ("a quiet night", "静かな夜"), "noon": ("a bulk at noon", "正午の一斉配信"), "incident": ("an incident", "受信側の障害")}

# ---- assumed: put in your own. List prices of us-east-1 in US dollars, as they were known in January 2026.
DAY_MAILS = 10_000_000  # of the light, of which three tenths are transactions
PACE = 500              # recipients a second of one courier: it waits for receivers (tests/scaling plays 400 to 600)
INSTANCE_HOUR = {"t3.small": 0.0208, "c7i.large": 0.0893, "c7i.2xlarge": 0.357}
FARGATE_CPU_HOUR, FARGATE_GB_HOUR = 0.04048, 0.004445
ADDRESS_HOUR = 0.005
OUT_GB = 0.09           # to the Internet, the dearest step
MAIL_GB = 4.5e-6        # with headers, signature, TLS and TCP
SQS_MILLION = 0.40
SES_THOUSAND = 0.10     # Amazon SES, outbound, without dedicated addresses and attachments' gigabytes
ADDRESS_DAY = 1_000_000  # mails a day that receivers take from a warmed-up address
MONTH_HOURS, MONTH_DAYS = 730, 30.4


@dataclasses.dataclass
class Rules:
    """What the Terraform files say."""
    couriers_target: float
    warm_up: float
    api_target: float
    api_out: float
    api_in: float
    zones: int
    instance_type: str
    couriers: tuple  # least, most, in a zone
    api: dict
    fixed_month: float  # all but what follows the day: README.md


def take(text, pattern, where):
    found = re.search(pattern, text, re.DOTALL)
    if not found:
        raise SystemExit(f"capacity: {where} has no {pattern} any more: adapt bench/capacity.py")
    return found.groups() if len(found.groups()) > 1 else found[1]


def read_rules():
    couriers = (TERRAFORM / "modules/couriers/instances.tf").read_text()
    service = (TERRAFORM / "modules/service/scaling.tf").read_text()
    example = (TERRAFORM / EXAMPLE).read_text()
    readme = (TERRAFORM / "README.md").read_text()
    load = take(couriers, r'(resource "aws_autoscaling_policy" "load".*?\n}\n)', "couriers/instances.tf")
    processor = take(service, r'(resource "aws_appautoscaling_policy" "processor".*?\n}\n)', "service/scaling.tf")
    api = take(example, r"api +=\s*\{ cpu = (\d+), memory = (\d+), least = (\d+), most = (\d+) \}", EXAMPLE)
    group = take(example, r'couriers = \{ instance_type = "([\w.]+)", memory = \d+, least = (\d+), most = (\d+) \}', EXAMPLE)
    zones = take(example, r"zones = \[(.*?)\]", EXAMPLE)
    if take(load, r'metric_name = "(\w+)"', "couriers/instances.tf") != "CourierLoad":
        raise SystemExit("capacity: couriers follow another figure than the one that is played")
    together = float(take(readme, r"\*\*together\*\* \| \*\*[\d,]+\*\* \| \*\*([\d,]+)\*\*", "README.md").replace(",", ""))
    of_couriers = float(take(readme, r"\| couriers \(.*?\) \| \d+ \| (\d+) \|", "README.md"))
    return Rules(
        couriers_target=float(take(load, r"target_value = (\d+)", "couriers/instances.tf")),
        warm_up=float(take(couriers, r"default_instance_warmup += (\d+)", "couriers/instances.tf")),
        api_target=float(take(processor, r"target_value += (\d+)", "service/scaling.tf")),
        api_out=float(take(processor, r"scale_out_cooldown = (\d+)", "service/scaling.tf")),
        api_in=float(take(processor, r"scale_in_cooldown += (\d+)", "service/scaling.tf")),
        zones=zones.count("var.region"), instance_type=group[0], couriers=(int(group[1]), int(group[2])),
        api=dict(zip(("cpu", "memory", "least", "most"), map(int, api))), fixed_month=together - of_couriers)


def read_costs():
    """Seconds of the engine's processor: to send a bulk mail, to accept a transaction (docs/scale.md, measured)."""
    row = take((ROOT / "docs/scale.md").read_text(), r"\| engine, processor time \| \d+ us \| (\d+) us \| (\d+) us \|",
               "docs/scale.md")
    send, all_in = (int(each) * 1e-6 for each in row)
    return send, all_in - send


def play(player, curve, rules, accept):
    values = {"day_mails": DAY_MAILS, "pace": PACE, "accept_seconds": f"{accept:.6f}",
              "api_processors": rules.api["cpu"] / 1024, "zones": rules.zones,
              "couriers_target": rules.couriers_target, "couriers_least": rules.couriers[0],
              "couriers_most": rules.couriers[1], "couriers_warm_up": rules.warm_up, "api_target": rules.api_target,
              "api_least": rules.api["least"], "api_most": rules.api["most"], "api_out": rules.api_out,
              "api_in": rules.api_in}
    said = subprocess.run([player, curve, *(f"{name}={value}" for name, value in values.items())],
                          capture_output=True, text=True)
    if said.returncode != 0:
        raise SystemExit(said.stderr)
    lines = said.stdout.splitlines()
    names = lines[0].split("\t")
    rows = [dict(zip(names, map(float, line.split("\t")))) for line in lines[1:] if not line.startswith("#")]
    whole = {name: float(value) for name, value in re.findall(r"# (\w+)\t(\S+)", said.stdout)}
    return rows, whole


def costs_of(rows, rules):
    """Dollars since the day began, at the end of each minute: couriers and tasks of the API."""
    instance = INSTANCE_HOUR[rules.instance_type] / 60
    task = (rules.api["cpu"] / 1024 * FARGATE_CPU_HOUR + rules.api["memory"] / 1024 * FARGATE_GB_HOUR) / 60
    sum_, made = 0.0, []
    for row in rows:
        sum_ += row["paid"] * instance + row["api"] * task
        made.append(sum_)
    return made


def span(numbers):
    low, high = int(min(numbers)), int(max(numbers))
    return f"{low}" if low == high else f"{low} to {high}"


def days(player, rules):
    """[(curve, rows, whole, dollars)]"""
    accept = read_costs()[1]
    return [(curve, *(lambda played: (*played, costs_of(played[0], rules)))(play(player, curve, rules, accept)))
            for curve in CURVES]


def table_of_days(played, language):
    heads = (("day", "mails", "oldest that waits", "couriers", "tasks of the API", "changes of number",
              "couriers and API, 24 hours"),
             ("日", "通数", "最長の待ち", "courier", "API のタスク", "台数の変更", "courier と API、24 時間"))[language]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(['---'] * len(heads))} |"]
    for curve, rows, whole, dollars in played:
        first = rows[: 24 * 60]
        oldest = max(row["oldest_seconds"] for row in rows)
        minutes = f"{round(oldest / 60)}" + (" minutes", " 分")[language] if oldest >= 60 else ("seconds", "数秒")[language]
        counts = [span([row[name] for row in rows]) for name in ("paid", "api")]
        if language:
            counts = [count.replace(" to ", "～") for count in counts]
        lines.append(f"| {NAMES[curve][language]} | {first[-1]['arrived'] / 1e6:.1f} M | {minutes} | {counts[0]} | "
                     f"{counts[1]} | {whole['scalings']:.0f} | {dollars[24 * 60 - 1]:.2f} USD |")
    return lines


@dataclasses.dataclass
class Size:
    mails: int  # a day
    where: tuple
    tasks: str
    database: tuple
    month: float


def sizes(rules):
    """Of a day of so many mails, the busiest hour three times the average."""
    courier_month = INSTANCE_HOUR[rules.instance_type] * MONTH_HOURS
    minimal = float(take((TERRAFORM / "README.md").read_text(), r"\*\*together\*\* \| \*\*([\d,]+)\*\*", "README.md").replace(",", ""))
    least = rules.zones * rules.couriers[0]
    made = [Size(100_000, ("`minimal`", "`minimal`"), "1", ("db.t4g", "db.t4g"), minimal),
            Size(1_000_000, ("`minimal`", "`minimal`"), "1", ("db.t4g", "db.t4g"), minimal),
            Size(10_000_000, ("`production`", "`production`"), f"{least}", ("db.r7g.xlarge", "db.r7g.xlarge"),
                 rules.fixed_month + least * courier_month)]
    # Ten times that: twice the couriers' pace at the busiest, the database four times as large.
    couriers = -(-100_000_000 * 3 // 86_400 // PACE * 10 // 7)
    larger = rules.fixed_month + couriers * courier_month + 3 * 790 + (100 - 12) * ADDRESS_HOUR * MONTH_HOURS
    made.append(Size(100_000_000, ("`production`, larger", "`production` を拡大"), f"{couriers}",
                     ("db.r7g.4xlarge", "db.r7g.4xlarge"), larger))
    return made


# What a million mails cost besides: traffic, and calls of SQS (docs/scale.md: 0.3 of a transaction, 0.004 of bulk).
MOVING = 1e6 * MAIL_GB * OUT_GB + (0.3 * 0.3 + 0.7 * 0.004) * SQS_MILLION


def per_million(size):
    """Dollars, all in."""
    return size.month / (size.mails * MONTH_DAYS) * 1e6 + MOVING


def table_of_sizes(rules, language):
    heads = (("mails a day", "installation", "couriers", "addresses", "database", "processors that send", "disk a day kept",
              "USD a month", "USD a million mails", "SES, a million"),
             ("1 日の通数", "構成", "courier", "IP アドレス", "データベース", "送信に使う CPU", "保存 1 日のディスク", "USD/月", "USD/100 万通",
              "SES、100 万通"))[language]
    send, accept = read_costs()
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(['---'] * len(heads))} |"]
    for size in sizes(rules):
        busiest = size.mails * 3 / 86_400
        processors = busiest * (send + 0.3 * accept)
        disk = size.mails * (0.7 * 426 + 0.3 * 2_946) / 1e9
        addresses = max(1, -(-size.mails // ADDRESS_DAY))
        month = per_million(size) * size.mails * MONTH_DAYS / 1e6
        lines.append(f"| {size.mails:,} | {size.where[language]} | {size.tasks} | {addresses} | {size.database[language]} | "
                     f"{processors:.2f} | {disk:,.1f} GB | {month:,.0f} | {per_million(size):,.2f} | "
                     f"{SES_THOUSAND * 1_000:.0f} |")
    return lines


def break_even(rules):
    """Mails a month from which `minimal` and `production` cost less than SES."""
    return [size.month / (SES_THOUSAND * 1_000 - MOVING) * 1e6 for size in (sizes(rules)[0], sizes(rules)[2])]


def texts(player):
    """{page: {part: text}}, the plot"""
    rules = read_rules()
    played = days(player, rules)
    pages = {}
    for language, page in enumerate(PAGES):
        less = [f"{each / 1e6:.1f}" for each in break_even(rules)]
        pages[page] = {
            "days": "\n".join(table_of_days(played, language)) + "\n",
            "sizes": "\n".join(table_of_sizes(rules, language)) + "\n",
            "even": (f"`minimal` costs less than SES from {less[0]} million mails a month on, `production` from {less[1]} million.\n",
                     f"SES より安くなるのは、`minimal` で月 {less[0]} 百万通から、`production` で月 {less[1]} 百万通からです。\n")[language]}
    titles = {curve: NAMES[curve][0] for curve in CURVES}
    return pages, capacity_plot.drawn([(titles[curve], rows, dollars) for curve, rows, _, dollars in played])


def put_in(text, parts):
    for name, part in parts.items():
        text, times = re.subn(rf"(?s)(<!-- {name} -->\n).*?(<!-- /{name} -->\n)", lambda found: found[1] + part + found[2], text)
        if times != 1:
            raise SystemExit(f"capacity: a page has not one part {name}")
    return text


def main():
    words = [word for word in sys.argv[1:] if word != "--write"]
    if len(words) != 1 or words[0].startswith("-"):
        sys.exit(__doc__.strip())
    pages, plot = texts(words[0])
    if "--write" not in sys.argv:
        return print("\n".join(pages[PAGES[0]].values()))
    for page, parts in pages.items():
        path = ROOT / page
        path.write_text(put_in(path.read_text(), parts))
    (ROOT / PLOT).write_text(plot)


if __name__ == "__main__":
    main()
