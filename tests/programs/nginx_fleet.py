"""Two nginx on two ports that know nothing of each other but a ticket secret."""

import os
import pathlib
import time

ABOUT = "two servers resume each other's sessions through a ticket secret; a replaced secret; another host"
PACKAGES = ["nginx", "openssl"]

CONFIG = """
daemon off; master_process on; worker_processes 2; pid {dir}/{name}.pid; error_log stderr info; user {user};
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {server[0]}; ssl_certificate_key {server[1]};
    server {{ listen 127.0.0.1:{port} ssl; server_name localhost; location / {{ return 200 "first\\n"; }} }}
    server {{ listen 127.0.0.1:{port} ssl; server_name name.test; location / {{ return 200 "second\\n"; }} }}
}}
"""

OPENSSL_CNF = """
openssl_conf = openssl_init
[openssl_init]
ssl_conf = ssl_configuration
[ssl_configuration]
tenon = tenon_settings
[tenon_settings]
TicketSecretFile = {secret}
"""

SECONDS_TO_NOTICE = 2.5


def write_secret(path):
    """As an operator would: a file of its own, moved into place."""
    fresh = pathlib.Path(path + ".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(os.urandom(48))
    fresh.rename(path)


def serve(t, name, env=None):
    """Starts one server and returns its port."""
    port = t.port()
    user = "root" if os.geteuid() == 0 else "nobody"
    config = t.write(f"{name}.conf", CONFIG.format(dir=t.dir, name=name, port=port, user=user, server=t.certs.server))
    t.start(["nginx", "-p", str(t.dir), "-c", config, "-e", "stderr"], port=port, env=env)
    return port


def connect(t, port, version, session, host="localhost", save=True):
    """True when the server took the session; save: its (new) session is put in the file instead."""
    way = ["-sess_out" if save else "-sess_in", session]
    shown = t.stock(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host, "-ign_eof", version,
                     *way], input=f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n")
    t.expect_in("second" if host == "name.test" else "first", shown)
    return "Reused, TLSv1." in shown


def run(t):
    secret = t.path("secret")
    write_secret(secret)
    one = serve(t, "one", {"TENON_TICKET_SECRET_FILE": secret})
    two = serve(t, "two", {"OPENSSL_CONF": t.write("openssl.cnf", OPENSSL_CNF.format(secret=secret))})
    alone = serve(t, "alone")
    for version in ("-tls1_2", "-tls1_3"):
        session = t.path(f"session{version}")
        for maker, user in ((one, two), (two, one)):
            t.expect(not connect(t, maker, version, session), "reused without a session")
            t.expect(connect(t, user, version, session, save=False), f"{version}: the other server makes a new session")
            t.expect(not connect(t, alone, version, session, save=False), f"{version}: a server without the secret reuses")
            t.expect(not connect(t, user, version, session, "name.test", save=False),
                     f"{version}: another host takes the session")
        connect(t, one, version, session)
        write_secret(secret)
        time.sleep(SECONDS_TO_NOTICE)
        t.expect(not connect(t, two, version, session, save=False), f"{version}: reused after the secret was replaced")
        connect(t, one, version, session)
        t.expect(connect(t, two, version, session, save=False), f"{version}: no reuse under the new secret")
