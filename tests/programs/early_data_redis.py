"""The example of docs/early-data.md: servers that keep one register of early data in Redis."""

import os
import pathlib

from early_data import check_replay, connect, new_session
from toolbox import record_early_flight, replay_flight, tail

ABOUT = "two servers that share a ticket secret and a Redis accept a recorded flight once; without Redis never"
PACKAGES = ["redis-server", "redis-tools", "libhiredis-dev", "libssl-dev", "gcc", "openssl"]

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "examples" / "early_data_redis.c"


class Server:
    """One of the example's."""

    def __init__(self, t, program, redis, secret):
        self.port = t.port()
        self.process = t.start([program, str(self.port), t.certs.server[0], t.certs.server[1], str(redis)],
                               port=self.port, env={"TENON_TICKET_SECRET_FILE": secret})

    def accepted(self, line):
        return tail(self.process.log, 1_000_000).count(f"early: {line}")


def run(t):
    program = t.path("early_data_redis")
    t.stock(["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, str(SOURCE), "-lssl",
             "-lcrypto", "-lhiredis"])
    secret = t.path("secret")
    pathlib.Path(secret).touch(mode=0o600)
    pathlib.Path(secret).write_bytes(os.urandom(48))
    redis_port = t.port()
    redis = t.start(["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--dir", str(t.dir), "--save", ""],
                    port=redis_port, tenon=False)
    servers = [Server(t, program, redis_port, secret) for _ in range(2)]
    for i in range(3):
        check_replay(t, servers, new_session(t, servers[i % 2].port), f"transfer {i} to the thief\n")
    keys = t.stock(["redis-cli", "-p", str(redis_port), "--scan", "--pattern", "tls-early-data:*"])
    t.expect(keys.count("tls-early-data:") == 3, f"Redis has the keys {keys!r}")
    # A ticket of the one brings early data at the other.
    words = ["-sess_in", new_session(t, servers[0].port), "-early_data", t.write("early", "an honest request\n")]
    shown = connect(t, servers[1].port, *words)
    t.expect_in("Early data was accepted", shown)
    t.expect_in("an honest request\nearly", shown)
    # Nobody knows whether it came before: not early.
    session = new_session(t, servers[0].port)
    flight = record_early_flight(t, session, "in the dark\n")
    t.stop(redis)
    replay_flight([server.port for server in servers], flight)
    t.expect(sum(server.accepted("in the dark") for server in servers) == 0, "accepted without Redis")
    shown = connect(t, servers[1].port, "-sess_in", session, "-early_data", t.write("early", "a patient request\n"))
    t.expect_in("Early data was rejected", shown)
