# SPDX-License-Identifier: Apache-2.0
"""The plot of docs/capacity.md as SVG: for each day, below one another, mail that comes, mail that waits longest,
couriers, and what they cost. Readable on white and on black."""

WIDTH, PANEL, GAP, LEFT, TOP = 300, 96, 42, 64, 44
INK, GRID = "#6b7280", "#9ca3af"
COLOURS = ("#2563eb", "#dc2626", "#059669", "#9333ea")


def per_second(rows):
    """Recipients that came, a second, in each minute."""
    before, made = 0.0, []
    for row in rows:
        made.append((row["arrived"] - before) / 60)
        before = row["arrived"]
    return made


PANELS = (("recipients that come, a second", lambda rows, dollars: per_second(rows)),
          ("longest wait, minutes", lambda rows, dollars: [row["oldest_seconds"] / 60 for row in rows]),
          ("couriers that are paid", lambda rows, dollars: [row["paid"] for row in rows]),
          ("couriers and API, US dollars since midnight", lambda rows, dollars: dollars))


def nice(value):
    """A round number that is not below it."""
    step = 1.0
    while step * 10 <= value:
        step *= 10
    while step > value > 0:
        step /= 10
    return next(step * each for each in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * each >= value)


def points(values, x, y, top):
    """A line through every fifth minute, and through what sticks out between."""
    made = []
    for start in range(0, len(values), 5):
        value = max(values[start:start + 5])
        across = x + start / len(values) * WIDTH
        made.append(f"{across:.1f},{y + PANEL - min(value, top) / top * PANEL:.1f}")
    return " ".join(made)


def drawn(days):
    """`days`: [(title, rows, dollars)]"""
    full = LEFT + len(days) * (WIDTH + LEFT)
    height = TOP + len(PANELS) * (PANEL + GAP) + 16
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {height}" font-family="sans-serif" '
           f'font-size="11" fill="{INK}" role="img">',
           "<title>Three days: what comes, what waits, couriers, cost</title>"]
    for number, (name, read) in enumerate(PANELS):
        y = TOP + number * (PANEL + GAP)
        series = [read(rows, dollars) for _, rows, dollars in days]
        # A bulk comes in one second: the panel shows the light, the line leaves it at the top.
        top = nice(max(sorted(each)[int(len(each) * 0.99)] for each in series)) if number == 0 else nice(
            max(max(each) for each in series))
        for column, values in enumerate(series):
            x = LEFT + column * (WIDTH + LEFT)
            if number == 0:
                out.append(f'<text x="{x}" y="16" font-size="14" font-weight="bold">{days[column][0]}</text>')
            out.append(f'<text x="{x}" y="{y - 6}">{name}</text>')
            for part in (0, 0.5, 1):
                line = y + PANEL - part * PANEL
                out.append(f'<path d="M{x} {line:.1f}h{WIDTH}" stroke="{GRID}" stroke-width="0.4"/>')
                out.append(f'<text x="{x - 6}" y="{line + 4:.1f}" text-anchor="end">{part * top:g}</text>')
            for hour in range(0, 31, 6):
                across = x + hour / 30 * WIDTH
                out.append(f'<text x="{across:.1f}" y="{y + PANEL + 16}" text-anchor="middle">{hour % 24}:00</text>')
            out.append(f'<polyline points="{points(values, x, y, top)}" fill="none" stroke="{COLOURS[number]}" '
                       f'stroke-width="1.5"/>')
    return "\n".join([*out, "</svg>"]) + "\n"
