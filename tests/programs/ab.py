"""ab: Apache's benchmark."""

from toolbox import start_nginx

ABOUT = "400 requests on 10 connections over TLS 1.2 and 1.3, kept alive and not: none fails"
PACKAGES = ["apache2-utils", "nginx"]


def run(t):
    t.write("www/data", "x" * 1000)
    port = start_nginx(t)
    for words in (["-f", "TLS1.2"], ["-f", "TLS1.3"], ["-k"]):
        shown = t.run(["ab", "-n", "400", "-c", "10", *words, f"https://localhost:{port}/data"])
        t.expect_in("Complete requests:      400", shown)
        t.expect_in("Failed requests:        0", shown)
