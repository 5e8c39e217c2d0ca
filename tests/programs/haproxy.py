"""HAProxy: TLS in front and behind, certificates from a crt-list, client certificates, HTTP/2."""

ABOUT = "TLS on both sides, crt-list with SNI, client certificates, HTTP/2, TLS 1.2 and 1.3"
PACKAGES = ["haproxy", "curl", "openssl"]

CONFIG = """
global
    maxconn 100
    tune.ssl.default-dh-param 2048
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
frontend front
    bind 127.0.0.1:{port} ssl crt-list {list} ca-file {ca} verify optional alpn h2,http/1.1
    http-response set-header x-ssl "%[ssl_fc_protocol] %[ssl_c_verify] %[ssl_fc_sni] resumed:%[ssl_fc_is_resumed]"
    default_backend behind
backend behind
    server one 127.0.0.1:{behind} ssl verify required ca-file {ca} verifyhost localhost sni str(localhost) crt {client}
frontend inner
    bind 127.0.0.1:{behind} ssl crt {rsa} ca-file {ca} verify required
    http-request return status 200 content-type text/plain lf-string "from behind, for %[ssl_c_s_dn(cn)]"
"""


def run(t):
    port, behind = t.port(), t.port()
    crt_list = t.write("list", f"{t.certs.server[2]} localhost\n{t.certs.other[2]} [alpn http/1.1] name.test\n")
    config = t.write("haproxy.cfg", CONFIG.format(port=port, behind=behind, list=crt_list, ca=t.certs.ca,
                                                  rsa=t.certs.rsa[2], client=t.certs.client[2]))
    t.start(["haproxy", "-db", "-f", config], port=port)
    curl = ["curl", "-sS", "-i", "--cacert", t.certs.ca]
    for version in ("1.2", "1.3"):
        shown = t.stock([*curl, "--tls-max", version, f"https://localhost:{port}/"])
        t.expect_in(f"x-ssl: TLSv{version} 0 localhost", shown)
        t.expect_in("from behind, for client", shown)
    t.expect_in("HTTP/2 200", t.stock([*curl, f"https://localhost:{port}/"]))
    other = t.stock([*curl, "--resolve", f"name.test:{port}:127.0.0.1", f"https://name.test:{port}/"])
    t.expect_in("HTTP/1.1 200", other)
    t.expect_in("name.test", other)
    t.expect_in("x-ssl: TLSv1.3 0", t.stock([*curl, "--cert", t.certs.client[0], "--key", t.certs.client[1],
                                              f"https://localhost:{port}/"]))
