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

# What the small selection (--quick) keeps: one of each subject.
QUICK = {"suite TLS_AES_256_GCM_SHA384", "suite TLS_CHACHA20_POLY1305_SHA256", "suite TLS_AES_128_CCM_SHA256",
         "group P-384", "group X448", "group ffdhe2048", "server signs rsa_pss_rsae_sha256", "server signs ed448",
         "server signs ed25519", "client signs ecdsa_secp256r1_sha256", "hello retry", "alpn", "server name",
         "key update by us", "key update by peer", "post-handshake authentication", "no common group"}


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


def all_cases(quick):
    for peer in PEERS:
        for ours in ("client", "server"):
            for make in (suite_cases, group_cases, signature_cases, feature_cases, failing_cases):
                for case in make(peer, ours):
                    if not quick or case.subject in QUICK:
                        yield case
