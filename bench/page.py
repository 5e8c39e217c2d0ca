"""The saved answers as one page with charts (bench/results/index.html), and the chart of the README (overview.svg)."""

import os
from html import escape

import charts
import tables
from asking import RESULTS, SYSTEM, TENON

OURS, THEIRS = "Tenon", "OpenSSL 3.0"
PAIR = [OURS, THEIRS]
LONGEST_BAR = 1000  # times better


class Answers:
    """The saved figures by key."""

    def __init__(self, results):
        self.results = results
        self.figures = {figure["key"]: figure for result in results for figure in result["figures"]}

    def pairs(self, names):
        """[(label, {series: value})] of the figures that have been asked for; names: (label, key)."""
        return [(label, {OURS: self.figures[key][TENON], THEIRS: self.figures[key][SYSTEM]})
                for label, key in names if key in self.figures]

    def rate_over_size(self, question, suite):
        """{library: [(size, GB/s)]}."""
        points = {TENON: [], SYSTEM: []}
        for key, figure in self.figures.items():
            if key.startswith(f"{question}/{suite}/"):
                size = int(key.rsplit("/", 1)[1])
                for name, pairs in points.items():
                    value = figure[name]
                    pairs.append((size, size / value if figure["unit"] == "ns" else value / 1000))
        return points


# ---- charts --------------------------------------------------------------------------------------

def throughput(answers, suite, title):
    written, read = answers.rate_over_size("write", suite), answers.rate_over_size("read", suite)
    points = {OURS: written[TENON], "Tenon, reading": read[TENON], THEIRS: written[SYSTEM],
              "OpenSSL 3.0, reading": read[SYSTEM]}
    points = {name: pairs for name, pairs in points.items() if pairs}
    return charts.lines(title, "GB/s over the bytes of a call", points) if points else ""


def handshakes(answers):
    names = [(f"{label}, {side}", f"handshake/{kind}/{side}")
             for kind, label in (("ecdsa", "TLS 1.3 ECDSA"), ("ecdsa-fresh", "… never seen before"),
                                 ("ecdsa-mutual", "… mutual"), ("rsa2048", "TLS 1.3 RSA-2048"),
                                 ("tls12-ecdsa", "TLS 1.2 ECDSA"), ("tls12-rsa2048", "TLS 1.2 RSA-2048"))
             for side in ("server", "client")]
    return pair_chart(answers, "Full handshakes, one side alone", "a second", names)


def resumptions(answers):
    names = [(f"{label}, {side}", f"resume/{kind}/{side}")
             for kind, label in (("tls13", "TLS 1.3"), ("tls13-early-1024", "… 1 KB early data"), ("tls12", "TLS 1.2, ticket"),
                                 ("tls12-cache", "TLS 1.2, cache"))
             for side in ("server", "client")]
    return pair_chart(answers, "Resumptions, one side alone", "a second", names)


def memory(answers):
    names = [(f"{label}{side}", f"memory/{mode}/data/{side}")
             for mode, label in (("default", ""), ("release-buffers", "release buffers, ")) for side in ("server", "client")]
    return pair_chart(answers, "Memory of an idle connection", "heap bytes", names)


def counts(answers, what):
    names = [(f"{label}, {side}", f"counts/{kind}/{side}/{what}")
             for kind, label in (("ecdsa", "TLS 1.3 full"), ("resume-tls13", "TLS 1.3 resumed"),
                                 ("tls12-ecdsa", "TLS 1.2 full"), ("resume-tls12", "TLS 1.2 resumed"))
             for side in ("server", "client")]
    return pair_chart(answers, f"{what.capitalize()} of a handshake", "calls", names)


def threads(answers, what, title, unit):
    names = [(f"{num} thread{'s' if num > 1 else ''}", f"threads/{num}/{what}") for num in (1, 2)]
    return pair_chart(answers, title, unit, names)


def pair_chart(answers, title, unit, names):
    rows = answers.pairs(names)
    return charts.bars(title, unit, rows, PAIR) if rows else ""


def tcp(answers, title, unit, cells):
    rows = []
    for label, cell in cells:
        plain, tls = (answers.figures.get(f"tcp/{cell}/{how}/cpu") for how in ("plain", "tls"))
        if tls:
            # The same measurement twice, so their middle.
            rows.append((label, {"plain TCP": (plain[TENON] + plain[SYSTEM]) / 2, OURS: tls[TENON], THEIRS: tls[SYSTEM]}))
    return charts.bars(title, unit, rows, ["plain TCP", *PAIR]) if rows else ""


def peers(answers, title, unit, names):
    rows = []
    for label, key in names:
        figure = answers.figures.get(key)
        if figure:
            rows.append((label, {OURS: figure[TENON], THEIRS: figure[SYSTEM], **figure.get("peers", {})}))
    series = PAIR + tables.peers_of(figure for figure in answers.figures.values())
    return charts.bars(title, unit, rows, series) if rows else ""


def nginx(answers):
    names = [("keep-alive, 1 KB", "keep-alive"), ("HTTP/2, 1 KB", "http2"), ("1 MB of a large file", "large-file"),
             ("TLS 1.3, a connection each", "1.3/full"), ("TLS 1.3, resumed", "1.3/resumed"),
             ("TLS 1.2, a connection each", "1.2/full"), ("TLS 1.2, resumed", "1.2/resumed")]
    return pair_chart(answers, "nginx: the worker's processor time per request", "µs",
                      [(label, f"nginx/{key}/cpu") for label, key in names])


