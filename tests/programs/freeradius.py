"""FreeRADIUS and eapol_test: EAP-TLS, EAP-TTLS and PEAP, TLS inside RADIUS packets (memory BIOs)."""

import os
import shutil

ABOUT = "EAP-TLS, TTLS and PEAP between FreeRADIUS and wpa_supplicant's eapol_test, each on Tenon in turn"
PACKAGES = ["freeradius", "eapoltest"]

PEER = """
network={{
    key_mgmt=WPA-EAP
    eap={method}
    identity="who"
    ca_cert="{ca}"
    {more}
}}
"""


def run(t):
    t.expect(os.geteuid() == 0, "needs root")
    # Debian's configuration as it is, with our certificates, ports and user.
    shutil.copytree("/etc/freeradius/3.0", t.path("raddb"), symlinks=False)
    port = t.port()

    def change(name, *pairs):
        path = t.dir / "raddb" / name
        text = path.read_text()
        for old, new in pairs:
            t.expect(old in text, f"{name} has no {old!r}")
            text = text.replace(old, new)
        path.write_text(text)

    shutil.rmtree(t.path("raddb/sites-enabled"))
    os.mkdir(t.path("raddb/sites-enabled"))
    change("sites-available/default", ("port = 0", f"port = {port}"), ("ipaddr = *", "ipaddr = 127.0.0.1"),
           ("ipv6addr = ::", "ipaddr = 127.0.0.1"))
    for site in ("default", "inner-tunnel"):
        shutil.copy(t.path(f"raddb/sites-available/{site}"), t.path(f"raddb/sites-enabled/{site}"))
    text = (t.dir / "raddb/sites-enabled/default").read_text()
    # One listener: the first.
    parts = text.split("listen {")
    (t.dir / "raddb/sites-enabled/default").write_text(parts[0] + "listen {" + parts[1] + "\n" + _after_listens(parts[2:]))
    inner = t.dir / "raddb/sites-enabled/inner-tunnel"
    inner.write_text(inner.read_text().replace("port = 18120", f"port = {t.port()}"))
    eap = t.dir / "raddb/mods-enabled/eap"
    eap.unlink()
    shutil.copy(t.path("raddb/mods-available/eap"), eap)
    change("mods-enabled/eap", ("/etc/ssl/private/ssl-cert-snakeoil.key", t.certs.server[1]),
           ("/etc/ssl/certs/ssl-cert-snakeoil.pem", t.certs.server[0]),
           ("/etc/ssl/certs/ca-certificates.crt", t.certs.ca), ('tls_max_version = "1.2"', 'tls_max_version = "1.3"'))
    users = t.dir / "raddb/mods-config/files/authorize"
    users.write_text('who Cleartext-Password := "secret"\n' + users.read_text())
    change("radiusd.conf", ("user = freerad", "user = root"), ("group = freerad", "group = root"))
    t.stock(["sed", "-i", f"s|^\\(run_dir\\|logdir\\|db_dir\\|pidfile\\) *=.*|\\1 = {t.dir}|; s|pidfile = .*|pidfile = {t.path('pid')}|",
             t.path("raddb/radiusd.conf")])
    for tenon_serves in (True, False):
        server = t.start(["freeradius", "-f", "-l", "stdout", "-d", t.path("raddb"), "-xx"], tenon=tenon_serves)
        t.wait_for_log(server, "Ready to process requests")
        for method, more in (("TLS", f'client_cert="{t.certs.client[0]}"\nprivate_key="{t.certs.client[1]}"'),
                             ("TTLS", 'password="secret"\nphase2="auth=MSCHAPV2"'),
                             ("PEAP", 'password="secret"\nphase2="auth=MSCHAPV2"')):
            config = t.write(f"{method}.conf", PEER.format(method=method, ca=t.certs.ca, more=more))
            shown = t.run(["eapol_test", "-c", config, "-a", "127.0.0.1", "-p", str(port), "-s", "testing123", "-t", "20"],
                          tenon=not tenon_serves, ok=None)
            t.expect(shown.rstrip().endswith("SUCCESS"), f"{method}: {shown[-1500:]}")
        t.stop(server)


def _after_listens(parts):
    """What follows the last listen section of a site."""
    last = parts[-1]
    depth, at = 1, 0
    while depth > 0:
        depth += {"{": 1, "}": -1}.get(last[at], 0)
        at += 1
    return last[at:]
