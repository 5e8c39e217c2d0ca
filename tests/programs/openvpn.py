"""OpenVPN: the TLS control channel between two ends."""

import os
import time

ABOUT = "the TLS control channel of a tunnel comes up, renegotiates its keys, with certificates checked both ways"
PACKAGES = ["openvpn"]


def run(t):
    t.stock(["openssl", "dhparam", "-dsaparam", "-out", t.path("dh.pem"), "2048"])
    for client_on, server_on in ((True, False), (False, True)):
        port = t.port()
        common = ["openvpn", "--dev", "null", "--proto", "tcp-server", "--ca", t.certs.ca, "--verb", "4", "--ping", "1",
                  "--reneg-sec", "3"]
        server = t.start([*common, "--port", str(port), "--local", "127.0.0.1", "--cert", t.certs.server[0], "--key",
                          t.certs.server[1], "--dh", t.path("dh.pem"), "--tls-server", "--cipher", "AES-128-GCM"],
                         tenon=server_on)
        common[4] = "tcp-client"
        client = t.start([*common, "--remote", "127.0.0.1", str(port), "--cert", t.certs.client[0], "--key",
                          t.certs.client[1], "--tls-client", "--remote-cert-tls", "server", "--cipher", "AES-128-GCM",
                          "--nobind"], tenon=client_on)
        for _ in range(200):
            log = open(client.log, encoding="utf-8").read()
            if log.count("Control Channel: TLSv1.3") >= 2:
                break
            t.expect(client.poll() is None, f"the client ended: {log[-1500:]}")
            time.sleep(0.1)
        t.expect_in("Initialization Sequence Completed", log)
        t.expect(log.count("Control Channel: TLSv1.3") >= 2, f"no second handshake: {log[-1500:]}")
        for process in (client, server):
            t.stop(process)
    os.unlink(t.path("dh.pem"))
