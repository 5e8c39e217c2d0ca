"""nginx and the sessions of stock clients: two servers of two workers each that share a ticket secret, and early data."""

import os
import pathlib
import re

ABOUT = "sessions of curl, openssl, GnuTLS and Python resumed, TLS 1.2 and 1.3, by workers and by another server; early data"
PACKAGES = ["nginx", "curl", "openssl", "gnutls-bin", "python3"]

CONFIG = """
daemon off; master_process on; worker_processes 2; pid {dir}/{name}.pid; error_log stderr info; user {user};
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5; ssl_protocols TLSv1.2 TLSv1.3; keepalive_timeout 0;
    ssl_session_cache shared:S:1m;
    ssl_certificate {server[0]}; ssl_certificate_key {server[1]}; {more}
    server {{
        listen 127.0.0.1:{port} ssl; server_name localhost;
        location / {{ return 200 "version $ssl_protocol reused $ssl_session_reused uri $uri\\n"; }}
    }}
}}
"""

# Every connection with the session of the last one; what each says of itself, and what nginx does.
PYTHON = r"""
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.maximum_version = ssl.TLSVersion[sys.argv[2]]
session = None
for port in sys.argv[3:]:
    with socket.create_connection(('127.0.0.1', int(port)), 20) as plain:
        with context.wrap_socket(plain, server_hostname='localhost', session=session) as tls:
            tls.sendall(b'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n')
            text = b''
            while data := tls.recv(4096):
                text += data
            session = tls.session
            print('client', tls.session_reused, text.decode().splitlines()[-1])
"""

GET = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"


def serve(t, name, secret, more=""):
    """Starts a server and returns its port."""
    port = t.port()
    user = "root" if os.geteuid() == 0 else "nobody"
    config = t.write(f"{name}.conf", CONFIG.format(dir=t.dir, name=name, port=port, user=user, server=t.certs.server,
                                                   more=more))
    t.start(["nginx", "-p", str(t.dir), "-c", config, "-e", "stderr"], port=port,
            env={"TENON_TICKET_SECRET_FILE": secret})
    return port


def answers(shown):
    """What nginx said of each connection: 'r' where it took the session, '.' where not."""
    return "".join(re.findall(r"^(?:client \w+ )?version TLSv1\.\d reused (r|\.) uri", shown, re.MULTILINE))


def curl(t, version, port):
    """It asks for no tickets in TLS 1.2: there nginx's cache, which its workers share, has the session."""
    urls = [f"https://localhost:{port}/{i}" for i in range(6)]
    shown = t.stock(["curl", "-sS", "--cacert", t.certs.ca, "--tls-max", version, *urls])
    t.expect(answers(shown) == ".rrrrr", f"curl, TLS {version}: {shown}")


def python(t, version, ports):
    shown = t.stock(["/usr/bin/python3", t.write("client.py", PYTHON), t.certs.ca, "TLSv1_" + version[-1],
                     *(str(port) for port in ports)])
    said = re.findall(r"^client (\w+)", shown, re.MULTILINE)
    t.expect(answers(shown) == ".rrr" and said == ["False"] + ["True"] * 3, f"Python, TLS {version}: {shown}")


def gnutls(t, version, port):
    """gnutls-cli speaks on its second connection only."""
    shown = t.stock(["gnutls-cli", "127.0.0.1", "-p", str(port), "--x509cafile", t.certs.ca, "--sni-hostname", "localhost",
                     "--verify-hostname", "localhost", "--resume", *(["--waitresumption"] if version == "1.3" else []),
                     "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}"], input=GET)
    t.expect_in("*** This is a resumed session", shown)
    t.expect(answers(shown) == "r", f"GnuTLS, TLS {version}: {shown}")


def s_client(t, port, *words):
    return t.stock(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-ign_eof", *words],
                   input=GET)


def openssl(t, version, ports):
    session, option = t.path("session"), "-tls1_" + version[-1]
    for maker, user in (ports, reversed(ports)):
        t.expect(answers(s_client(t, maker, option, "-sess_out", session)) == ".", f"TLS {version}: reused without a session")
        shown = s_client(t, user, option, "-sess_in", session)
        t.expect_in("Reused, TLSv" + version, shown)
        t.expect(answers(shown) == "r", f"openssl, TLS {version}: {shown}")


def early_data(t, port):
    """Accepted, and where the server asks for another key share refused: then what is sent afterwards is answered alone."""
    session, early = t.path("early-session"), t.write("early", "GET /early HTTP/1.0\r\nHost: localhost\r\n\r\n")
    for groups, word, answered in (("P-256", "accepted", "/early"), ("X25519:P-256", "rejected", "/")):
        t.expect_in("Early data was not sent", s_client(t, port, "-tls1_3", "-sess_out", session))
        shown = s_client(t, port, "-tls1_3", "-sess_in", session, "-early_data", early, "-groups", groups)
        t.expect_in(f"Early data was {word}", shown)
        t.expect(answers(shown) == "r" and f" uri {answered}\n" in shown, f"early data {word}: {shown}")


def run(t):
    secret = t.path("secret")
    pathlib.Path(secret).touch(mode=0o600)
    pathlib.Path(secret).write_bytes(os.urandom(48))
    ports = serve(t, "one", secret), serve(t, "two", secret)
    for version in ("1.2", "1.3"):
        curl(t, version, ports[0])
        python(t, version, [ports[0], ports[1], ports[0], ports[1]])
        gnutls(t, version, ports[0])
        openssl(t, version, ports)
    early_data(t, serve(t, "early", secret, "ssl_early_data on; ssl_ecdh_curve prime256v1;"))
