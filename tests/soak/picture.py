"""Draws samples as a picture: one panel for each figure, minutes from left to right. SVG, no library."""

import math

WIDTH, PANEL, LEFT, RIGHT, TOP = 760, 120, 70, 20, 30
COLOURS = ("#2563a8", "#c2571a", "#9a9a9a")
PANELS = (("Memory (RSS, MiB)", ("memory_mib",), False), ("Descriptors", ("descriptors",), False),
          ("Threads", ("threads",), False), ("Time of a read (ms): median, 99th percentile, slowest",
                                             ("p50_ms", "p99_ms", "max_ms"), True))


def scale(low, high, logarithmic):
    """Maps a value to 0 … 1."""
    if logarithmic:
        low, high = math.log10(low), math.log10(high)
        return lambda value: (math.log10(max(value, 1e-3)) - low) / (high - low)
    return lambda value: (value - low) / (high - low)


def range_of(rows, names, logarithmic):
    values = [row[name] for row in rows for name in names]
    if logarithmic:
        return 10 ** math.floor(math.log10(max(min(values), 1e-2))), 10 ** math.ceil(math.log10(max(*values, 1.0)))
    return 0, max(values) * 1.15 or 1


def panel(rows, index, title, names, logarithmic):
    top = TOP + index * (PANEL + TOP)
    low, high = range_of(rows, names, logarithmic)
    place = scale(low, high, logarithmic)
    last = rows[-1]["minute"] or 1

    def point(row, name):
        x = LEFT + (WIDTH - LEFT - RIGHT) * row["minute"] / last
        y = top + PANEL * (1 - min(1, max(0, place(row[name]))))
        return f"{x:.1f},{y:.1f}"

    parts = [f'<text x="{LEFT}" y="{top - 8}" font-weight="bold">{title}</text>',
             f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL}" fill="none" stroke="#bbb"/>']
    marks = ([10 ** n for n in range(round(math.log10(low)), round(math.log10(high)) + 1)] if logarithmic
             else [low + (high - low) * n / 4 for n in range(5)])
    for mark in marks:
        y = top + PANEL * (1 - place(mark))
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eee"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{mark:.3g}</text>')
    for name, colour in reversed(list(zip(names, COLOURS))):
        line = " ".join(point(row, name) for row in rows)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
    return parts


def draw(rows, path):
    height = TOP + len(PANELS) * (PANEL + TOP) + 10
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
             'font-size="11">', f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    for index, (title, names, logarithmic) in enumerate(PANELS):
        parts += panel(rows, index, title, names, logarithmic)
    last = rows[-1]["minute"]
    for n in range(7):
        x = LEFT + (WIDTH - LEFT - RIGHT) * n / 6
        parts.append(f'<text x="{x:.1f}" y="{height - 12}" text-anchor="middle">{last * n / 6:.0f} min</text>')
    path.write_text("\n".join([*parts, "</svg>\n"]), encoding="utf-8")
