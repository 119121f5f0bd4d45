# SPDX-License-Identifier: Apache-2.0
"""The plot of docs/simulated-japan.md as SVG: for each world what share of a million mails is done by when. Readable on
white and on black."""

WIDTH, HEIGHT, LEFT, TOP, LEGEND = 300, 180, 48, 40, 150
INK, GRID = "#6b7280", "#9ca3af"
COLOURS = {"oracle": "#059669", "adaptive": "#2563eb", "fixed_by_rules": "#d97706", "postfix_tuned": "#dc2626",
           "postfix": "#9333ea"}
NAMES = {"oracle": "oracle", "adaptive": "adaptive", "fixed_by_rules": "fixed, by the rules",
         "postfix_tuned": "Postfix, tuned", "postfix": "Postfix"}
HOURS = 12


def points(values, x, y):
    """Of shares every five minutes, from 0 on."""
    made = [f"{x},{y + HEIGHT}"]
    for number, value in enumerate(values[: HOURS * 12], 1):
        made.append(f"{x + number / (HOURS * 12) * WIDTH:.1f},{y + HEIGHT * (1 - value):.1f}")
    # What is done stays done.
    if len(values) < HOURS * 12:
        made.append(f"{x + WIDTH},{y + HEIGHT * (1 - values[-1]):.1f}")
    return " ".join(made)


def drawn(worlds):
    """`worlds`: [(title, {strategy: shares every five minutes})]"""
    full = LEFT + len(worlds) * (WIDTH + LEFT) + LEGEND
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {TOP + HEIGHT + 40}" font-family="sans-serif" '
           f'font-size="11" fill="{INK}" role="img">',
           "<title>A million mails in three simulated worlds: the share that is done, by the hour</title>"]
    for column, (title, curves) in enumerate(worlds):
        x = LEFT + column * (WIDTH + LEFT)
        out.append(f'<text x="{x}" y="20" font-size="14" font-weight="bold">{title}</text>')
        for part in range(0, 101, 25):
            line = TOP + HEIGHT * (1 - part / 100)
            out.append(f'<path d="M{x} {line:.1f}h{WIDTH}" stroke="{GRID}" stroke-width="0.4"/>')
            out.append(f'<text x="{x - 6}" y="{line + 4:.1f}" text-anchor="end">{part} %</text>')
        for hour in range(0, HOURS + 1, 2):
            across = x + hour / HOURS * WIDTH
            out.append(f'<text x="{across:.1f}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{hour} h</text>')
        for name in reversed(COLOURS):
            out.append(f'<polyline points="{points(curves[name], x, TOP)}" fill="none" stroke="{COLOURS[name]}" '
                       'stroke-width="1.5"/>')
    for number, (name, colour) in enumerate(COLOURS.items()):
        x, y = LEFT + len(worlds) * (WIDTH + LEFT) - 24, TOP + 14 + number * 18
        out.append(f'<path d="M{x} {y - 4}h20" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{x + 26}" y="{y}">{NAMES[name]}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
