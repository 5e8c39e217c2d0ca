"""nghttp2: its HTTP/2 server, client and load generator."""

ABOUT = "nghttpd, nghttp and h2load: HTTP/2 over TLS, 2000 requests on 10 connections"
PACKAGES = ["nghttp2-server", "nghttp2-client"]


def run(t):
    port = t.port()
    t.random_file("www/data", 100_000)
    t.start(["nghttpd", "-a", "127.0.0.1", "-d", t.path("www"), str(port), t.certs.server[1], t.certs.server[0]], port=port)
    url = f"https://localhost:{port}/data"
    for tenon in (True, False):
        shown = t.run(["nghttp", "-nv", url], tenon=tenon)
        t.expect_in("The negotiated protocol: h2", shown)
        t.expect_in(":status: 200", shown)
        shown = t.run(["h2load", "-n", "2000", "-c", "10", "-m", "10", url], tenon=tenon)
        t.expect_in("2000 succeeded, 0 failed", shown)
