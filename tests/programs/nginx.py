"""nginx: HTTPS, HTTP/2, hosts by SNI, client certificates, stapling, resumption, TLS to the server behind it."""

import os

ABOUT = "HTTPS and HTTP/2, two hosts by SNI, client certificates, OCSP stapling, resumption, TLS to an upstream"
PACKAGES = ["nginx", "curl", "openssl"]

CONFIG = """
daemon off; master_process on; worker_processes 1; pid {dir}/nginx.pid; error_log stderr info; user {user};
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
    ssl_session_cache shared:SSL:1m; ssl_protocols TLSv1.2 TLSv1.3;
    server {{
        listen 127.0.0.1:{port} ssl http2; server_name localhost; root {dir}/www;
        ssl_certificate {server[0]}; ssl_certificate_key {server[1]};
        ssl_certificate {rsa[0]}; ssl_certificate_key {rsa[1]};
        ssl_stapling on; ssl_stapling_file {dir}/ocsp.der;
        ssl_client_certificate {ca}; ssl_verify_client optional;
        location /who {{ return 200 "$ssl_client_verify $ssl_protocol $ssl_session_reused\\n"; }}
        location /behind/ {{
            proxy_pass https://127.0.0.1:{behind}/; proxy_ssl_trusted_certificate {ca}; proxy_ssl_verify on;
            proxy_ssl_name name.test; proxy_ssl_server_name on; proxy_ssl_session_reuse on;
        }}
    }}
    server {{
        listen 127.0.0.1:{port} ssl http2; server_name name.test; root {dir}/www;
        ssl_certificate {other[0]}; ssl_certificate_key {other[1]};
        location /who {{ return 200 "other host\\n"; }}
    }}
    server {{
        listen 127.0.0.1:{behind} ssl; server_name name.test; root {dir}/www;
        ssl_certificate {other[0]}; ssl_certificate_key {other[1]};
    }}
}}
"""


def staple(t):
    """An OCSP response for the leaf, signed by the authority itself."""
    index = t.write("index.txt", "")
    request, response = t.path("request.der"), t.path("ocsp.der")
    serial = t.stock(["openssl", "x509", "-in", t.certs.server[0], "-noout", "-serial"]).split("=")[1].strip()
    t.write("index.txt", f"V\t491231235959Z\t\t{serial}\tunknown\t/CN=localhost\n")
    t.stock(["openssl", "ocsp", "-issuer", t.certs.ca, "-cert", t.certs.server[0], "-reqout", request])
    t.stock(["openssl", "ocsp", "-index", index, "-rsigner", t.certs.ca, "-rkey", t.certs.file("ca.key"), "-CA",
             t.certs.ca, "-reqin", request, "-respout", response, "-ndays", "7"])


def run(t):
    port, behind = t.port(), t.port()
    t.random_file("www/data", 3_000_000)
    staple(t)
    user = "root" if os.geteuid() == 0 else "nobody"
    config = t.write("nginx.conf", CONFIG.format(dir=t.dir, port=port, behind=behind, ca=t.certs.ca, user=user,
                                                 server=t.certs.server, rsa=t.certs.rsa, other=t.certs.other))
    t.start(["nginx", "-p", str(t.dir), "-c", config, "-e", "stderr"], port=port)
    url = f"https://localhost:{port}"
    curl = ["curl", "-sS", "--cacert", t.certs.ca]
    for words in (["--tlsv1.3"], ["--tls-max", "1.2"], ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"],
                  ["--http1.1"]):
        t.stock([*curl, *words, "-o", t.path("got"), f"{url}/data"])
        t.expect((t.dir / "got").read_bytes() == (t.dir / "www/data").read_bytes(), f"curl {words}: other bytes")
    t.expect_in("NONE TLSv1.3", t.stock([*curl, f"{url}/who"]))
    certificate = ["--cert", t.certs.client[0], "--key", t.certs.client[1]]
    for version in ("1.2", "1.3"):
        t.expect_in(f"SUCCESS TLSv{version}", t.stock([*curl, *certificate, "--tls-max", version, f"{url}/who"]))
    t.expect_in("other host", t.stock([*curl, "--resolve", f"name.test:{port}:127.0.0.1",
                                       f"https://name.test:{port}/who"]))
    for _ in range(2):
        t.stock([*curl, "-o", t.path("got"), f"{url}/behind/data"])
        t.expect((t.dir / "got").read_bytes() == (t.dir / "www/data").read_bytes(), "through the proxy: other bytes")
    s_client = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-CAfile",
                t.certs.ca, "-verify_return_error"]
    t.expect_in("OCSP Response Status: successful", t.stock([*s_client, "-status"], input=""))
    for version in ("-tls1_2", "-tls1_3"):
        session = t.path(f"session{version}")
        get = "GET /who HTTP/1.0\r\nHost: localhost\r\n\r\n"
        t.expect_in("TLSv1.", t.stock([*s_client, version, "-ign_eof", "-sess_out", session], input=get))
        t.expect_in("Reused, TLSv1.", t.stock([*s_client, version, "-ign_eof", "-sess_in", session], input=get))
