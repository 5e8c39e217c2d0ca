"""PostgreSQL: server and psql over TLS, password and client certificate, channel binding."""

from toolbox import start_postgresql

ABOUT = "server and psql (libpq) over TLS: verify-full, SCRAM with channel binding, client certificates, COPY of 8 MB"
PACKAGES = ["postgresql", "postgresql-client"]


def run(t):
    port, binaries = start_postgresql(
        t, "hostssl all client all cert\nhostssl all all all scram-sha-256\n",
        ["-c", "ssl_ca_file=ca.crt", "-c", "ssl_min_protocol_version=TLSv1.2"], tenon=True)
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
