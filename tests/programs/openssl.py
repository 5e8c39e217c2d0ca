"""The openssl command itself: server, client, list of suites, timing of handshakes."""

import time

ABOUT = "s_server and s_client both ways, with client certificates; cookies with GnuTLS, too; ciphers; s_time"
PACKAGES = ["openssl", "gnutls-bin"]


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
    _forget_clients(t)


def _forget_clients(t):
    """A server that sends every client a cookie and forgets it until that comes back."""
    port = t.port()
    server = t.start(["openssl", "s_server", "-stateless", "-quiet", "-accept", f"127.0.0.1:{port}", "-cert",
                      t.certs.server[0], "-key", t.certs.server[1]], port=port)
    connect = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", t.certs.ca, "-verify_return_error"]
    done = "Verification: OK"
    for command, part in ((connect, done), (connect + ["-groups", "ffdhe4096:P-384"], done),
                          (["gnutls-cli", "--x509cafile", t.certs.ca, "-p", str(port), "localhost"],
                           "Handshake was completed")):
        t.expect_in(part, t.stock(command, input="hello\n", ok=None), command[0])
    t.stop(server)
