"""The table of interoperability cases: who talks to whom, with what, and what our side must have seen.

A case is a connection between ours (peer.c, on the library under test) as client or server and one peer. What a peer can
do stands here once, in ABILITIES; which suites and groups it shares with us, it says itself (see suites.py). Groups and
signatures stand here with what each peer calls them.
"""

from dataclasses import dataclass, field
from typing import Dict, FrozenSet, List, Optional, Tuple

from suites import Suite


@dataclass(frozen=True)
class Abilities:
    """What a peer can do, beyond suites and groups. Roles are ours: "client" means that the peer is the server."""

    versions: Tuple[str, ...] = ("1.2", "1.3")
    old_versions: Tuple[str, ...] = ()        # before TLS 1.2, with suites of AES or Camellia in CBC mode and SHA-1
    encrypt_then_mac: bool = False
    # Beginnings of TLS's names for signature algorithms; in TLS 1.2 those where our list decides which it is.
    signatures: Tuple[str, ...] = ("ecdsa", "rsa_pss_rsae", "rsa_pkcs1")
    tls12_signatures: Tuple[str, ...] = ()
    tls12_signers: Tuple[str, ...] = ("server", "client")
    protocol_lists: bool = False              # it can be given several names for ALPN
    knows_several_names: bool = False         # as a server it can have another certificate for another name
    explains: bool = False                    # it says in words why it refused
    asks_key_update: Tuple[str, ...] = ()     # can be told to ask for a KeyUpdate, where we are this
    late_auth: bool = False                   # post-handshake authentication
    insecure_client: bool = False             # its clients know nothing of RFC 5746
    cannot_serve: Tuple[str, ...] = ()        # suites that it names and yet refuses as a server: beginnings of names
    cannot_connect: Tuple[str, ...] = ()      # the same as a client
    accepts_renegotiation: Tuple[str, ...] = ()
    asks_renegotiation: Tuple[str, ...] = ()
    pre_shared_keys: bool = False             # it can be given one for TLS 1.2


EVERY_SIGNATURE = ("ecdsa", "rsa_", "ed25519", "ed448")
ABILITIES = {
    "openssl": Abilities(old_versions=("1.1", "1.0"), encrypt_then_mac=True, signatures=EVERY_SIGNATURE, tls12_signatures=EVERY_SIGNATURE,
                         protocol_lists=True, knows_several_names=True, explains=True, asks_key_update=("client", "server"),
                         late_auth=True, accepts_renegotiation=("client", "server"), asks_renegotiation=("server",),
                         pre_shared_keys=True),
    # Its command-line server does not renegotiate when it is asked to. Its client crashes after a handshake with
    # ephemeral keys and a pre-shared key, also with a server of OpenSSL (3.7.9: it asks for a name that it has not).
    "gnutls": Abilities(old_versions=("1.1", "1.0"), encrypt_then_mac=True, signatures=EVERY_SIGNATURE, tls12_signatures=EVERY_SIGNATURE,
                        protocol_lists=True, explains=True, asks_key_update=("server",), late_auth=True,
                        accepts_renegotiation=("server",), asks_renegotiation=("server",), pre_shared_keys=True,
                        cannot_connect=("DHE-PSK", "ECDHE-PSK")),
    "go": Abilities(old_versions=("1.1", "1.0"), signatures=("ecdsa", "rsa_pss_rsae", "ed25519"), protocol_lists=True, explains=True,
                    accepts_renegotiation=("server",)),
    "nss": Abilities(old_versions=("1.1", "1.0"), tls12_signatures=("rsa_pss_rsae", "rsa_pkcs1"), accepts_renegotiation=("server",)),
    # Its clients sign by an order of their own, its servers ask for one list only.
    "mbedtls": Abilities(versions=("1.2",), old_versions=("1.1", "1.0"), pre_shared_keys=True, encrypt_then_mac=True, tls12_signatures=("ecdsa", "rsa_pkcs1"),
                         tls12_signers=("server",), accepts_renegotiation=("client", "server")),
    "wolfssl": Abilities(old_versions=("1.1",), pre_shared_keys=True, encrypt_then_mac=True, signatures=("ecdsa", "rsa_pss_rsae", "rsa_pkcs1", "ed25519", "ed448"),
                         tls12_signatures=("rsa_pkcs1", "ed25519", "ed448"), insecure_client=True,
                         cannot_serve=("DHE-RSA-CAMELLIA",)),
    "bearssl": Abilities(versions=("1.2",), old_versions=("1.1", "1.0"), signatures=("ecdsa", "rsa_pkcs1"), tls12_signatures=("rsa_pkcs1",),
                         accepts_renegotiation=("client", "server")),
    "java": Abilities(old_versions=("1.1", "1.0"), signatures=EVERY_SIGNATURE, tls12_signatures=("rsa_", "ed25519", "ed448"),
                      accepts_renegotiation=("client", "server")),
}
PEERS = tuple(ABILITIES)

