"""Mosquitto: the broker and its clients over TLS with client certificates."""

import time

ABOUT = "broker, mosquitto_pub and mosquitto_sub over TLS, client certificates demanded, pre-shared keys"
PACKAGES = ["mosquitto", "mosquitto-clients"]


def run(t):
    port, psk = t.port(), t.port()
    t.write("keys", "who:0123456789abcdef\n")
    config = t.write("mosquitto.conf", f"per_listener_settings true\nlistener {port} 127.0.0.1\ncafile {t.certs.ca}\n"
                     f"certfile {t.certs.server[0]}\nkeyfile {t.certs.server[1]}\nrequire_certificate true\n"
                     "use_identity_as_username true\nallow_anonymous true\n"
                     f"listener {psk} 127.0.0.1\npsk_hint a hint\npsk_file {t.path('keys')}\n"
                     "use_identity_as_username true\n")
    t.start(["mosquitto", "-c", config], port=port)
    by_cert = ["-h", "localhost", "-p", str(port), "--cafile", t.certs.ca, "--cert", t.certs.client[0], "--key",
               t.certs.client[1]]
    by_psk = ["-h", "localhost", "-p", str(psk), "--psk", "0123456789abcdef", "--psk-identity", "who"]
    for tenon in (True, False):
        for words in (by_cert, [*by_cert, "--tls-version", "tlsv1.2"], by_psk):
            sub = t.start(["mosquitto_sub", *words, "-t", "topic", "-C", "1", "-W", "20"], tenon=tenon)
            time.sleep(0.5)
            t.run(["mosquitto_pub", *words, "-t", "topic", "-m", "a message"], tenon=not tenon)
            t.expect(sub.wait(20) == 0, f"the subscriber got nothing: {open(sub.log, encoding='utf-8').read()}")
            t.expect_in("a message", open(sub.log, encoding="utf-8").read())
