"""The openssl command itself: server, client, list of suites, timing of handshakes."""

import time

ABOUT = "s_server and s_client both ways, with client certificates; ciphers; s_time"
PACKAGES = ["openssl"]


def run(t):
    t.expect(t.run(["openssl", "ciphers", "-v", "ALL:@SECLEVEL=0"]) == t.stock(["openssl", "ciphers", "-v",
                                                                              "ALL:@SECLEVEL=0"]), "ciphers differ")
    for tenon_serves in (True, False):
        port = t.port()
        server = t.start(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", t.certs.server[0], "-key",
                          t.certs.server[1], "-CAfile", t.certs.ca, "-verify", "2", "-www", "-alpn", "http/1.1"],
                         port=port, tenon=tenon_serves)
        for version in ("-tls1_2", "-tls1_3"):
            shown = t.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", t.certs.ca, "-cert",
                           t.certs.client[0], "-key", t.certs.client[1], "-verify_return_error", "-verify_hostname",
                           "localhost", "-alpn", "http/1.1", "-ign_eof", version],
                          input="GET / HTTP/1.0\r\n\r\n", tenon=not tenon_serves)
            for part in ("Verify return code: 0 (ok)", "ALPN protocol: http/1.1", "Ciphers supported in s_server"):
                t.expect_in(part, shown)
        t.expect_in("connections in", t.run(["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-time", "1", "-new",
                                            "-www", "/"], tenon=not tenon_serves))
        time.sleep(0.1)
        t.stop(server)
