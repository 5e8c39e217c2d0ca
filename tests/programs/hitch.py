"""Hitch: a TLS proxy in front of a plain server."""

import os

ABOUT = "a TLS proxy with several worker processes, hosts by SNI, HTTP behind it"
PACKAGES = ["hitch", "curl"]


def run(t):
    port, behind = t.port(), t.port()
    t.random_file("www/data", 2_000_000)
    t.start(["python3", "-m", "http.server", "--bind", "127.0.0.1", "-d", t.path("www"), str(behind)], port=behind,
            tenon=False)
    user = "user = \"nobody\"\ngroup = \"nogroup\"\n" if os.geteuid() == 0 else ""
    config = t.write("hitch.conf", f'frontend = "[127.0.0.1]:{port}"\nbackend = "[127.0.0.1]:{behind}"\nworkers = 2\n{user}'
                     f'pem-file = "{t.certs.server[2]}"\npem-file = "{t.certs.other[2]}"\n'
                     'tls-protos = TLSv1.2 TLSv1.3\nalpn-protos = "http/1.1"\n')
    t.start(["hitch", "--config", config], port=port)
    want = (t.dir / "www/data").read_bytes()
    for words in (["--tlsv1.3"], ["--tls-max", "1.2"]):
        t.stock(["curl", "-sS", "--cacert", t.certs.ca, *words, "-o", t.path("got"), f"https://localhost:{port}/data"])
        t.expect((t.dir / "got").read_bytes() == want, f"curl {words}: other bytes")
    t.stock(["curl", "-sS", "--cacert", t.certs.ca, "--resolve", f"name.test:{port}:127.0.0.1", "-o", t.path("got"),
             f"https://name.test:{port}/data"])
