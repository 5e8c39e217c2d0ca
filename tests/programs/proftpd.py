"""ProFTPD: FTP over TLS, control and data connections, curl as the client."""

import os

ABOUT = "explicit FTPS: upload, download and listing with curl, data connections reuse the control connection's session"
PACKAGES = ["proftpd-core", "proftpd-mod-crypto", "curl"]

CONFIG = """
ServerName "test"
ServerType standalone
Port {port}
DefaultAddress 127.0.0.1
SocketBindTight on
PassivePorts 49152 49999
User nobody
Group nogroup
UseReverseDNS off
WtmpLog off
PidFile {dir}/pid
ScoreboardFile {dir}/scoreboard
DelayEngine off
ModulePath /usr/lib/proftpd
LoadModule mod_tls.c
AuthOrder mod_auth_file.c
AuthUserFile {dir}/passwd
RequireValidShell off
SystemLog {dir}/system.log
AllowOverwrite on
TLSEngine on
TLSRequired on
TLSLog {dir}/tls.log
TLSECCertificateFile {cert}
TLSECCertificateKeyFile {key}
TLSProtocol {version}
"""


def run(t):
    t.expect(os.geteuid() == 0, "needs root")
    home = t.path("home")
    os.mkdir(home)
    os.chown(home, 65534, 65534)
    hashed = t.stock(["openssl", "passwd", "-6", "secret"]).strip()
    t.write("passwd", f"who:{hashed}:65534:65534::{home}:/bin/false\n", 0o600)
    t.random_file("sent", 2_000_000)
    for version in ("TLSv1.2", "TLSv1.3"):
        port = t.port()
        config = t.write("proftpd.conf", CONFIG.format(dir=t.dir, port=port, cert=t.certs.server[0],
                                                       key=t.certs.server[1], version=version))
        server = t.start(["proftpd", "-n", "-c", config], port=port)
        curl = ["curl", "-sS", "--ssl-reqd", "--cacert", t.certs.ca, "-u", "who:secret"]
        for tenon in (True, False):
            t.run([*curl, "-T", t.path("sent"), f"ftp://localhost:{port}/file"], tenon=tenon)
            t.run([*curl, "-o", t.path("got"), f"ftp://localhost:{port}/file"], tenon=tenon)
            t.expect((t.dir / "got").read_bytes() == (t.dir / "sent").read_bytes(), "other bytes came back")
            t.expect_in("file", t.run([*curl, f"ftp://localhost:{port}/"], tenon=tenon))
        t.stop(server)
