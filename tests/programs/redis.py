"""Redis: commands, a large value and replication over TLS with client certificates."""

import time

ABOUT = "commands, a 5 MB value and a replica over TLS, client certificates demanded"
PACKAGES = ["redis-server", "redis-tools"]


def run(t):
    port, replica = t.port(), t.port()
    tls = ["--port", "0", "--tls-cert-file", t.certs.server[0], "--tls-key-file", t.certs.server[1],
           "--tls-ca-cert-file", t.certs.ca, "--tls-replication", "yes", "--save", ""]
    t.start(["redis-server", "--tls-port", str(port), "--dir", str(t.dir), *tls], port=port)

    def cli(at, *words, tenon=False, **more):
        return t.run(["redis-cli", "--tls", "--cacert", t.certs.ca, "--cert", t.certs.client[0], "--key",
                      t.certs.client[1], "-p", str(at), *words], tenon=tenon, **more)

    for tenon in (True, False):
        t.expect(cli(port, "ping", tenon=tenon) == "PONG\n", "no PONG")
        value = "x" * 5_000_000
        t.expect(cli(port, "-x", "set", "long", input=value, tenon=tenon) == "OK\n", "set failed")
        t.expect(cli(port, "get", "long", tenon=tenon).rstrip("\n") == value, "another value came back")
    without = t.stock(["redis-cli", "--tls", "--cacert", t.certs.ca, "-p", str(port), "ping"], ok=None)
    t.expect("PONG" not in without, "a client without a certificate was let in")
    t.start(["redis-server", "--tls-port", str(replica), "--dir", str(t.dir), *tls, "--replicaof",
             f"127.0.0.1 {port}"], port=replica, tenon=False)
    for _ in range(100):
        if "master_link_status:up" in cli(replica, "info", "replication"):
            break
        time.sleep(0.1)
    t.expect(cli(replica, "get", "long").rstrip("\n") == value, "the replica has another value")
