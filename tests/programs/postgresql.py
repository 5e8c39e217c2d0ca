"""PostgreSQL: server and psql over TLS, password and client certificate, channel binding."""

import glob
import os
import pwd
import shutil

ABOUT = "server and psql (libpq) over TLS: verify-full, SCRAM with channel binding, client certificates, COPY of 8 MB"
PACKAGES = ["postgresql", "postgresql-client"]


def run(t):
    port = t.port()
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    data = t.path("data")
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    user = "postgres" if owner else None
    if owner:
        os.chown(t.dir, owner.pw_uid, owner.pw_gid)
    password = t.write("password", "secret\n")
    t.start([f"{binaries}/initdb", "-D", data, "-U", "admin", "--pwfile", password, "-A", "scram-sha-256"],
            tenon=False, user=user).wait(60)
    for name, source in (("server.crt", t.certs.server[0]), ("server.key", t.certs.server[1]), ("ca.crt", t.certs.ca)):
        shutil.copy(source, f"{data}/{name}")
        os.chmod(f"{data}/{name}", 0o600)
        if owner:
            os.chown(f"{data}/{name}", owner.pw_uid, owner.pw_gid)
    with open(f"{data}/pg_hba.conf", "w", encoding="utf-8") as hba:
        hba.write("hostssl all client all cert\nhostssl all all all scram-sha-256\n")
    server = [f"{binaries}/postgres", "-D", data, "-p", str(port), "-k", str(t.dir), "-h", "127.0.0.1",
              "-c", "ssl=on", "-c", "ssl_ca_file=ca.crt", "-c", "ssl_min_protocol_version=TLSv1.2"]
    t.start(server, port=port, user=user)
    key = t.write("client.key", open(t.certs.client[1], encoding="utf-8").read(), 0o600)

    def psql(sql, options, tenon, env=None, input=None):
        base = f"host=localhost hostaddr=127.0.0.1 port={port} dbname=postgres sslrootcert={t.certs.ca} sslmode=verify-full"
        return t.run([f"{binaries}/psql", "-X", "-A", "-t", f"{base} {options}", "-c", sql], tenon=tenon, env=env,
                     input=input)

    secret = {"PGPASSWORD": "secret"}
    for tenon in (True, False):
        for version in ("TLSv1.2", "TLSv1.3"):
            shown = psql("select version from pg_stat_ssl where pid = pg_backend_pid()",
                         f"user=admin channel_binding=require ssl_max_protocol_version={version}", tenon, secret)
            t.expect(shown.strip() == version, f"{version} was asked for: {shown}")
    psql("create user client", "user=admin", False, secret)
    for tenon in (True, False):
        shown = psql("select client_dn from pg_stat_ssl where pid = pg_backend_pid()",
                     f"user=client sslcert={t.certs.client[0]} sslkey={key}", tenon)
        t.expect_in("CN=client", shown)
    psql("create table long (line text)", "user=admin", True, secret)
    psql("copy long from stdin", "user=admin", True, secret, input=("y" * 799 + "\n") * 10_000)
    t.expect(psql("select sum(length(line)) from long", "user=admin", True, secret).strip() == "7990000", "COPY lost some")
    t.expect(len(psql("copy long to stdout", "user=admin", True, secret)) == 8_000_000, "COPY came back otherwise")
