"""w3m: a browser for the terminal."""

from toolbox import start_nginx

ABOUT = "shows a page over HTTPS, refuses an unknown authority"
PACKAGES = ["w3m", "nginx"]


def run(t):
    t.write("www/page.html", "<html><title>A page</title><p>with a <b>word</b></html>")
    port = start_nginx(t)
    url = f"https://localhost:{port}/page.html"
    shown = t.run(["w3m", "-dump", "-o", f"ssl_ca_file={t.certs.ca}", "-o", "ssl_verify_server=1", url])
    t.expect_in("with a word", shown)
