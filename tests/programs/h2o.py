"""H2O: HTTP/2 over TLS."""

import os

ABOUT = "HTTPS and HTTP/2, hosts by SNI, TLS 1.2"
PACKAGES = ["h2o", "curl"]


def run(t):
    port = t.port()
    t.random_file("www/data", 2_000_000)
    user = "user: nobody\n" if os.geteuid() == 0 else ""
    config = t.write("h2o.conf", f"""{user}num-threads: 1
hosts:
  "localhost:{port}":
    listen: {{host: 127.0.0.1, port: {port}, ssl: {{certificate-file: {t.certs.server[0]}, key-file: {t.certs.server[1]}, neverbleed: OFF}}}}
    paths: {{"/": {{file.dir: {t.path("www")}}}}}
  "name.test:{port}":
    listen: {{host: 127.0.0.1, port: {port}, ssl: {{certificate-file: {t.certs.other[0]}, key-file: {t.certs.other[1]}, neverbleed: OFF}}}}
    paths: {{"/": {{file.dir: {t.path("www")}}}}}
""")
    t.start(["h2o", "-c", config], port=port)
    want = (t.dir / "www/data").read_bytes()
    for words in ([], ["--http2"], ["--http1.1"], ["--tls-max", "1.2"]):
        t.stock(["curl", "-sS", "--cacert", t.certs.ca, *words, "-o", t.path("got"), f"https://localhost:{port}/data"])
        t.expect((t.dir / "got").read_bytes() == want, f"curl {words}: other bytes")
    t.stock(["curl", "-sS", "--cacert", t.certs.ca, "--resolve", f"name.test:{port}:127.0.0.1", "-o", t.path("got"),
             f"https://name.test:{port}/data"])
