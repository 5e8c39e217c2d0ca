"""openssl s_server with early data: two servers that were started separately, and somebody who records their client."""

import os
import pathlib

from toolbox import record_early_flight, replay_flight, tail

ABOUT = "a recorded flight with early data is accepted by one of two servers, once; real clients go on"
PACKAGES = ["openssl"]

COUNTS = pathlib.Path(__file__).resolve().parent.parent.parent / "tools" / "early-data-counts"


class Server:
    """One s_server, which does not end when nothing is typed."""

    def __init__(self, t, env):
        self.port = t.port()
        words = ["-accept", f"127.0.0.1:{self.port}", "-cert", t.certs.server[0], "-key", t.certs.server[1],
                 "-early_data", "-max_early_data", "1000"]
        self.process = t.start(["sh", "-c", 'sleep 300 | exec openssl s_server "$@"', "sh", *words], env=env)
        t.wait_for_port(self.port, self.process)

    def accepted(self, line):
        return tail(self.process.log, 1_000_000).count(line)


def connect(t, port, *more):
    """A client that stays until its tickets have come; what it shows."""
    return t.stock(["sh", "-c", '(sleep 0.4; echo Q) | openssl s_client "$@"', "sh", "-connect", f"127.0.0.1:{port}",
                    "-servername", "localhost", *more])


def new_session(t, port):
    session = t.path("session")
    connect(t, port, "-sess_out", session)
    return session


def check_replay(t, servers, session, line):
    """The flight goes to all servers at once, and then again."""
    flight = record_early_flight(t, session, line)
    ports = [server.port for server in servers]
    for _ in range(2):
        for answer in replay_flight(ports, flight):
            t.expect(len(answer) > 100 and answer[0] == 22, f"no ServerHello, but {answer[:20]!r}")
        accepted = sum(server.accepted(line) for server in servers)
        t.expect(accepted == 1, f"early data was accepted {accepted} times")


def run(t):
    secret = t.path("secret")
    pathlib.Path(secret).touch(mode=0o600)
    pathlib.Path(secret).write_bytes(os.urandom(48))
    servers = [Server(t, {"TENON_TICKET_SECRET_FILE": secret}) for _ in range(2)]
    registers = t.registers_of(servers[0].process)
    t.expect(len(registers) == 1 and t.registers_of(servers[1].process) == registers,
             f"the servers have {registers} and {t.registers_of(servers[1].process)}")
    for i in range(3):
        check_replay(t, servers, new_session(t, servers[i % 2].port), f"transfer {i} to the thief")
    # The client itself: its early data is accepted by the other server. With the same ticket a moment later it is not,
    # and the client goes on.
    session = new_session(t, servers[0].port)
    words = ["-sess_in", session, "-early_data", t.write("early", "an honest request")]
    t.expect_in("Early data was accepted", connect(t, servers[1].port, *words))
    shown = connect(t, servers[0].port, *words)
    t.expect_in("Early data was rejected", shown)
    t.expect_in("Reused, TLSv1.3", shown)
    counts = t.stock([str(COUNTS), *registers])
    t.expect_in("           4 accepted\n", counts)
    t.expect_in("          10 replayed\n", counts)
