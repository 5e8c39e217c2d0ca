"""Ncat: a chat over TLS, both ends."""

import time

ABOUT = "ncat --ssl both ways, certificate verified"
PACKAGES = ["ncat"]


def run(t):
    data = t.random_file("data", 1_000_000)
    for tenon_serves in (True, False):
        port = t.port()
        t.start(["sh", "-c", f"exec ncat --ssl --ssl-cert {t.certs.server[0]} --ssl-key {t.certs.server[1]} --send-only "
                 f"-l 127.0.0.1 {port} <{data}"], tenon=tenon_serves)
        time.sleep(0.7)
        t.run(["sh", "-c", f"exec ncat --ssl-verify --ssl-trustfile {t.certs.ca} --recv-only localhost {port} "
               f">{t.path('got')}"], tenon=not tenon_serves)
        t.expect((t.dir / "got").read_bytes() == (t.dir / "data").read_bytes(), "other bytes came through")
