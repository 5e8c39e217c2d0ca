"""The table of interoperability cases: who talks to whom, with what, and what our side must have seen.

A case is a connection between ours (peer.c, on the library under test) as client or server and one peer. Suites,
groups and signatures stand here once, with what each peer calls them; a peer that lacks one has None for it.
"""

from dataclasses import dataclass, field
from typing import Dict, Optional

PEERS = ("openssl", "gnutls", "go")

# TLS's name: (asked for by default, GnuTLS's cipher, in Go)
SUITES = {
    "TLS_AES_128_GCM_SHA256": (True, "AES-128-GCM", True),
    "TLS_AES_256_GCM_SHA384": (True, "AES-256-GCM", True),
    "TLS_CHACHA20_POLY1305_SHA256": (True, "CHACHA20-POLY1305", True),
    "TLS_AES_128_CCM_SHA256": (False, "AES-128-CCM", False),
    "TLS_AES_128_CCM_8_SHA256": (False, "AES-128-CCM-8", False),
}

# Suites of TLS 1.2, OpenSSL's name: (kind of the server's key, GnuTLS's key exchange, cipher and MAC, Go's name)
SUITES_12 = {
    "ECDHE-ECDSA-AES256-GCM-SHA384": ("ec256", "ECDHE-ECDSA", "AES-256-GCM", "AEAD", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    "ECDHE-ECDSA-AES128-GCM-SHA256": ("ec256", "ECDHE-ECDSA", "AES-128-GCM", "AEAD", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    "ECDHE-ECDSA-CHACHA20-POLY1305": ("ec256", "ECDHE-ECDSA", "CHACHA20-POLY1305", "AEAD",
                                      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    "ECDHE-ECDSA-AES256-SHA384": ("ec256", "ECDHE-ECDSA", "AES-256-CBC", "SHA384", None),
    "ECDHE-ECDSA-AES128-SHA256": ("ec256", "ECDHE-ECDSA", "AES-128-CBC", "SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    "ECDHE-ECDSA-AES256-SHA": ("ec256", "ECDHE-ECDSA", "AES-256-CBC", "SHA1", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    "ECDHE-ECDSA-AES128-SHA": ("ec256", "ECDHE-ECDSA", "AES-128-CBC", "SHA1", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    "ECDHE-RSA-AES256-GCM-SHA384": ("rsa", "ECDHE-RSA", "AES-256-GCM", "AEAD", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    "ECDHE-RSA-AES128-GCM-SHA256": ("rsa", "ECDHE-RSA", "AES-128-GCM", "AEAD", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    "ECDHE-RSA-CHACHA20-POLY1305": ("rsa", "ECDHE-RSA", "CHACHA20-POLY1305", "AEAD",
                                    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    "ECDHE-RSA-AES256-SHA384": ("rsa", "ECDHE-RSA", "AES-256-CBC", "SHA384", None),
    "ECDHE-RSA-AES128-SHA256": ("rsa", "ECDHE-RSA", "AES-128-CBC", "SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    "ECDHE-RSA-AES256-SHA": ("rsa", "ECDHE-RSA", "AES-256-CBC", "SHA1", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    "ECDHE-RSA-AES128-SHA": ("rsa", "ECDHE-RSA", "AES-128-CBC", "SHA1", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    "DHE-RSA-AES256-GCM-SHA384": ("rsa", "DHE-RSA", "AES-256-GCM", "AEAD", None),
    "DHE-RSA-AES128-GCM-SHA256": ("rsa", "DHE-RSA", "AES-128-GCM", "AEAD", None),
    "DHE-RSA-CHACHA20-POLY1305": ("rsa", "DHE-RSA", "CHACHA20-POLY1305", "AEAD", None),
    "DHE-RSA-AES256-SHA256": ("rsa", "DHE-RSA", "AES-256-CBC", "SHA256", None),
    "DHE-RSA-AES128-SHA256": ("rsa", "DHE-RSA", "AES-128-CBC", "SHA256", None),
    "DHE-RSA-AES256-SHA": ("rsa", "DHE-RSA", "AES-256-CBC", "SHA1", None),
    "DHE-RSA-AES128-SHA": ("rsa", "DHE-RSA", "AES-128-CBC", "SHA1", None),
    "AES256-GCM-SHA384": ("rsa", "RSA", "AES-256-GCM", "AEAD", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    "AES128-GCM-SHA256": ("rsa", "RSA", "AES-128-GCM", "AEAD", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    "AES256-SHA256": ("rsa", "RSA", "AES-256-CBC", "SHA256", None),
    "AES128-SHA256": ("rsa", "RSA", "AES-128-CBC", "SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    "AES256-SHA": ("rsa", "RSA", "AES-256-CBC", "SHA1", "TLS_RSA_WITH_AES_256_CBC_SHA"),
    "AES128-SHA": ("rsa", "RSA", "AES-128-CBC", "SHA1", "TLS_RSA_WITH_AES_128_CBC_SHA"),
}

# OpenSSL's name for lists: (the name that SSL_group_to_name gives, GnuTLS's, Go's)
GROUPS = {
    "X25519": ("x25519", "GROUP-X25519", "X25519"),
    "P-256": ("secp256r1", "GROUP-SECP256R1", "P-256"),
    "P-384": ("secp384r1", "GROUP-SECP384R1", "P-384"),
    "P-521": ("secp521r1", "GROUP-SECP521R1", "P-521"),
    "X448": ("x448", "GROUP-X448", None),
    "ffdhe2048": ("ffdhe2048", "GROUP-FFDHE2048", None),
    "ffdhe3072": ("ffdhe3072", "GROUP-FFDHE3072", None),
    "ffdhe4096": ("ffdhe4096", "GROUP-FFDHE4096", None),
    "ffdhe6144": ("ffdhe6144", "GROUP-FFDHE6144", None),
    "ffdhe8192": ("ffdhe8192", "GROUP-FFDHE8192", None),
}

# TLS's name: (kind of key, type/hash as the library names them, GnuTLS's name, in Go)
SIGNATURES = {
    "ecdsa_secp256r1_sha256": ("ec256", "id-ecPublicKey/SHA256", "SIGN-ECDSA-SECP256R1-SHA256", True),
    "ecdsa_secp384r1_sha384": ("ec384", "id-ecPublicKey/SHA384", "SIGN-ECDSA-SECP384R1-SHA384", True),
    "ecdsa_secp521r1_sha512": ("ec521", "id-ecPublicKey/SHA512", "SIGN-ECDSA-SECP521R1-SHA512", True),
    "rsa_pss_rsae_sha256": ("rsa", "RSASSA-PSS/SHA256", "SIGN-RSA-PSS-RSAE-SHA256", True),
    "rsa_pss_rsae_sha384": ("rsa", "RSASSA-PSS/SHA384", "SIGN-RSA-PSS-RSAE-SHA384", True),
    "rsa_pss_rsae_sha512": ("rsa", "RSASSA-PSS/SHA512", "SIGN-RSA-PSS-RSAE-SHA512", True),
    "rsa_pss_pss_sha256": ("rsapss", "RSASSA-PSS/SHA256", "SIGN-RSA-PSS-SHA256", False),
    "rsa_pss_pss_sha384": ("rsapss", "RSASSA-PSS/SHA384", "SIGN-RSA-PSS-SHA384", False),
    "rsa_pss_pss_sha512": ("rsapss", "RSASSA-PSS/SHA512", "SIGN-RSA-PSS-SHA512", False),
    "ed25519": ("ed25519", "ED25519/-", "SIGN-EDDSA-ED25519", True),
    "ed448": ("ed448", "ED448/-", "SIGN-EDDSA-ED448", False),
}

# Those that TLS 1.2 has besides.
SIGNATURES_12 = {
    "rsa_pkcs1_sha256": ("rsa", "rsaEncryption/SHA256", "SIGN-RSA-SHA256", True),
    "rsa_pkcs1_sha384": ("rsa", "rsaEncryption/SHA384", "SIGN-RSA-SHA384", True),
    "rsa_pkcs1_sha512": ("rsa", "rsaEncryption/SHA512", "SIGN-RSA-SHA512", True),
}
ALL_SIGNATURES = {**SIGNATURES, **SIGNATURES_12}
GROUPS_12 = ("X25519", "P-256", "P-384", "P-521", "X448")

# What the small selection (--quick) keeps: one of each subject.
QUICK = {"suite TLS_AES_256_GCM_SHA384", "suite TLS_CHACHA20_POLY1305_SHA256", "suite TLS_AES_128_CCM_SHA256",
         "group P-384", "group X448", "group ffdhe2048", "server signs rsa_pss_rsae_sha256", "server signs ed448",
         "server signs ed25519", "client signs ecdsa_secp256r1_sha256", "hello retry", "alpn", "server name",
         "key update by us", "key update by peer", "post-handshake authentication", "no common group",
         "1.2 suite ECDHE-ECDSA-AES128-GCM-SHA256", "1.2 suite ECDHE-RSA-CHACHA20-POLY1305", "1.2 suite ECDHE-RSA-AES256-SHA384",
         "1.2 suite DHE-RSA-AES128-GCM-SHA256", "1.2 suite AES128-SHA", "1.2 client certificate, ec256", "1.2 alpn",
         "1.2 renegotiation by us", "1.2 renegotiation by peer", "1.2 is all the peer knows"}


@dataclass
class Case:
    """One connection. Lists in OpenSSL's names; None means the default of whoever it is for."""

    subject: str
    peer: str
    ours: str                              # "client" or "server"
    suite: Optional[str] = None            # both sides are held to it
    our_groups: Optional[str] = None
    peer_groups: Optional[str] = None
    server_key: str = "ec256"
    server_sigalg: Optional[str] = None    # the client accepts no other from the server
    client_key: Optional[str] = None       # the server insists on a certificate when set
    client_sigalg: Optional[str] = None    # the server accepts no other from the client
    our_alpn: Optional[str] = None
    peer_alpn: Optional[str] = None
    server_name: str = "peer.test"         # what the client asks for and checks
    other_certificate: bool = False        # the server holds one for other.test too
    version: str = "1.3"                   # what the peer speaks, and unless our_version is set, we
    our_version: Optional[str] = None
    encrypt_then_mac: bool = True
    our_renegotiations: int = 0
    peer_renegotiations: int = 0
    our_key_updates: int = 0
    peer_key_updates: int = 0
    late_auth: bool = False                # the client's certificate is asked for after the handshake
    client_trusts: str = "ca"              # file of certificates that the client trusts
    withhold_client_certificate: bool = False
    fails: Optional[str] = None            # our side must fail, with these words
    peer_says: Optional[str] = None        # where the peer is the one that refuses
    expect: Dict[str, str] = field(default_factory=dict)

    @property
    def name(self):
        return f"{self.peer:8} {'server' if self.ours == 'client' else 'client'}  {self.subject}"


def suite_cases(peer, ours):
    for suite, (_, gnutls, in_go) in SUITES.items():
        if (peer == "gnutls" and not gnutls) or (peer == "go" and not in_go):
            continue
        yield Case(f"suite {suite}", peer, ours, suite=suite, expect={"suite": suite})


def group_cases(peer, ours):
    for group, (shown, gnutls, go) in GROUPS.items():
        if (peer == "gnutls" and not gnutls) or (peer == "go" and not go):
            continue
        yield Case(f"group {group}", peer, ours, our_groups=group, peer_groups=group,
                   expect={"group": shown, "client_hellos": "1"})


def signature_cases(peer, ours):
    server_signs, client_signs = ("peer_sig", "own_sig") if ours == "client" else ("own_sig", "peer_sig")
    for scheme, (key, shown, gnutls, in_go) in SIGNATURES.items():
        if (peer == "gnutls" and not gnutls) or (peer == "go" and not in_go):
            continue
        yield Case(f"server signs {scheme}", peer, ours, server_key=key, server_sigalg=scheme,
                   expect={server_signs: shown, "peer": f"server-{key}" if ours == "client" else "-"})
        yield Case(f"client signs {scheme}", peer, ours, client_key=key, client_sigalg=scheme,
                   expect={client_signs: shown, "peer": "server-ec256" if ours == "client" else f"client-{key}"})


def feature_cases(peer, ours):
    yield Case("hello retry", peer, ours, our_groups="P-256:P-384" if ours == "client" else "P-384",
               peer_groups="P-384" if ours == "client" else "P-256:P-384",
               expect={"group": "secp384r1", "client_hellos": "2"})
    yield Case("hello retry with client certificate", peer, ours, client_key="rsa",
               our_groups="X25519:P-521" if ours == "client" else "P-521",
               peer_groups="P-521" if ours == "client" else "X25519:P-521",
               expect={"group": "secp521r1", "client_hellos": "2"})
    yield Case("alpn", peer, ours, our_alpn="two,one" if ours == "client" else "one,three",
               peer_alpn="one" if ours == "client" else "two,one", expect={"alpn": "one"})
    if ours == "server":
        yield Case("server name", peer, ours, expect={"sni": "peer.test"})
        yield Case("server name with its own certificate", peer, ours, server_name="other.test",
                   other_certificate=True, expect={"sni": "other.test"})
    elif peer == "openssl":
        yield Case("server name", peer, ours, server_name="other.test", other_certificate=True,
                   expect={"peer": "other"})
    else:
        yield Case("server name", peer, ours, expect={"peer": "server-ec256"})
    yield Case("key update by us", peer, ours, our_key_updates=2, expect={"key_updates_in": "2", "key_updates_out": "2"})
    if peer == "openssl" or (peer == "gnutls" and ours == "server"):
        yield Case("key update by peer", peer, ours, peer_key_updates=2, expect={"key_updates_in": "2", "key_updates_out": "2"})
    if peer != "go":
        yield Case("post-handshake authentication", peer, ours, late_auth=True, client_key="ec256",
                   expect={"cert_requests": "1", "peer": "server-ec256" if ours == "client" else "client-ec256"})


# Whoever refuses may close before its alert is read; then our side only sees that the connection ended.
REFUSED = "certificate required|bad certificate|handshake failure|reading failed|writing failed|did not end well"


def failing_cases(peer, ours):
    yield Case("no common group", peer, ours, our_groups="P-256", peer_groups="P-384",
               fails="handshake failure|no suitable key share|no shared groups|no suitable groups")
    if ours == "client":
        yield Case("certificate that we do not trust", peer, ours, client_trusts="stranger",
                   fails="certificate verify failed")
        yield Case("certificate for another name", peer, ours, server_name="wrong.test", fails="certificate verify failed")
        yield Case("no certificate where one is required", peer, ours, client_key="ec256",
                   withhold_client_certificate=True, fails=REFUSED,
                   peer_says="did not return a certificate|certificate is required|didn't provide a certificate")
        yield Case("no common protocol name", peer, ours, our_alpn="two", peer_alpn="one",
                   fails="no application protocol")
    else:
        yield Case("certificate that the peer does not trust", peer, ours, client_trusts="stranger",
                   fails="unknown ca|bad certificate|certificate unknown|unknown certificate|" + REFUSED,
                   peer_says="verify failed|signer is unknown|issuer is unknown|not trusted|unknown authority")
        yield Case("no certificate where we require one", peer, ours, client_key="ec256", withhold_client_certificate=True,
                   fails="peer did not return a certificate")
        yield Case("no common protocol name", peer, ours, our_alpn="one", peer_alpn="two", fails="no application protocol|no_application_protocol")


def suite_cases_12(peer, ours):
    for suite, (key, _, _, mac, go) in SUITES_12.items():
        if peer == "go" and not go:
            continue
        expect = {"suite": suite, "safe_renegotiation": "1"}
        yield Case(f"1.2 suite {suite}", peer, ours, version="1.2", suite=suite, server_key=key, expect=expect)
        if mac != "AEAD" and peer != "go":
            yield Case(f"1.2 suite {suite} without encrypt-then-mac", peer, ours, version="1.2", suite=suite,
                       server_key=key, encrypt_then_mac=False, expect=expect)


def parameter_cases_12(peer, ours):
    for group in GROUPS_12:
        shown, gnutls, go = GROUPS[group]
        if (peer == "gnutls" and not gnutls) or (peer == "go" and not go):
            continue
        yield Case(f"1.2 group {group}", peer, ours, version="1.2", suite="ECDHE-RSA-AES128-GCM-SHA256", server_key="rsa",
                   our_groups=group, peer_groups=group, expect={"group": shown})
    for scheme, (key, shown, gnutls, in_go) in ALL_SIGNATURES.items():
        # In Go's TLS 1.2 the list cannot be chosen.
        if peer == "go" or (peer == "gnutls" and not gnutls):
            continue
        server_signs, client_signs = ("peer_sig", "own_sig") if ours == "client" else ("own_sig", "peer_sig")
        yield Case(f"1.2 server signs {scheme}", peer, ours, version="1.2", server_key=key, server_sigalg=scheme,
                   expect={server_signs: shown, "peer": f"server-{key}" if ours == "client" else "-"})
        yield Case(f"1.2 client signs {scheme}", peer, ours, version="1.2", client_key=key, client_sigalg=scheme,
                   expect={client_signs: shown, "peer": "server-ec256" if ours == "client" else f"client-{key}"})


def feature_cases_12(peer, ours):
    for key in ("ec256", "rsa", "ed25519"):
        yield Case(f"1.2 client certificate, {key}", peer, ours, version="1.2", client_key=key,
                   expect={"cert_requests": "1", "peer": "server-ec256" if ours == "client" else f"client-{key}"})
    yield Case("1.2 alpn", peer, ours, version="1.2", our_alpn="two,one" if ours == "client" else "one,three",
               peer_alpn="one" if ours == "client" else "two,one", expect={"alpn": "one"})
    if ours == "server":
        yield Case("1.2 server name with its own certificate", peer, ours, version="1.2", server_name="other.test",
                   other_certificate=True, expect={"sni": "other.test"})
    yield Case("1.2 is all the peer knows", peer, ours, version="1.2", our_version="any", expect={"version": "TLSv1.2"})
    yield Case("1.2 is all we know", peer, ours, version="any", our_version="1.2", expect={"version": "TLSv1.2"})
    yield Case("1.3 where both know both", peer, ours, version="any", our_version="any", expect={"version": "TLSv1.3"})
    # A server of Go renegotiates never, GnuTLS's command-line server doesn't when it is asked to.
    if peer == "openssl" or ours == "server":
        yield Case("1.2 renegotiation by us", peer, ours, version="1.2", our_renegotiations=2,
                   expect={"renegotiations": "2", "client_hellos": "3"})
    if ours == "server" and peer in ("openssl", "gnutls"):
        yield Case("1.2 renegotiation by peer", peer, ours, version="1.2", peer_renegotiations=2, expect={"client_hellos": "3"})


def failing_cases_12(peer, ours):
    yield Case("1.2 no common version", peer, ours, version="1.2", our_version="1.3",
               fails="unsupported protocol|protocol version|wrong version|handshake failure")
    yield Case("1.2 no common suite", peer, ours, version="1.2", suite="ECDHE-ECDSA-AES128-GCM-SHA256", server_key="rsa",
               fails="no shared cipher|handshake failure")
    if ours == "client":
        yield Case("1.2 certificate that we do not trust", peer, ours, version="1.2", client_trusts="stranger",
                   fails="certificate verify failed")
    else:
        yield Case("1.2 no certificate where we require one", peer, ours, version="1.2", client_key="ec256",
                   withhold_client_certificate=True, fails="peer did not return a certificate")


def all_cases(quick):
    for peer in PEERS:
        for ours in ("client", "server"):
            for make in (suite_cases, group_cases, signature_cases, feature_cases, failing_cases, suite_cases_12,
                         parameter_cases_12, feature_cases_12, failing_cases_12):
                for case in make(peer, ours):
                    if not quick or case.subject in QUICK:
                        yield case
