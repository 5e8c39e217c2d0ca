"""Apache Traffic Server: a reverse proxy with TLS on both sides."""

import os
import shutil

from toolbox import start_nginx

ABOUT = "a reverse proxy: HTTP/2 over TLS in front, verified TLS behind"
PACKAGES = ["trafficserver", "nginx", "curl"]

RECORDS = """
CONFIG proxy.config.http.server_ports STRING {port}:ssl:ip-in=127.0.0.1
CONFIG proxy.config.ssl.server.cert.path STRING {certs}
CONFIG proxy.config.ssl.server.private_key.path STRING {certs}
CONFIG proxy.config.ssl.client.verify.server.policy STRING ENFORCED
CONFIG proxy.config.ssl.client.CA.cert.filename STRING {ca}
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.url_remap.pristine_host_hdr INT 0
CONFIG proxy.config.http.cache.http INT 0
CONFIG proxy.config.admin.user_id STRING {user}
CONFIG proxy.config.exec_thread.autoconfig.enabled INT 0
CONFIG proxy.config.exec_thread.limit INT 2
CONFIG proxy.config.ssl.client.verify.server.properties STRING SIGNATURE
CONFIG proxy.config.diags.debug.enabled INT 0
CONFIG proxy.config.cache.ram_cache.size INT 1048576
"""


def run(t):
    t.random_file("www/data", 2_000_000)
    behind = start_nginx(t)
    port = t.port()
    root = t.path("ts")
    for sub in ("etc/trafficserver", "var/log/trafficserver", "var/run", "var/cache/trafficserver", "var/trafficserver"):
        os.makedirs(f"{root}/{sub}")
    t.write("ts/etc/trafficserver/records.config", RECORDS.format(port=port, certs=os.path.dirname(t.certs.ca), ca=t.certs.ca,
                                                                  user="#-1" if os.geteuid() == 0 else "nobody"))
    t.write("ts/etc/trafficserver/remap.config", f"map https://localhost:{port}/ https://127.0.0.1:{behind}/\n")
    t.write("ts/etc/trafficserver/ssl_multicert.config", "dest_ip=* ssl_cert_name=server.pem ssl_key_name=server.key\n")
    t.write("ts/etc/trafficserver/ip_allow.yaml", "ip_allow:\n  - apply: in\n    ip_addrs: 0/0\n    action: allow\n    methods: ALL\n")
    t.write("ts/etc/trafficserver/storage.config", f"{root}/var/cache/trafficserver 16M\n")
    for name in ("plugin.config", "parent.config", "hosting.config", "volume.config", "cache.config"):
        t.write(f"ts/etc/trafficserver/{name}", "")
    layout = t.write("ts/runroot.yaml", "\n".join(f"{key}: {value}" for key, value in (
        ("prefix", root), ("exec_prefix", root), ("bindir", "/usr/bin"), ("sbindir", "/usr/sbin"),
        ("sysconfdir", f"{root}/etc/trafficserver"), ("datadir", f"{root}/var/cache/trafficserver"),
        ("includedir", "/usr/include"), ("libdir", "/usr/lib/trafficserver"), ("libexecdir", "/usr/lib/trafficserver/modules"),
        ("localstatedir", f"{root}/var"), ("runtimedir", f"{root}/var/run"), ("logdir", f"{root}/var/log/trafficserver"),
        ("mandir", "/usr/share/man"), ("infodir", "/usr/share/info"), ("cachedir", f"{root}/var/cache/trafficserver"))))
    t.start(["traffic_server", f"--run-root={layout}"], port=port)
    want = (t.dir / "www/data").read_bytes()
    for words in ([], ["--http1.1"], ["--tls-max", "1.2"]):
        t.stock(["curl", "-sS", "--cacert", t.certs.ca, *words, "-o", t.path("got"), f"https://localhost:{port}/data"])
        t.expect((t.dir / "got").read_bytes() == want, f"curl {words}: other bytes")
    shutil.rmtree(root, ignore_errors=True)
