"""memcached: its text protocol over TLS."""

import os
import socket
import ssl

ABOUT = "set and get of its text protocol over TLS 1.2 and 1.3, client certificates demanded"
PACKAGES = ["memcached"]


def run(t):
    port = t.port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    t.start(["memcached", "-l", "127.0.0.1", "-p", str(port), "-Z", *user, "-o",
             f"ssl_chain_cert={t.certs.server[0]},ssl_key={t.certs.server[1]},ssl_ca_cert={t.certs.ca},ssl_verify_mode=2"],
            port=port)
    value = b"v" * 100_000
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=t.certs.ca)
        context.load_cert_chain(t.certs.client[0], t.certs.client[1])
        context.maximum_version = version
        with socket.create_connection(("127.0.0.1", port), 20) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as s:
            for command, want in ((b"set key 0 0 %d\r\n%s\r\n" % (len(value), value), b"STORED\r\n"),
                                  (b"get key\r\n", b"VALUE key 0 %d\r\n%s\r\nEND\r\n" % (len(value), value))):
                s.sendall(command)
                got = b""
                while len(got) < len(want) and (part := s.recv(65536)):
                    got += part
                t.expect(got == want, f"another answer: {got[:200]!r}")
