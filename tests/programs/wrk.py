"""wrk: a load of connections on a server."""

import re

from toolbox import start_nginx

ABOUT = "20 connections for 3 s, on nginx on Tenon and on the system's library: no error"
PACKAGES = ["wrk", "nginx"]


def run(t):
    t.write("www/data", "x" * 1000)
    for tenon in (True, False):
        port = start_nginx(t, tenon=not tenon)
        for words in ([], ["-H", "Connection: close"]):
            shown = t.run(["wrk", "-t", "1", "-c", "20", "-d", "3", *words, f"https://localhost:{port}/data"], tenon=tenon)
            t.expect(int(re.search(r"(\d+) requests in", shown).group(1)) > 50, f"few requests: {shown}")
            t.expect("Socket errors" not in shown and "Non-2xx" not in shown, f"errors: {shown}")
