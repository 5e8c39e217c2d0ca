"""BIND: named answering over TLS and HTTPS, dig asking."""

ABOUT = "named and dig: DNS over TLS and over HTTPS, a zone transfer over TLS"
PACKAGES = ["bind9", "bind9-dnsutils"]

CONFIG = """
options {{
    directory "{dir}";
    pid-file "{dir}/pid";
    session-keyfile "{dir}/session.key";
    listen-on port {plain} {{ 127.0.0.1; }};
    listen-on port {tls} tls local {{ 127.0.0.1; }};
    listen-on port {https} tls local http local {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    allow-transfer {{ any; }};
}};
controls {{ }};
tls local {{ cert-file "{cert}"; key-file "{key}"; }};
http local {{ endpoints {{ "/dns-query"; }}; }};
zone "tenon.test" {{ type primary; file "{dir}/zone"; }};
"""


def run(t):
    plain, tls, https = t.port(), t.port(), t.port()
    t.write("zone", "$TTL 60\n@ SOA ns admin 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.7\n"
            + "".join(f"host{i} A 192.0.2.{i % 256}\n" for i in range(3000)))
    config = t.write("named.conf", CONFIG.format(dir=t.dir, plain=plain, tls=tls, https=https, cert=t.certs.server[0],
                                                 key=t.certs.server[1]))
    t.start(["named", "-g", "-c", config], port=https)
    for tenon in (True, False):
        for port, kind in ((tls, "+tls"), (https, "+https")):
            dig = ["dig", "@127.0.0.1", "-p", str(port), kind, f"+tls-ca={t.certs.ca}", "+tls-hostname=localhost"]
            shown = t.run([*dig, "+short", "www.tenon.test"], tenon=tenon)
            t.expect(shown.strip() == "192.0.2.7", f"{kind}: another answer: {shown}")
        dig = ["dig", "@127.0.0.1", "-p", str(tls), "+tls", "tenon.test", "AXFR"]
        t.expect(t.run(dig, tenon=tenon).count("host") == 3000, "the transfer is not whole")
