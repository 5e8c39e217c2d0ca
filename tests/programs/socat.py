"""socat: OPENSSL-LISTEN and OPENSSL addresses."""

import time

ABOUT = "OPENSSL and OPENSSL-LISTEN, certificates checked both ways, 2 MB through"
PACKAGES = ["socat"]


def run(t):
    data = t.random_file("data", 2_000_000)
    for tenon_serves in (True, False):
        port = t.port()
        t.start(["socat", "-u", f"FILE:{data}", f"OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,cert={t.certs.server[2]},"
                 f"cafile={t.certs.ca},verify=1"], tenon=tenon_serves)
        time.sleep(0.7)
        t.run(["socat", "-u", f"OPENSSL:localhost:{port},cafile={t.certs.ca},cert={t.certs.client[2]},verify=1",
               f"CREATE:{t.path('got')}"], tenon=not tenon_serves)
        t.expect((t.dir / "got").read_bytes() == (t.dir / "data").read_bytes(), "other bytes came through")