MAX_EARLY = 16384    # bytes of early data that a server's tickets allow, where it takes any

# The pre-shared key and its identity, for suites that take one.
PSK, PSK_IDENTITY = "a key that everybody may know", "someone"


@dataclass(frozen=True)
class Offer:
    """What a peer on this machine says of itself: the suites that it shares with us, and its groups (OpenSSL's names)."""

    suites: List[Suite]
    groups: FrozenSet[str]


# OpenSSL's name for lists: (the name that SSL_group_to_name gives, GnuTLS's)
GROUPS = {
    "X25519": ("x25519", "GROUP-X25519"),
    "P-256": ("secp256r1", "GROUP-SECP256R1"),
    "P-384": ("secp384r1", "GROUP-SECP384R1"),
    "P-521": ("secp521r1", "GROUP-SECP521R1"),
    "X448": ("x448", "GROUP-X448"),
    "ffdhe2048": ("ffdhe2048", "GROUP-FFDHE2048"),
    "ffdhe3072": ("ffdhe3072", "GROUP-FFDHE3072"),
    "ffdhe4096": ("ffdhe4096", "GROUP-FFDHE4096"),
    "ffdhe6144": ("ffdhe6144", "GROUP-FFDHE6144"),
    "ffdhe8192": ("ffdhe8192", "GROUP-FFDHE8192"),
}

# TLS's name: (kind of key, type/hash as the library names them, GnuTLS's name)
SIGNATURES = {
    "ecdsa_secp256r1_sha256": ("ec256", "id-ecPublicKey/SHA256", "SIGN-ECDSA-SECP256R1-SHA256"),
    "ecdsa_secp384r1_sha384": ("ec384", "id-ecPublicKey/SHA384", "SIGN-ECDSA-SECP384R1-SHA384"),
    "ecdsa_secp521r1_sha512": ("ec521", "id-ecPublicKey/SHA512", "SIGN-ECDSA-SECP521R1-SHA512"),
    "rsa_pss_rsae_sha256": ("rsa", "RSASSA-PSS/SHA256", "SIGN-RSA-PSS-RSAE-SHA256"),
    "rsa_pss_rsae_sha384": ("rsa", "RSASSA-PSS/SHA384", "SIGN-RSA-PSS-RSAE-SHA384"),
    "rsa_pss_rsae_sha512": ("rsa", "RSASSA-PSS/SHA512", "SIGN-RSA-PSS-RSAE-SHA512"),
    "rsa_pss_pss_sha256": ("rsapss", "RSASSA-PSS/SHA256", "SIGN-RSA-PSS-SHA256"),
    "rsa_pss_pss_sha384": ("rsapss", "RSASSA-PSS/SHA384", "SIGN-RSA-PSS-SHA384"),
    "rsa_pss_pss_sha512": ("rsapss", "RSASSA-PSS/SHA512", "SIGN-RSA-PSS-SHA512"),
    "ed25519": ("ed25519", "ED25519/-", "SIGN-EDDSA-ED25519"),
    "ed448": ("ed448", "ED448/-", "SIGN-EDDSA-ED448"),
}

