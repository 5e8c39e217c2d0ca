"""Squid: a proxy that speaks TLS to its clients and to the servers behind it."""

import os

from toolbox import start_nginx

ABOUT = "a proxy reached over TLS (CONNECT and GET), and as accelerator with TLS on both sides"
PACKAGES = ["squid-openssl", "nginx", "curl"]

CONFIG = """
http_port 127.0.0.1:{plain}
https_port 127.0.0.1:{port} tls-cert={cert} tls-key={key}
https_port 127.0.0.1:{front} accel defaultsite=localhost tls-cert={cert} tls-key={key}
cache_peer 127.0.0.1 parent {behind} 0 no-query originserver ssl sslcafile={ca} ssldomain=localhost name=origin
cache_peer_access origin allow all
acl SSL_ports port {behind}
http_access allow all
cache deny all
pid_filename {dir}/pid
cache_log {dir}/cache.log
access_log none
coredump_dir {dir}
shutdown_lifetime 1 seconds
cache_effective_user {user}
netdb_filename none
pinger_enable off
"""


def run(t):
    behind = start_nginx(t)
    plain, port, front = (t.port() for _ in range(3))
    user = "nobody" if os.geteuid() == 0 else os.getlogin()
    t.random_file("www/data", 3_000_000)
    values = {"dir": t.dir, "plain": plain, "port": port, "front": front, "behind": behind, "ca": t.certs.ca,
              "cert": t.certs.server[0], "key": t.certs.server[1], "user": user}
    # Without -N the process that serves is started with two user ids, and the loader ignores LD_LIBRARY_PATH.
    t.start(["squid", "-N", "-f", t.write("squid.conf", CONFIG.format(**values))], port=front)
    want = (t.dir / "www/data").read_bytes()
    curl = ["curl", "-sS", "--cacert", t.certs.ca, "-o", t.path("got")]
    for words in (["--proxy", f"https://localhost:{port}", "--proxy-cacert", t.certs.ca, f"https://localhost:{behind}/data"],
                  [f"https://localhost:{front}/data"], ["--tls-max", "1.2", f"https://localhost:{front}/data"]):
        t.stock([*curl, *words], env={"no_proxy": ""})
        t.expect((t.dir / "got").read_bytes() == want, f"curl {words}: other bytes")
