"""PgBouncer: a pooler with TLS on both sides, which speaks libtls' way on libssl."""

import glob
import os
import pwd
import shutil

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
    server, port = t.port(), t.port()
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    data = t.path("data")
    owner = pwd.getpwnam("postgres")
    os.chown(t.dir, owner.pw_uid, owner.pw_gid)
    password = t.write("password", "secret\n")
    t.start([f"{binaries}/initdb", "-D", data, "-U", "admin", "--pwfile", password, "-A", "scram-sha-256"],
            tenon=False, user="postgres").wait(60)
    for name, source in (("server.crt", t.certs.server[0]), ("server.key", t.certs.server[1])):
        shutil.copy(source, f"{data}/{name}")
        os.chmod(f"{data}/{name}", 0o600)
        os.chown(f"{data}/{name}", owner.pw_uid, owner.pw_gid)
    with open(f"{data}/pg_hba.conf", "w", encoding="utf-8") as hba:
        hba.write("hostssl all all all scram-sha-256\n")
    t.start([f"{binaries}/postgres", "-D", data, "-p", str(server), "-k", str(t.dir), "-h", "127.0.0.1", "-c", "ssl=on"],
            port=server, tenon=False, user="postgres")
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
