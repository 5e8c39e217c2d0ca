"""Unbound: a resolver over TLS (RFC 7858), asked by dig and forwarding over TLS to itself."""

ABOUT = "DNS over TLS: asked by dig, and forwarding over TLS with the name verified"
PACKAGES = ["unbound", "bind9-dnsutils"]

CONFIG = """
server:
    username: ""
    chroot: ""
    directory: "{dir}"
    pidfile: "{dir}/pid{n}"
    use-syslog: no
    interface: 127.0.0.1@{port}
    tls-port: {port}
    tls-service-key: {key}
    tls-service-pem: {cert}
    tls-cert-bundle: {ca}
    do-not-query-localhost: no
    module-config: "iterator"
{rest}
remote-control:
    control-enable: no
"""


def run(t):
    inner, outer = t.port(), t.port()
    cert, key, _ = t.certs.server
    common = {"dir": t.dir, "key": key, "cert": cert, "ca": t.certs.ca}
    zone = '    local-zone: "tenon.example." static\n    local-data: "www.tenon.example. A 192.0.2.7"'
    forward = f"forward-zone:\n    name: \".\"\n    forward-tls-upstream: yes\n    forward-addr: 127.0.0.1@{inner}#localhost"
    t.start(["unbound", "-d", "-c", t.write("inner.conf", CONFIG.format(n=1, port=inner, rest=zone, **common))], port=inner)
    t.start(["unbound", "-d", "-c", t.write("outer.conf", CONFIG.format(n=2, port=outer, rest=forward, **common))],
            port=outer)
    for port in (inner, outer):
        for tenon in (True, False):
            shown = t.run(["dig", "@127.0.0.1", "-p", str(port), "+tls", f"+tls-ca={t.certs.ca}", "+tls-hostname=localhost",
                           "+short", "www.tenon.example"], tenon=tenon)
            t.expect(shown.strip() == "192.0.2.7", f"another answer: {shown}")
