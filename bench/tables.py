"""The figures as text: one question's table, the table of the budgets, and docs/performance.md."""

import json
import os

from asking import HERE, ROOT, SYSTEM, TENON

DOC = os.path.join(ROOT, "docs", "performance.md")
BEGIN, END = "<!-- measured: written by bench/run --doc -->", "<!-- end of what was measured -->"
BUDGETS_BEGIN, BUDGETS_END = "<!-- budgets: written by bench/run --doc -->", "<!-- end of the budgets -->"

HEAD = ["figure", "unit", "Tenon", "system", "times better", "spread", "budget", ""]
BUDGET_HEAD = ["figure", "system", "Tenon", "times better", "spread", "best peer", "must reach", ""]


def budgets():
    """The rows of the table of budgets in its order. A row: what, key, best_peer (measured once on another machine),
    and one of ratio (times better than the system's library), at_most, at_least."""
    with open(os.path.join(HERE, "budgets.json"), encoding="utf-8") as file:
        return json.load(file)


def number(value):
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def verdict(figure, budget):
    """(the budget in words, whether it is met); empty where there is none."""
    if budget is None:
        return "", ""
    if "ratio" in budget:
        words, met = f"≥ {budget['ratio']} times", figure.get("ratio", 0) >= budget["ratio"]
    elif "at_most" in budget:
        words, met = f"≤ {budget['at_most']}", figure[TENON] <= budget["at_most"]
    else:
        words, met = f"≥ {budget['at_least']}", figure[TENON] >= budget["at_least"]
    return words, "met" if met else "missed"


def ratio_and_spread(figure):
    if "ratio" not in figure:
        return "", ""
    return f"{figure['ratio']:.2f}", f"{figure['ratio_low']:.2f} to {figure['ratio_high']:.2f}"


def peers_of(figures):
    """The names of the libraries beside Tenon and the system's."""
    names = []
    for figure in figures:
        names += [name for name in figure.get("peers", {}) if name not in names]
    return names


def question_table(figures):
    """[[cell]] with its head first. Tables with other libraries have those instead of budgets."""
    others = peers_of(figures)
    if others:
        return [HEAD[:6] + others] + [
            [figure["key"], figure["unit"], number(figure[TENON]), number(figure[SYSTEM]), *ratio_and_spread(figure),
             *(number(figure["peers"][name]) if name in figure.get("peers", {}) else "–" for name in others)]
            for figure in figures]
    wanted = {budget["key"]: budget for budget in budgets()}
    return [HEAD] + [[figure["key"], figure["unit"], number(figure[TENON]), number(figure[SYSTEM]),
                      *ratio_and_spread(figure), *verdict(figure, wanted.get(figure["key"]))] for figure in figures]


def with_unit(figure, name):
    short = {"bytes", "MB/s", "/s", "ns", "us"}
    return number(figure[name]) + (f" {figure['unit']}" if figure["unit"] in short else "")


def budget_table(results):
    """[[cell]] of the table of budgets; a figure nobody asked for yet is said to be so."""
    figures = {figure["key"]: figure for result in results for figure in result["figures"]}
    rows = [BUDGET_HEAD]
    for budget in budgets():
        figure = figures.get(budget["key"])
        if figure is None:
            rows.append([budget["what"], "", "", "", "", budget["best_peer"], "", "not asked"])
            continue
        words, met = verdict(figure, budget)
        rows.append([budget["what"], with_unit(figure, SYSTEM), with_unit(figure, TENON), *ratio_and_spread(figure),
                     budget["best_peer"], words, met])
    return rows


def print_table(rows):
    left = {i for i, name in enumerate(rows[0]) if name in ("figure", "unit", "budget", "must reach", "best peer", "")}
    widths = [max(len(cells[i]) for cells in rows) for i in range(len(rows[0]))]
    for cells in rows:
        print("  ".join(cell.ljust(width) if i in left else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(cells, widths))).rstrip())
    print(flush=True)


def markdown(rows):
    words = ("figure", "unit", "budget", "must reach", "best peer", "spread", "")
    return ["| " + " | ".join(rows[0]) + " |", "|" + "|".join("---" if name in words else "--:" for name in rows[0]) + "|",
            *("| " + " | ".join(cells) + " |" for cells in rows[1:])]


def where_and_when(result):
    """A result's machine and moment in a sentence."""
    m = result["machine"]
    versions = "".join(f", {name} {value}" for name, value in m.get("versions", {}).items())
    return (f"{result['rounds']} rounds on {m['cpu']}, {m['logical_cpus']} logical CPUs (load {m['load_average']}), "
            f"{m['system']}, {m['libcrypto']}{versions}, Tenon at {m['tenon_commit']}.")


def put_between(text, begin, end, lines):
    before, rest = text.split(begin)
    return before + "\n".join([begin, "", *lines, "", end]) + rest.split(end)[1]


def write_doc(results):
    with open(DOC, encoding="utf-8") as file:
        text = file.read()
    text = put_between(text, BUDGETS_BEGIN, BUDGETS_END, markdown(budget_table(results)))
    lines = []
    for result in results:
        lines += [f"### {result['question']}", "", where_and_when(result), "",
                  *markdown(question_table(result["figures"])), ""]
    text = put_between(text, BEGIN, END, lines[:-1])
    with open(DOC, "w", encoding="utf-8") as file:
        file.write(text)
