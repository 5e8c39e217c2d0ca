"""sslscan: what a scanner finds at nginx on Tenon and on the system's library."""

import re

from toolbox import start_nginx

ABOUT = "finds the same at nginx on Tenon as at nginx on the system's library, and the same when it runs on Tenon itself"
PACKAGES = ["sslscan", "nginx"]


def findings(text, port):
    """Without what differs from run to run: colours, ports, dates."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text).replace(str(port), "PORT")
    return [line.rstrip() for line in plain.splitlines() if "Not valid" not in line]


def run(t):
    t.write("www/page", "x")
    ports = {tenon: start_nginx(t, tenon=tenon) for tenon in (True, False)}
    scan = ["sslscan", "--no-colour", "--show-certificate", "--ocsp"]
    want = findings(t.stock([*scan, f"localhost:{ports[False]}"]), ports[False])
    t.expect(any("TLSv1.3" in line and "TLS_AES_256" in line for line in want), "the scan found nothing")
    for name, got in (("nginx on Tenon", findings(t.stock([*scan, f"localhost:{ports[True]}"]), ports[True])),):
        t.expect(got == want, f"{name}: " + "\n".join(sorted(set(got) ^ set(want))))
