"""Charts as SVG text, readable on a light and on a dark ground, without anything from elsewhere."""

import math
from html import escape

WIDTH = 720
LABEL_WIDTH = 210
VALUE_WIDTH = 78
BAR = 13
GAP = 12

# Series: (light, dark) colour.
COLOURS = {
    "Tenon": ("#1d5fd1", "#6ea8ff"),
    "OpenSSL 3.0": ("#9aa3ad", "#8b949e"),
    "GnuTLS": ("#b4530a", "#f0a04b"),
    "wolfSSL": ("#8b3fb8", "#c792ea"),
    "mbedTLS": ("#0b7a5c", "#4ec9a5"),
    "plain TCP": ("#4a5560", "#c9d1d9"),
    "Tenon, reading": ("#1d9bd1", "#8fd0ff"),
    "OpenSSL 3.0, reading": ("#c3c9cf", "#5f6871"),
}


def css_class(series):
    return "s-" + "".join(c if c.isalnum() else "-" for c in series.lower())


def style():
    """The rules that all charts of a page share."""
    light = "".join(f".{css_class(name)}{{fill:{a};stroke:{a}}}" for name, (a, _) in COLOURS.items())
    dark = "".join(f".{css_class(name)}{{fill:{b};stroke:{b}}}" for name, (_, b) in COLOURS.items())
    return ("text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#24292f;stroke:none}"
            "text.title{font-weight:600;font-size:14px}text.small{font-size:11px;fill:#57606a}"
            "line.grid{stroke:#d0d7de;stroke-width:1}line.one{stroke:#57606a;stroke-width:1}"
            "rect.bar{stroke:none}path.line{fill:none;stroke-width:2.5}" + light +
            "path.line.line{fill:none}"
            "@media(prefers-color-scheme:dark){text{fill:#e6edf3}text.small{fill:#9aa4ae}"
            "line.grid{stroke:#30363d}line.one{stroke:#9aa4ae}" + dark + "path.line.line{fill:none}}")


def text(x, y, words, anchor="start", kind=""):
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(words)}</text>'


def rect(x, y, width, height, series):
    return (f'<rect class="bar {css_class(series)}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" '
            f'height="{height}" rx="2"/>')


def line(x1, y1, x2, y2, kind):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def short(value):
    """A value as people say it."""
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def legend(series, y):
    """A row of names with their colours, and where it ends."""
    parts, x = [], 0.0
    for name in series:
        parts += [rect(x, y - 10, 12, 12, name), text(x + 17, y, name)]
        x += 17 + 7.2 * len(name) + 18
    return parts


def whole(parts, height, title, own_style):
    css = f"<style>{style()}</style>" if own_style else ""
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
            f'height="{height:.0f}" role="img" aria-label="{escape(title)}">{css}{"".join(parts)}</svg>')


def bars(title, unit, rows, series, own_style=False):
    """Horizontal bars. rows: (label, {series: value}); a series may be absent from a row. Zero has its number only."""
    most = max(value for _, values in rows for value in values.values()) or 1
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    parts = [text(0, 16, title, kind="title"), text(WIDTH, 16, unit, "end", "small"), *legend(series, 38)]
    y = 56.0
    for label, values in rows:
        shown = [name for name in series if name in values]
        middle = y + len(shown) * BAR / 2 + 4
        parts.append(text(LABEL_WIDTH - 10, middle, label, "end"))
        for name in shown:
            length = values[name] / most * room
            if values[name] > 0:
                parts.append(rect(LABEL_WIDTH, y, length, BAR - 2, name))
            parts.append(text(LABEL_WIDTH + length + 6, y + BAR - 4, short(values[name]), kind="small"))
            y += BAR
        y += GAP
    return whole(parts, y, title, own_style)


def ratios(title, unit, rows, own_style=False):
    """Bars on a logarithmic scale that begins at once, 1. rows: (label, ratio, note)."""
    most = max(ratio for _, ratio, _ in rows)
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 150
    least = min(1.0, min(ratio for _, ratio, _ in rows))
    low, high = math.log(least), math.log(most)

    def at(value):
        return LABEL_WIDTH + 30 + (math.log(value) - low) / (high - low or 1) * room

    bottom = 70 + len(rows) * 22
    parts = [text(0, 16, title, kind="title"), text(0, 33, unit, kind="small")]
    steps = (1, 2, 5) if most <= 1000 else (1,)
    for tick in (t for t in (step * 10**e for e in range(7) for step in steps) if least <= t <= most):
        parts += [line(at(tick), 60, at(tick), bottom, "one" if tick == 1 else "grid"),
                  text(at(tick), 55, f"{tick}×", "middle", "small")]
    for i, (label, ratio, note) in enumerate(rows):
        y = 68 + i * 22
        left, right = sorted((at(1), at(ratio)))
        parts += [text(LABEL_WIDTH + 20, y + 11, label, "end"), rect(left, y, right - left, 14, "Tenon"),
                  text(max(left, right) + 6, y + 11, f"{short(ratio)}×"),
                  text(WIDTH, y + 11, note, "end", "small")]
    return whole(parts, bottom + 6, title, own_style)


def lines(title, unit, points, own_style=False):
    """Lines over sizes in bytes on a logarithmic axis. points: {series: [(size, value)]}."""
    top, height, left, right = 56, 250, 60, WIDTH - 20
    sizes = sorted({size for pairs in points.values() for size, _ in pairs})
    most = max(value for pairs in points.values() for _, value in pairs)
    step = 10 ** math.floor(math.log10(most))
    step = step if most / step > 4 else step / 2 if most / step > 2 else step / 5

    def x_of(size):
        return left + (math.log(size) - math.log(sizes[0])) / (math.log(sizes[-1]) - math.log(sizes[0])) * (right - left)

    def y_of(value):
        return top + height - value / most * height

    parts = [text(0, 16, title, kind="title"), text(WIDTH, 16, unit, "end", "small"), *legend(points, 38)]
    tick = 0.0
    while tick <= most:
        parts += [line(left, y_of(tick), right, y_of(tick), "grid"),
                  text(left - 8, y_of(tick) + 4, f"{tick:.3g}", "end", "small")]
        tick += step
    for size in sizes:
        words = f"{size} B" if size < 1024 else f"{size >> 10} KB" if size < 1 << 20 else f"{size >> 20} MB"
        anchor = "end" if size == sizes[-1] else "middle"
        parts.append(text(x_of(size), top + height + 18, words, anchor, "small"))
    for name, pairs in points.items():
        dashes = ' stroke-dasharray="5 4"' if name.endswith("reading") else ""
        path = " ".join(f"{'M' if i == 0 else 'L'}{x_of(s):.1f} {y_of(v):.1f}" for i, (s, v) in enumerate(sorted(pairs)))
        parts.append(f'<path class="line {css_class(name)}" d="{path}"{dashes}/>')
        parts += [f'<circle class="{css_class(name)}" cx="{x_of(s):.1f}" cy="{y_of(v):.1f}" r="3"/>' for s, v in pairs]
    return whole(parts, top + height + 28, title, own_style)
