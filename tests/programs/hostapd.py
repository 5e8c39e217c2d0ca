"""hostapd's RADIUS server and eapol_test: EAP-FAST, whose tickets and master secrets are the applications' own."""

import os

ABOUT = "EAP-FAST (a PAC is given out, then opens the tunnel), TTLS and TLS with eapol_test, each on Tenon in turn"
PACKAGES = ["hostapd", "eapoltest"]

SERVER = """
driver=none
interface=none
radius_server_clients={clients}
radius_server_auth_port={port}
eap_server=1
eap_user_file={users}
ca_cert={ca}
server_cert={cert}
private_key={key}
pac_opaque_encr_key=000102030405060708090a0b0c0d0e0f
eap_fast_a_id=101112131415161718191a1b1c1d1e1f
eap_fast_a_id_info=a test
eap_fast_prov=3
"""

PEER = """
network={{
    key_mgmt=WPA-EAP
    eap={method}
    identity="who"
    anonymous_identity="{outer}"
    password="secret"
    ca_cert="{ca}"
    {more}
}}
"""


def run(t):
    t.expect(os.geteuid() == 0, "needs root")
    port = t.port()
    users = t.write("users", '"anonymous" FAST,TTLS\n"who" TLS\n"who" MSCHAPV2,TTLS-MSCHAPV2 "secret" [2]\n')
    clients = t.write("clients", "127.0.0.1/32 testing123\n")
    config = t.write("hostapd.conf", SERVER.format(clients=clients, port=port, users=users, ca=t.certs.ca,
                                                   cert=t.certs.rsa[0], key=t.certs.rsa[1]))
    for tenon_serves in (True, False):
        server = t.start(["hostapd", "-dd", config], tenon=tenon_serves)
        t.wait_for_log(server, "AP-ENABLED")
        pac = t.path(f"pac-{tenon_serves}")
        fast = f'phase1="fast_provisioning=2"\nphase2="auth=MSCHAPV2"\npac_file="{pac}"'
        expect_pac = (("FAST", fast, "resumed=0"), ("FAST", fast, "resumed=1"))
        for method, more, how in expect_pac + (
                ("TTLS", 'phase2="auth=MSCHAPV2"', "resumed=0"),
                ("TLS", f'client_cert="{t.certs.client[0]}"\nprivate_key="{t.certs.client[1]}"', "resumed=0")):
            peer = t.write("peer.conf", PEER.format(method=method, ca=t.certs.ca, more=more,
                                                    outer="who" if method == "TLS" else "anonymous"))
            shown = t.run(["eapol_test", "-c", peer, "-a", "127.0.0.1", "-p", str(port), "-s", "testing123", "-t", "20"],
                          tenon=not tenon_serves, ok=None)
            t.expect(shown.rstrip().endswith("SUCCESS"), f"{method}: {shown[-1500:]}")
            t.expect_in(f"Handshake finished - {how}", shown, f"what eapol_test says of {method}")
        t.stop(server)