# Those that TLS 1.2 has besides.
SIGNATURES_12 = {
    "rsa_pkcs1_sha256": ("rsa", "rsaEncryption/SHA256", "SIGN-RSA-SHA256"),
    "rsa_pkcs1_sha384": ("rsa", "rsaEncryption/SHA384", "SIGN-RSA-SHA384"),
    "rsa_pkcs1_sha512": ("rsa", "rsaEncryption/SHA512", "SIGN-RSA-SHA512"),
}
ALL_SIGNATURES = {**SIGNATURES, **SIGNATURES_12}
GROUPS_12 = ("X25519", "P-256", "P-384", "P-521", "X448")

# What the small selection (--quick) keeps: one of each subject.
QUICK = {"suite TLS_AES_256_GCM_SHA384", "suite TLS_CHACHA20_POLY1305_SHA256", "suite TLS_AES_128_CCM_SHA256",
         "group P-384", "group X448", "group ffdhe2048", "server signs rsa_pss_rsae_sha256", "server signs ed448",
         "server signs ed25519", "client signs ecdsa_secp256r1_sha256", "hello retry", "alpn", "server name",
         "key update by us", "key update by peer", "post-handshake authentication", "no common group",
         "1.2 suite ECDHE-ECDSA-AES128-GCM-SHA256", "1.2 suite ECDHE-RSA-CHACHA20-POLY1305", "1.2 suite ECDHE-RSA-AES256-SHA384",
         "1.2 suite DHE-RSA-AES128-GCM-SHA256", "1.2 suite RSA-PSK-AES128-CBC-SHA256", "1.2 suite ECDHE-PSK-CHACHA20-POLY1305",
         "1.2 suite AES128-SHA", "1.2 client certificate, ec256", "1.2 alpn",
         "1.2 renegotiation by us", "1.2 renegotiation by peer", "1.2 is all the peer knows",
         "1.1 suite ECDHE-ECDSA-AES128-SHA", "1.0 suite ECDHE-RSA-AES256-SHA", "1.0 suite AES128-SHA",
         "1.0 client certificate, rsa", "1.0 renegotiation by us"}


@dataclass
class Case:
    """One connection. Lists in OpenSSL's names; None means the default of whoever it is for."""

    subject: str
    peer: str
    ours: str                              # "client" or "server"
    suite: Optional[Suite] = None          # both sides are held to it
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
    connections: int = 1                   # one after another; more than one: they resume the session of the last
    by_id: bool = False                    # TLS 1.2: we neither give nor take tickets
    early: int = 0                         # bytes of early data that the client sends, from the second connection on
    early_limit: int = 0                   # how much of it the server takes; 0: what its tickets allow
    early_answer: str = "-"                # "accepted" or "rejected"
    fails: Optional[str] = None            # our side must fail, with these words
    peer_says: Optional[str] = None        # where the peer is the one that refuses
    expect: Dict[str, str] = field(default_factory=dict)

    @property
    def name(self):
        return f"{self.peer:8} {'server' if self.ours == 'client' else 'client'}  {self.subject}"


    @property
    def ciphers(self):
        """The list of suites for the sides that take OpenSSL's language: the versions before TLS 1.2 need level 0."""
        return self.suite.name + ":@SECLEVEL=0" if self.version in ("1.1", "1.0") else self.suite.list_string

    @property
    def anonymous(self):
        return self.suite is not None and self.suite.server_key is None


def suite_cases(peer, ours, offer):
    for suite in offer.suites:
        if suite.version == "1.3" and "1.3" in ABILITIES[peer].versions:
            yield Case(f"suite {suite.name}", peer, ours, suite=suite, expect={"suite": suite.name})


def group_cases(peer, ours, offer):
    for group, (shown, _) in GROUPS.items():
        if group in offer.groups and "1.3" in ABILITIES[peer].versions:
            yield Case(f"group {group}", peer, ours, our_groups=group, peer_groups=group,
                       expect={"group": shown, "client_hellos": "1"})


def signed_by(ours):
    """Names of the facts that tell what the server and what the client has signed with."""
    return ("peer_sig", "own_sig") if ours == "client" else ("own_sig", "peer_sig")


