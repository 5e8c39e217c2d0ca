"""lighttpd: HTTPS, hosts by SNI, client certificates."""

ABOUT = "HTTPS, hosts by SNI, client certificates, TLS 1.2 and 1.3"
PACKAGES = ["lighttpd", "lighttpd-mod-openssl", "curl"]

CONFIG = """
server.modules = ( "mod_openssl" )
server.document-root = "{dir}/www"
server.port = {port}
server.bind = "127.0.0.1"
ssl.engine = "enable"
ssl.pemfile = "{server[0]}"
ssl.privkey = "{server[1]}"
ssl.ca-file = "{ca}"
ssl.verifyclient.activate = "enable"
ssl.verifyclient.enforce = "disable"
$HTTP["host"] == "name.test" {{
    ssl.pemfile = "{other[0]}"
    ssl.privkey = "{other[1]}"
}}
"""


def run(t):
    port = t.port()
    t.random_file("www/data", 3_000_000)
    config = t.write("lighttpd.conf", CONFIG.format(dir=t.dir, port=port, ca=t.certs.ca, server=t.certs.server,
                                                    other=t.certs.other))
    t.start(["lighttpd", "-D", "-f", config], port=port)
    curl = ["curl", "-sS", "--cacert", t.certs.ca, "-o", t.path("got")]
    certificate = ["--cert", t.certs.client[0], "--key", t.certs.client[1]]
    for words in (["--tls-max", "1.2"], ["--tlsv1.3"], ["--http2"], certificate, [*certificate, "--tls-max", "1.2"]):
        t.stock([*curl, *words, f"https://localhost:{port}/data"])
        t.expect((t.dir / "got").read_bytes() == (t.dir / "www/data").read_bytes(), f"curl {words}: other bytes")
    t.stock([*curl, "--resolve", f"name.test:{port}:127.0.0.1", f"https://name.test:{port}/data"])