def overview(answers, own_style):
    """How many times better than the system's library, the figures people ask for first."""
    rows = []
    for label, key in tables.FIRST:
        figure = answers.figures.get(key)
        # What is not done at all, but later and if needed, would leave no room for the rest: the table has it.
        if figure and figure.get("ratio", LONGEST_BAR + 1) <= LONGEST_BAR:
            note = f"{tables.told(figure, TENON)} : {tables.told(figure, SYSTEM)}"
            rows.append((label, figure["ratio"], note))
    return charts.ratios("Tenon beside Debian's OpenSSL 3.0.22: times better",
                         "Medians of neighbouring runs, logarithmic; on the right Tenon's figure and OpenSSL's.", rows,
                         own_style) if rows else ""


# ---- page ----------------------------------------------------------------------------------------

CSS = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;max-width:980px;margin:2rem auto;padding:0 1rem;
color:#24292f;background:#fff}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{margin:.5rem 0;max-width:46rem}
svg{display:block;max-width:100%;height:auto;margin:1.4rem 0}
.table{overflow-x:auto}table{border-collapse:collapse;font-size:12.5px;width:100%}
th,td{padding:.25rem .5rem;border-bottom:1px solid #d0d7de;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;min-width:11rem}
td.met{color:#116329;font-weight:600}td.missed{color:#a40e26;font-weight:600}
summary{cursor:pointer;margin:.4rem 0}.quiet{color:#57606a;font-size:13px}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#30363d}
td.met{color:#56d364}td.missed{color:#ff8080}.quiet{color:#9aa4ae}}
"""


def html_table(rows):
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f'<td class="{cell}">{cell}</td>' if cell in ("met", "missed")
                                    else f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>" for cells in rows[1:])
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def sections(answers):
    """[(heading, what is said under it, charts)]."""
    return [
        ("Records", "One side's calls alone, through memory. TLS 1.3.",
         [throughput(answers, "aes128gcm", "AES-128-GCM: throughput over the size of a call"),
          throughput(answers, "chacha20", "ChaCha20-Poly1305: throughput over the size of a call")]),
        ("Handshakes", "SSL_new to SSL_free, X25519, leaf and intermediate verified by the client.",
         [handshakes(answers), resumptions(answers),
          threads(answers, "rate", "Full handshakes on one thread and two, both sides", "a second"),
          threads(answers, "cpu", "Processor's time of a full handshake, both sides, on one thread and two", "µs")]),
        ("Locks, allocations, memory", "Counts are exact, whatever else the machine does.",
         [counts(answers, "allocations"), counts(answers, "locks"), memory(answers)]),
        ("nginx", "Debian's nginx, one worker, under wrk, h2load and a small client, all three on the system's library.",
         [nginx(answers)]),
        ("Beside plain TCP and other libraries", "GnuTLS, wolfSSL and mbedTLS as Debian builds them, in their own API, "
         "without tickets.",
         [tcp(answers, "What TLS costs: a stream over loopback TCP", "ns per KB, processor's time of both ends",
              [("16 KB a call", "stream")]),
          tcp(answers, "What TLS costs: messages there and back over loopback TCP", "µs, processor's time of both ends",
              [("64 bytes", "roundtrip-64"), ("1 KB", "roundtrip-1024")]),
          peers(answers, "Full handshakes, one side alone", "a second",
                [(f"TLS {v[3]}.{v[4]}, {side}", f"peers/{v}/handshake/{side}") for v in ("tls13", "tls12")
                 for side in ("server", "client")]),
          peers(answers, "AES-128-GCM, 16 KB a call", "MB/s",
                [(f"TLS {v[3]}.{v[4]}, {what}", f"peers/{v}/{what}/16384") for v in ("tls13", "tls12")
                 for what in ("write", "read")])]),
    ]


def machine_in_words(results):
    machine = results[-1]["machine"]
    loads = [result["machine"]["load_average"] for result in results]
    commits = sorted({result["machine"]["tenon_commit"] for result in results})
    return (f"{machine['cpu']}, {machine['logical_cpus']} logical processors ({', '.join(machine['cpu_features'])}), "
            f"{machine['system']}, Linux {machine['kernel']}, libssl3 {machine['system_libssl']}, ipsec-mb "
            f"{machine['ipsec_mb']}, {machine['compiler']}. Tenon at {', '.join(commits)}. Other work ran on the machine: "
            f"its load was {min(loads):.1f} to {max(loads):.1f}.")


def write_page(results):
    answers = Answers(results)
    parts = [f"<h1>Tenon measured</h1><p class='quiet'>{escape(machine_in_words(results))}</p>",
             "<p>The same programs on Debian's OpenSSL libssl and on Tenon in turn; figures are medians of several rounds, "
             "ratios those of neighbouring runs. Absolute times belong to this machine at that moment: compare ratios and "
             "counts. How it is measured, and why a budget is missed: <code>docs/performance.md</code>. To ask again: "
             "<code>make bench</code>.</p>", overview(answers, False)]
    for heading, said, drawn in sections(answers):
        drawn = [chart for chart in drawn if chart]
        if drawn:
            parts += [f"<h2>{heading}</h2><p class='quiet'>{said}</p>", *drawn]
    parts += ["<h2>The budgets</h2>", html_table(tables.budget_table(results)), "<h2>All figures</h2>"]
    for result in results:
        parts.append(f"<details><summary>{result['question']}</summary><p class='quiet'>"
                     f"{escape(tables.where_and_when(result))}</p>"
                     f"{html_table(tables.question_table(result['figures'], result.get('columns')))}</details>")
    page = ("<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Tenon measured</title>"
            "<meta name='viewport' content='width=device-width,initial-scale=1'>"
            f"<style>{CSS}{charts.style()}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n")
    for name, content in (("index.html", page), ("overview.svg", overview(answers, True) + "\n")):
        with open(os.path.join(RESULTS, name), "w", encoding="utf-8") as file:
            file.write(content)