def server_key_beside(client_key, version):
    """The server's key where a client has this one: some servers of TLS 1.2 ask for keys of their own kind only."""
    return "rsa" if client_key == "rsa" and version == "1.2" else "ec256"


def signature_rows(version, table, peer, ours):
    server_signs, client_signs = signed_by(ours)
    able = ABILITIES[peer]
    prefix, signatures, signers = ("", able.signatures, ("server", "client")) if version == "1.3" \
        else ("1.2 ", able.tls12_signatures, able.tls12_signers)
    for scheme, (key, shown, _) in table.items():
        if not scheme.startswith(signatures):
            continue
        if "server" in signers:
            yield Case(f"{prefix}server signs {scheme}", peer, ours, version=version, server_key=key, server_sigalg=scheme,
                       expect={server_signs: shown, "peer": f"server-{key}" if ours == "client" else "-"})
        if "client" in signers:
            server_key = server_key_beside(key, version)
            yield Case(f"{prefix}client signs {scheme}", peer, ours, version=version, server_key=server_key, client_key=key,
                       client_sigalg=scheme,
                       expect={client_signs: shown, "peer": f"server-{server_key}" if ours == "client" else f"client-{key}"})


def signature_cases(peer, ours, _offer):
    if "1.3" in ABILITIES[peer].versions:
        yield from signature_rows("1.3", SIGNATURES, peer, ours)


def alpn_case(prefix, version, peer, ours):
    names = "two,one" if ours == "server" and ABILITIES[peer].protocol_lists else "one"
    return Case(prefix + "alpn", peer, ours, version=version, our_alpn="two,one" if ours == "client" else "one,three",
                peer_alpn=names, expect={"alpn": "one"})


def name_cases(prefix, version, peer, ours):
    if ours == "server":
        yield Case(prefix + "server name", peer, ours, version=version, expect={"sni": "peer.test"})
        yield Case(prefix + "server name with its own certificate", peer, ours, version=version, server_name="other.test",
                   other_certificate=True, expect={"sni": "other.test"})
    elif ABILITIES[peer].knows_several_names:
        yield Case(prefix + "server name", peer, ours, version=version, server_name="other.test", other_certificate=True,
                   expect={"peer": "other"})
    else:
        yield Case(prefix + "server name", peer, ours, version=version, expect={"peer": "server-ec256"})


def feature_cases(peer, ours, offer):
    able = ABILITIES[peer]
    if "1.3" not in able.versions:
        return
    for subject, group, key in (("hello retry", "P-384", None), ("hello retry with client certificate", "P-521", "rsa")):
        # A client peer keeps its own list, whose first group is another. Not every server can be held to one.
        if ours == "client" and not offer.groups:
            continue
        yield Case(subject, peer, ours, client_key=key, our_groups="P-256:" + group if ours == "client" else group,
                   peer_groups=group if ours == "client" else None,
                   expect={"group": GROUPS[group][0], "client_hellos": "2"})
    yield alpn_case("", "1.3", peer, ours)
    yield from name_cases("", "1.3", peer, ours)
    yield Case("key update by us", peer, ours, our_key_updates=2, expect={"key_updates_in": "2", "key_updates_out": "2"})
    if ours in able.asks_key_update:
        yield Case("key update by peer", peer, ours, peer_key_updates=2, expect={"key_updates_in": "2", "key_updates_out": "2"})
    if able.late_auth:
        yield Case("post-handshake authentication", peer, ours, late_auth=True, client_key="ec256",
                   expect={"cert_requests": "1", "peer": "server-ec256" if ours == "client" else "client-ec256"})


# Whoever refuses may close before its alert is read; then our side only sees that the connection ended.
REFUSED = "certificate required|bad certificate|handshake failure|reading failed|writing failed|did not end well|handshake failed"


REFUSES_CERTIFICATE = "unknown ca|bad certificate|certificate unknown|unknown certificate|unsupported certificate|" + REFUSED


def says(peer, words):
    return words if ABILITIES[peer].explains else None


