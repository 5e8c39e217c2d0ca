"""siege: another load generator."""

import json

from toolbox import start_nginx

ABOUT = "5 users, 40 requests each: none fails"
PACKAGES = ["siege", "nginx"]


def run(t):
    t.write("www/data", "x" * 1000)
    port = start_nginx(t)
    shown = t.run(["siege", "-b", "-c", "5", "-r", "40", "-j", f"https://localhost:{port}/data"])
    result = json.loads(shown[shown.index("{"):])
    t.expect(result["transactions"] == 200 and result["failed_transactions"] == 0, shown)
