"""Apache: HTTPS and HTTP/2, hosts by SNI, client certificates, a TLS proxy to another server."""

import os

ABOUT = "HTTPS and HTTP/2, hosts by SNI, client certificates, a reverse proxy over TLS"
PACKAGES = ["apache2", "curl", "openssl"]

MODULES = ("mpm_event authn_core authz_core dir ssl socache_shmcb http2 headers proxy proxy_http")
CONFIG = """
ServerRoot {dir}
ServerName localhost
PidFile {dir}/apache.pid
ErrorLog {dir}/error.log
{modules}
Listen 127.0.0.1:{port}
Listen 127.0.0.1:{behind}
User {user}
Group nogroup
SSLSessionCache shmcb:{dir}/cache(512000)
Protocols h2 http/1.1
<VirtualHost 127.0.0.1:{port}>
    ServerName localhost
    DocumentRoot {dir}/www
    SSLEngine on
    SSLCertificateFile {server[0]}
    SSLCertificateKeyFile {server[1]}
    SSLCACertificateFile {ca}
    SSLVerifyClient optional
    Header set X-Client "%{{SSL_CLIENT_VERIFY}}s %{{SSL_PROTOCOL}}s %{{SSL_SESSION_RESUMED}}s"
    SSLProxyEngine on
    SSLProxyCACertificateFile {ca}
    SSLProxyVerify require
    SSLProxyCheckPeerName on
    ProxyPass /behind/ https://localhost:{behind}/
</VirtualHost>
<VirtualHost 127.0.0.1:{port}>
    ServerName name.test
    DocumentRoot {dir}/other
    SSLEngine on
    SSLCertificateFile {other[0]}
    SSLCertificateKeyFile {other[1]}
</VirtualHost>
<VirtualHost 127.0.0.1:{behind}>
    ServerName localhost
    DocumentRoot {dir}/www
    SSLEngine on
    SSLCertificateFile {rsa[0]}
    SSLCertificateKeyFile {rsa[1]}
</VirtualHost>
<Directory {dir}>
    Require all granted
</Directory>
"""


def run(t):
    port, behind = t.port(), t.port()
    t.random_file("www/data", 3_000_000)
    t.write("other/data", "the other host\n")
    modules = "\n".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in MODULES.split())
    config = t.write("apache.conf", CONFIG.format(dir=t.dir, port=port, behind=behind, modules=modules, ca=t.certs.ca,
                                                  server=t.certs.server, rsa=t.certs.rsa, other=t.certs.other,
                                                  user="nobody" if os.geteuid() == 0 else os.getlogin()))
    t.start(["apache2", "-f", config, "-D", "FOREGROUND"], port=port)
    url = f"https://localhost:{port}"
    curl = ["curl", "-sS", "--cacert", t.certs.ca]
    want = (t.dir / "www/data").read_bytes()
    for words in (["--tlsv1.3"], ["--tls-max", "1.2"], ["--http1.1"]):
        t.stock([*curl, *words, "-o", t.path("got"), f"{url}/data"])
        t.expect((t.dir / "got").read_bytes() == want, f"curl {words}: other bytes")
    for version in ("1.2", "1.3"):
        head = t.stock([*curl, "-I", "--cert", t.certs.client[0], "--key", t.certs.client[1], "--tls-max", version,
                        f"{url}/data"])
        t.expect_in(f"x-client: SUCCESS TLSv{version}", head.replace("X-Client", "x-client"))
    t.expect_in("the other host", t.stock([*curl, "--resolve", f"name.test:{port}:127.0.0.1",
                                           f"https://name.test:{port}/data"]))
    t.stock([*curl, "-o", t.path("got"), f"{url}/behind/data"])
    t.expect((t.dir / "got").read_bytes() == want, "through the proxy: other bytes")
