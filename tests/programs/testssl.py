"""testssl.sh: what a scanner with its own handshakes finds at nginx on Tenon and on the system's library."""

import json

from toolbox import start_nginx

ABOUT = "finds the same at nginx on Tenon as at nginx on the system's library"
PACKAGES = ["testssl.sh", "nginx", "dnsutils"]
LONG = True
# Times of day, and what depends on the moment.
VARY = ("scanTime", "TLS_timestamp", "cert_serialNumber", "HTTP_clock_skew", "HTTP_headerTime", "engine_problem")


def findings(t, port, name):
    result = t.path(f"{name}.json")
    t.stock(["testssl", "--quiet", "--warnings", "batch", "--color", "0", "--jsonfile", result, "--ip", "127.0.0.1",
             f"localhost:{port}"], ok=None, seconds=600)
    with open(result, encoding="utf-8") as file:
        entries = json.load(file)
    return {entry["id"]: (entry["severity"], entry["finding"].replace(str(port), "PORT")) for entry in entries
            if not entry["id"].startswith(VARY)}


def run(t):
    t.write("www/page", "x")
    found = {tenon: findings(t, start_nginx(t, tenon=tenon), f"tenon-{tenon}") for tenon in (False, True)}
    t.expect(len(found[False]) > 50, f"only {len(found[False])} findings")
    differ = [f"{name}: {found[True].get(name)}, with OpenSSL {found[False].get(name)}"
              for name in sorted(set(found[True]) | set(found[False])) if found[True].get(name) != found[False].get(name)]
    t.expect(not differ, "; ".join(differ))
