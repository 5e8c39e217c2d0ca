"""MariaDB: the server over TLS, client certificates demanded."""

import os
import pwd

ABOUT = "the server over TLS 1.2 and 1.3, client certificate demanded, a result of 8 MB"
PACKAGES = ["mariadb-server", "mariadb-client"]


def run(t):
    port = t.port()
    owner = "mysql" if os.geteuid() == 0 else None
    if owner:
        entry = pwd.getpwnam(owner)
        os.chown(t.dir, entry.pw_uid, entry.pw_gid)
    data, socket = t.path("data"), t.path("socket")
    t.start(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
             "--skip-test-db"], tenon=False, user=owner).wait(60)
    init = t.write("init.sql", "create user 'client'@'127.0.0.1' identified by 'secret' require x509;\n"
                   "create user 'plain'@'127.0.0.1' identified by 'secret' require ssl;\n")
    t.start(["mariadbd", "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
             f"--socket={socket}", f"--pid-file={t.path('pid')}", f"--init-file={init}", f"--ssl-ca={t.certs.ca}",
             f"--ssl-cert={t.certs.server[0]}", f"--ssl-key={t.certs.server[1]}", "--innodb-buffer-pool-size=16M"],
            port=port, user=owner)
    # Debian's client is built with GnuTLS, which makes it a peer of another make.
    client = ["mariadb", "--no-defaults", "-N", "-h", "127.0.0.1", "-P", str(port), "-psecret", f"--ssl-ca={t.certs.ca}"]
    certificate = [f"--ssl-cert={t.certs.client[0]}", f"--ssl-key={t.certs.client[1]}"]
    for version in ("TLSv1.2", "TLSv1.3"):
        shown = t.stock([*client, *certificate, "-u", "client", f"--tls-version={version}", "-e",
                         "show status like 'ssl_version'"])
        t.expect_in(version, shown)
    t.stock([*client, "-u", "plain", "-e", "select 1"])
    t.expect_in("Access denied", t.stock([*client, "-u", "client", "-e", "select 1"], ok=(1,)))
    shown = t.stock([*client, "-u", "plain", "-e", "select repeat('z', 8000000)"])
    t.expect(len(shown) == 8_000_001, f"{len(shown)} bytes of 8000001 came")
