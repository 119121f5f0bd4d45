#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/simulated-japan.md, its Japanese page and docs/simulated-japan.svg, of what
`bench/run japan --curves` and `bench/run japan --training` print. The same program prints the same.

usage: bench/japan.py BENCH            prints the table
       bench/japan.py BENCH --write    puts all into the pages
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench/support"))
import japan_plot  # noqa: E402

PAGES = ("docs/simulated-japan.md", "docs/simulated-japan.ja.md")
PLOT = "docs/simulated-japan.svg"
STRATEGIES = {
    "oracle": ("oracle: knows every limit", "神託: すべての上限を知っている"),
    "adaptive": ("**adaptive**", "**適応**"),
    "fixed_by_rules": ("fixed: `rules/sites.toml`, `adaptive = false`", "固定: `rules/sites.toml`、`adaptive = false`"),
    "not_adapting": ("adaptive without adapting (the same ceilings)", "適応を外したもの（同じ上限値）"),
    "postfix": ("Postfix, as it comes", "Postfix（既定値）"),
    "postfix_tuned": ("Postfix, tuned (5 connections, failed cohorts 10)", "Postfix（調整: 接続 5、failed cohort 10）"),
    "oracle_in_rules": ("oracle below `rules/sites.toml`", "神託（`rules/sites.toml` の範囲内）"),
    "adaptive_in_rules": ("**adaptive** below `rules/sites.toml`", "**適応**（`rules/sites.toml` の範囲内）"),
}
PARTS = {"docomo": "docomo", "au": "au", "softbank": "SoftBank", "google": "Gmail", "yahoo_japan": "Yahoo! JAPAN",
         "outlook": "Outlook", "apple": "iCloud", "small hosts": "small hosts"}


def ask(program, *words):
    """Figures by name; parts {run: {part: (recipients, seconds, share)}}; curves {run: [count]}"""
    said = subprocess.run([program, *words], capture_output=True, text=True)
    if not said.stdout:
        raise SystemExit(said.stderr)
    figures, parts, curves = {}, {}, {}
    for line in said.stdout.splitlines():
        words = line.split("\t")
        if words[0] == "part":
            parts.setdefault(words[1], {})[words[2]] = (int(words[3]), float(words[4]), float(words[5]))
        elif words[0] == "curve":
            curves[words[1]] = [int(word) for word in words[2:]]
        else:
            figures[words[0]] = float(words[1])
    return figures, parts, curves


def worlds(figures):
    return sorted({found[1] for found in (re.match(r"([a-z]+\d)_seed$", name) for name in figures) if found})


def length(seconds, language):
    if seconds == 0:
        return ("not in 48 h", "48 時間以内に終わらず")[language]
    return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}"


def times(value):
    return "–" if value == float("inf") else f"{value:.2f}"


def table(figures, language):
    heads = (("world", "strategy", "time to 99 %", "of the oracle's", "refused for a limit", "lost"),
             ("世界", "方式", "99 % までの時間", "神託との比", "上限による拒否", "紛失"))[language]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(['---'] * len(heads))} |"]
    for world in worlds(figures):
        seed = f"{world[-1]} ({figures[f'{world}_seed']:.0f})"
        for name, words in STRATEGIES.items():
            of = lambda figure: figures[f"{world}_{name}_{figure}"]  # noqa: E731
            lines.append(f"| {seed} | {words[language]} | {length(of('to_99'), language)} | {times(of('vs_oracle'))} | "
                         f"{of('limit_replies'):.2f} % | {of('lost'):.0f} |")
    return "\n".join(lines) + "\n"


def table_of_parts(figures, parts, language):
    heads = (("receiver", "recipients", "oracle", "adaptive", "refused", "fixed", "refused"),
             ("受信側", "宛先数", "神託", "適応", "拒否", "固定", "拒否"))[language]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(['---'] * len(heads))} |"]
    first = worlds(figures)[0]
    for part, name in PARTS.items():
        oracle, adaptive, fixed = (parts[f"{first}_{each}"][part] for each in ("oracle", "adaptive", "fixed_by_rules"))
        shown = ("small hosts, together", "小規模ホストの合計")[language] if part == "small hosts" else name
        lines.append(f"| {shown} | {oracle[0]:,} | {length(oracle[1], language)} | {length(adaptive[1], language)} | "
                     f"{adaptive[2]:.2f} % | {length(fixed[1], language)} | {fixed[2]:.2f} % |")
    return "\n".join(lines) + "\n"


def table_of_training(figures, language):
    heads = (("seed", "adaptive, of the oracle's time", "refused", "below the rules, of the oracle's there", "refused"),
             ("seed", "適応、神託との比", "拒否", "規則の範囲内、その神託との比", "拒否"))[language]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(['---'] * len(heads))} |"]
    for world in worlds(figures):
        of = lambda name: figures[f"{world}_{name}"]  # noqa: E731
        lines.append(f"| {of('seed'):.0f} | {of('adaptive_vs_oracle'):.2f} | {of('adaptive_limit_replies'):.2f} % | "
                     f"{of('adaptive_in_rules_vs_oracle'):.2f} | {of('adaptive_in_rules_limit_replies'):.2f} % |")
    return "\n".join(lines) + "\n"


def frozen():
    text = (ROOT / "tests/sim/japan/frozen.h").read_text()
    quoted = re.search(r"kFrozen =\s*(.*?);", text, re.DOTALL)[1]
    return "".join(re.findall(r'"(.*?)"', quoted)).replace(" ", "\n")


def put_in(text, parts):
    for name, part in parts.items():
        text, count = re.subn(rf"(?s)(<!-- {name} -->\n).*?(<!-- /{name} -->\n)", lambda found: found[1] + part + found[2], text)
        if count != 1:
            raise SystemExit(f"japan: a page has not one part {name}")
    return text


def main():
    words = [word for word in sys.argv[1:] if word != "--write"]
    if len(words) != 1 or words[0].startswith("-"):
        sys.exit(__doc__.strip())
    figures, parts, curves = ask(words[0], "--curves")
    if "--write" not in sys.argv:
        return print(table(figures, 0), end="")
    training = ask(words[0], "--training")[0]
    for language, page in enumerate(PAGES):
        made = {"table": table(figures, language), "parts": table_of_parts(figures, parts, language),
                "training": table_of_training(training, language), "frozen": f"```\n{frozen()}\n```\n"}
        path = ROOT / page
        path.write_text(put_in(path.read_text(), made))
    drawn = []
    for world in worlds(figures):
        most = sum(each[0] for each in parts[f"{world}_oracle"].values())
        drawn.append((f"world {world[-1]}", {name: [count / most for count in curves[f"{world}_{name}"]]
                                             for name in japan_plot.COLOURS}))
    (ROOT / PLOT).write_text(japan_plot.drawn(drawn))


if __name__ == "__main__":
    main()
