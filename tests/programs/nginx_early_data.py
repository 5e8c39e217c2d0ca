"""nginx with ssl_early_data, which leaves replays to whoever is behind it, unless the operator insists."""

import os
import time

from early_data import new_session
from toolbox import record_early_flight, replay_flight, tail

ABOUT = "early data over nginx; with EarlyDataProtection a recorded request is carried out once"
PACKAGES = ["nginx", "openssl"]

CONFIG = """
daemon off; master_process on; worker_processes 2; pid {dir}/{name}.pid; error_log stderr info; user {user};
events {{ worker_connections 64; }}
http {{
    log_format early "$request early:$ssl_early_data"; access_log {dir}/{name}.log early;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5; ssl_protocols TLSv1.3; ssl_early_data on;
    ssl_certificate {server[0]}; ssl_certificate_key {server[1]};
    server {{ listen 127.0.0.1:{port} ssl; server_name localhost; location / {{ return 200 "done\\n"; }} }}
}}
"""

OPENSSL_CNF = """
openssl_conf = openssl_init
[openssl_init]
ssl_conf = ssl_configuration
[ssl_configuration]
tenon = tenon_settings
[tenon_settings]
EarlyDataProtection = Always
TicketSecretFile = {secret}
"""


def times_done(t, insists):
    """How often nginx carries out a request that is sent four times to each of two servers."""
    kind = "protected" if insists else "unprotected"
    secret = t.write(f"{kind}.secret", os.urandom(24).hex(), 0o600)
    env = {"OPENSSL_CONF": t.write("openssl.cnf", OPENSSL_CNF.format(secret=secret))} if insists else \
        {"TENON_TICKET_SECRET_FILE": secret}
    user = "root" if os.geteuid() == 0 else "nobody"
    ports = []
    for i in range(2):
        port = t.port()
        config = t.write(f"{kind}{i}.conf", CONFIG.format(dir=t.dir, name=f"{kind}{i}", port=port, user=user,
                                                          server=t.certs.server))
        t.start(["nginx", "-p", str(t.dir), "-c", config, "-e", "stderr"], port=port, env=env)
        ports.append(port)
    session = new_session(t, ports[0])
    flight = record_early_flight(t, session, f"GET /{kind} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for _ in range(2):
        replay_flight(ports * 2, flight)
    time.sleep(0.5)
    return sum(tail(t.path(f"{kind}{i}.log")).count(f"GET /{kind} HTTP/1.1 early:1") for i in range(2))


def run(t):
    t.expect(times_done(t, False) == 8, "early data was not accepted, or protected although nginx wants none")
    count = times_done(t, True)
    t.expect(count == 1, f"a request was carried out {count} times")
