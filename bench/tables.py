"""The figures as text: one question's table, the table of the budgets, and docs/performance.md."""

import json
import os

from asking import HERE, ROOT, SYSTEM, TENON

DOC = os.path.join(ROOT, "docs", "performance.md")
BEGIN, END = "<!-- measured: written by bench/run --doc -->", "<!-- end of what was measured -->"
README = os.path.join(ROOT, "README.md")
README_BEGIN, README_END = "<!-- speed: written by bench/run --doc -->", "<!-- end of speed -->"
BUDGETS_BEGIN, BUDGETS_END = "<!-- budgets: written by bench/run --doc -->", "<!-- end of the budgets -->"

HEAD = ["figure", "unit", "Tenon", "system", "times better", "spread", "budget", ""]
BUDGET_HEAD = ["figure", "system", "Tenon", "times better", "spread", "best peer", "must reach", ""]

# What people ask for first: the README's chart and table.
FIRST = [
    ("SSL_write, 16 KB, AES-128-GCM", "write/aes128gcm/16384"), ("SSL_read, 16 KB", "read/aes128gcm/16384"),
    ("SSL_write, 64 bytes", "write/aes128gcm/64"), ("SSL_read, 64 bytes", "read/aes128gcm/64"),
    ("full handshakes, server", "handshake/ecdsa/server"),
    ("full handshakes, client, a chain that came before", "handshake/ecdsa/client"),
    ("the same, certificates never seen", "handshake/ecdsa-fresh/client"),
    ("TLS 1.3 resumptions, server", "resume/tls13/server"), ("TLS 1.2 resumptions, server", "resume/tls12/server"),
    ("allocations, full handshake", "counts/ecdsa/both/allocations"), ("locks, full handshake", "counts/ecdsa/both/locks"),
    ("memory, idle server", "memory/default/data/server"), ("memory, idle client", "memory/default/data/client"),
    ("system calls, 1 MiB written", "syscalls/write-1MiB"), ("SSL_new + SSL_free", "objects/SSL"),
    ("SSL_CTX_new + SSL_CTX_free", "objects/SSL_CTX"), ("CA bundle, first context", "objects/ca-file-first"),
    ("CA bundle, second context", "objects/ca-file"),
]


def budgets():
    """The rows of the table of budgets in its order. A row: what, key, best_peer (measured once on another machine),
    and one of ratio (times better than the system's library), at_most, at_least. reached: what a count that misses its
    budget has come down to, which `bench/run --check` sees to."""
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


def question_table(figures, columns=None):
    """[[cell]] with its head first. Tables with other libraries, or with columns of their own, have no budgets."""
    others = peers_of(figures)
    if columns:
        return [HEAD[:2] + columns + HEAD[4:6]] + [
            [figure["key"], figure["unit"], number(figure[TENON]), number(figure[SYSTEM]), *ratio_and_spread(figure)]
            for figure in figures]
    if others:
        return [HEAD[:6] + others] + [
            [figure["key"], figure["unit"], number(figure[TENON]), number(figure[SYSTEM]), *ratio_and_spread(figure),
             *(number(figure["peers"][name]) if name in figure.get("peers", {}) else "–" for name in others)]
            for figure in figures]
    wanted = {budget["key"]: budget for budget in budgets()}
    return [HEAD] + [[figure["key"], figure["unit"], number(figure[TENON]), number(figure[SYSTEM]),
                      *ratio_and_spread(figure), *verdict(figure, wanted.get(figure["key"]))] for figure in figures]


def told(figure, name):
    """A value as people say it."""
    value = figure[name]
    units = {"ns": " ns", "us": " µs", "MB/s": " MB/s", "/s": "/s", "bytes": " bytes"}
    if value >= 1e6:
        words = f"{value / 1e6:.3g} M"
    else:
        words = f"{value:,.0f}".replace(",", " ") if value >= 100 else f"{value:.3g}"
    return words + units.get(figure["unit"], "")


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
        rows.append([budget["what"], told(figure, SYSTEM), told(figure, TENON), *ratio_and_spread(figure),
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
    words = ("figure", "unit", "budget", "must reach", "best peer", "spread", "question", "")
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


def first_table(results):
    figures = {figure["key"]: figure for result in results for figure in result["figures"]}
    rows = [["figure", "Tenon", "OpenSSL 3.0.22", "times better", "spread", "question"]]
    rows += [[what, told(figures[key], TENON), told(figures[key], SYSTEM), *ratio_and_spread(figures[key]),
              f"`{key.split('/')[0]}`"] for what, key in FIRST if key in figures]
    return rows


def write_readme(results):
    """The README's table, the first figures only."""
    with open(README, encoding="utf-8") as file:
        text = file.read()
    loads = [result["machine"]["load_average"] for result in results]
    machine = results[-1]["machine"]
    words = (f"Taken on {machine['cpu']}, {machine['logical_cpus']} logical processors, with other work on it (load "
             f"{min(loads)} to {max(loads)}).")
    text = put_between(text, README_BEGIN, README_END, markdown(first_table(results)) + ["", words])
    with open(README, "w", encoding="utf-8") as file:
        file.write(text)


def write_doc(results):
    with open(DOC, encoding="utf-8") as file:
        text = file.read()
    text = put_between(text, BUDGETS_BEGIN, BUDGETS_END, markdown(budget_table(results)))
    lines = []
    for result in results:
        lines += [f"### {result['question']}", "", where_and_when(result), "",
                  *markdown(question_table(result["figures"], result.get("columns"))), ""]
    text = put_between(text, BEGIN, END, lines[:-1])
    with open(DOC, "w", encoding="utf-8") as file:
        file.write(text)
