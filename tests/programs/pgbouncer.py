"""PgBouncer: a pooler with TLS on both sides, which speaks libtls' way on libssl."""

import os

from toolbox import start_postgresql

ABOUT = "TLS from clients and to PostgreSQL, verify-full, client certificates"
PACKAGES = ["pgbouncer", "postgresql", "postgresql-client"]

CONFIG = """
[databases]
postgres = host=127.0.0.1 port={server} user=admin password=secret
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = cert
auth_file = {dir}/users
client_tls_sslmode = verify-full
client_tls_ca_file = {ca}
client_tls_cert_file = {cert}
client_tls_key_file = {key}
server_tls_sslmode = verify-ca
server_tls_ca_file = {ca}
logfile = {dir}/log
pidfile = {dir}/pid
"""


def run(t):
    t.expect(os.geteuid() == 0, "needs root")
    server, binaries = start_postgresql(t, "hostssl all all all scram-sha-256\n")
    port = t.port()
    t.write("users", '"client" ""\n')
    config = t.write("pgbouncer.ini", CONFIG.format(dir=t.dir, server=server, port=port, ca=t.certs.ca,
                                                    cert=t.certs.server[0], key=t.certs.server[1]))
    t.start(["pgbouncer", config], port=port, user="postgres")
    key = t.write("client.key", open(t.certs.client[1], encoding="utf-8").read(), 0o600)
    for version in ("TLSv1.2", "TLSv1.3"):
        shown = t.stock([f"{binaries}/psql", "-X", "-A", "-t", f"host=localhost hostaddr=127.0.0.1 port={port} "
                         f"dbname=postgres user=client sslmode=verify-full sslrootcert={t.certs.ca} sslkey={key} "
                         f"sslcert={t.certs.client[0]} ssl_max_protocol_version={version}", "-c",
                         "select ssl, repeat('q', 1000000) from pg_stat_ssl where pid = pg_backend_pid()"])
        t.expect(shown == "t|" + "q" * 1_000_000 + "\n", f"another answer: {shown[:200]}")