def refused_certificate_cases(prefix, version, peer, ours):
    """Certificates that one side does not take; without a word about the version where it is 1.3."""
    if ours == "client":
        yield Case(prefix + "certificate that we do not trust", peer, ours, version=version, client_trusts="stranger",
                   fails="certificate verify failed")
        yield Case(prefix + "certificate for another name", peer, ours, version=version, server_name="wrong.test",
                   fails="certificate verify failed")
        yield Case(prefix + "no certificate where one is required", peer, ours, version=version, client_key="ec256",
                   withhold_client_certificate=True, fails=REFUSED,
                   peer_says=says(peer, "did not return a certificate|certificate is required|didn't provide a certificate|"
                                        "no certificate was found"))
    else:
        yield Case(prefix + "certificate that the peer does not trust", peer, ours, version=version, client_trusts="stranger",
                   fails=REFUSES_CERTIFICATE,
                   peer_says=says(peer, "verify failed|signer is unknown|issuer is unknown|not trusted|unknown authority"))
        yield Case(prefix + "no certificate where we require one", peer, ours, version=version, client_key="ec256",
                   withhold_client_certificate=True, fails="peer did not return a certificate")


def failing_cases(peer, ours, offer):
    if "1.3" not in ABILITIES[peer].versions:
        return
    if offer.groups:
        yield Case("no common group", peer, ours, our_groups="P-256", peer_groups="P-384",
                   fails="handshake failure|no suitable key share|no shared groups|no suitable groups|bad key share|wrong curve")
    yield from refused_certificate_cases("", "1.3", peer, ours)
    yield Case("no common protocol name", peer, ours, our_alpn="two" if ours == "client" else "one",
               peer_alpn="one" if ours == "client" else "two", fails="no application protocol|no_application_protocol")


def suite_cases_12(peer, ours, offer):
    able = ABILITIES[peer]
    for suite in offer.suites:
        if suite.version != "1.2" or suite.name.startswith(able.cannot_serve if ours == "client" else able.cannot_connect):
            continue
        if suite.psk and not able.pre_shared_keys:
            continue
        with_etm = suite.is_cbc and able.encrypt_then_mac
        expect = {"suite": suite.name, "safe_renegotiation": "0" if ours == "server" and able.insecure_client else "1"}
        # Without encryption both orders are the same bytes; whether the extension is answered is of no consequence.
        etm = {"etm": str(int(with_etm))} if suite.cipher != "NULL" else {}
        yield Case(f"1.2 suite {suite.name}", peer, ours, version="1.2", suite=suite, server_key=suite.server_key,
                   expect={**expect, **etm})
        if with_etm and not suite.psk:
            yield Case(f"1.2 suite {suite.name} without encrypt-then-mac", peer, ours, version="1.2", suite=suite,
                       server_key=suite.server_key, encrypt_then_mac=False, expect={**expect, "etm": "0"})


def named_suite(offer, name):
    return next(suite for suite in offer.suites if suite.name == name)


def parameter_cases_12(peer, ours, offer):
    suite = named_suite(offer, "ECDHE-RSA-AES128-GCM-SHA256")
    for group in GROUPS_12:
        if group in offer.groups:
            yield Case(f"1.2 group {group}", peer, ours, version="1.2", suite=suite, server_key="rsa",
                       our_groups=group, peer_groups=group, expect={"group": GROUPS[group][0]})
    yield from signature_rows("1.2", ALL_SIGNATURES, peer, ours)


def feature_cases_12(peer, ours, _offer):
    able = ABILITIES[peer]
    for key in ("ec256", "rsa", "ed25519"):
        if key == "ed25519" and key not in able.signatures:
            continue
        server_key = server_key_beside(key, "1.2")
        yield Case(f"1.2 client certificate, {key}", peer, ours, version="1.2", server_key=server_key, client_key=key,
                   expect={"cert_requests": "1", "peer": f"server-{server_key}" if ours == "client" else f"client-{key}"})
    yield alpn_case("1.2 ", "1.2", peer, ours)
    yield from name_cases("1.2 ", "1.2", peer, ours)
    yield Case("1.2 is all the peer knows", peer, ours, version="1.2", our_version="any", expect={"version": "TLSv1.2"})
    if "1.3" in able.versions:
        yield Case("1.2 is all we know", peer, ours, version="any", our_version="1.2", expect={"version": "TLSv1.2"})
        yield Case("1.3 where both know both", peer, ours, version="any", our_version="any", expect={"version": "TLSv1.3"})
    if ours in able.accepts_renegotiation:
        yield Case("1.2 renegotiation by us", peer, ours, version="1.2", our_renegotiations=2,
                   expect={"renegotiations": "2", "client_hellos": "3"})
    if ours in able.asks_renegotiation:
        yield Case("1.2 renegotiation by peer", peer, ours, version="1.2", peer_renegotiations=2, expect={"client_hellos": "3"})


def old_version_cases(peer, ours, offer):
    able = ABILITIES[peer]
    for version in able.old_versions:
        speaks = {"version": "TLSv1.1" if version == "1.1" else "TLSv1"}
        safe = "0" if ours == "server" and able.insecure_client else "1"
        suites = {suite.name: suite for suite in offer.suites if suite.is_cbc and suite.mac == "SHA1" and not suite.psk
                  and suite.server_key in ("ec256", "rsa") and not suite.cipher.startswith("3DES")}
        for name, suite in suites.items():
            if name.startswith(able.cannot_serve if ours == "client" else able.cannot_connect):
                continue
            # Records of TLS 1.1 are those of TLS 1.2.
            for etm in (True, False) if version == "1.0" and able.encrypt_then_mac else (True,):
                yield Case(f"{version} suite {name}" + ("" if etm else " without encrypt-then-mac"), peer, ours, version=version,
                           suite=suite, server_key=suite.server_key, encrypt_then_mac=etm,
                           expect={**speaks, "suite": name, "etm": str(int(etm and able.encrypt_then_mac)),
                                   "safe_renegotiation": safe})
        suite = suites["ECDHE-RSA-AES128-SHA"]
        for key in ("rsa", "ec256"):
            yield Case(f"{version} client certificate, {key}", peer, ours, version=version, suite=suite, server_key="rsa",
                       client_key=key, expect={**speaks, "peer": "server-rsa" if ours == "client" else f"client-{key}"})
        if ours in able.accepts_renegotiation:
            # In TLS 1.0 clients send the first byte of a block by itself: our server cannot ask before it has the rest.
            times = 1 if version == "1.0" and ours == "server" else 2
            yield Case(f"{version} renegotiation by us", peer, ours, version=version, suite=suite, server_key="rsa",
                       our_renegotiations=times,
                       expect={**speaks, "renegotiations": str(times), "client_hellos": str(times + 1)})
        yield Case(f"{version} against our defaults", peer, ours, version=version, suite=suite, server_key="rsa",
                   our_version="1.2", fails="unsupported protocol|protocol version|wrong version|handshake failure|alert")


def failing_cases_12(peer, ours, offer):
    yield Case("1.2 no common version", peer, ours, version="1.2", our_version="1.3",
               fails="unsupported protocol|protocol version|wrong version|handshake failure")
    yield Case("1.2 no common suite", peer, ours, version="1.2", suite=named_suite(offer, "ECDHE-ECDSA-AES128-GCM-SHA256"),
               server_key="rsa", fails="no shared cipher|handshake failure")
    yield from refused_certificate_cases("1.2 ", "1.2", peer, ours)


MAKERS = (suite_cases, group_cases, signature_cases, feature_cases, failing_cases, suite_cases_12, parameter_cases_12,
          feature_cases_12, failing_cases_12, old_version_cases)


def all_cases(quick, offers):
    """Every case with a peer in `offers`; for a peer that is missing there, one row that stands for all of them."""
    for peer in PEERS:
        if peer not in offers:
            yield Case("every case", peer, "client")
            continue
        for ours in ("client", "server"):
            for make in MAKERS:
                for case in make(peer, ours, offers[peer]):
                    if not quick or case.subject in QUICK:
                        yield case
