"""Cipher suites: which ones our library has, which a peer has, and what is to be known of one from its name.

Nothing here is a list of suites: ours are what our program names on the library under test (`peer list`), a peer's are
what it names itself, and a case is made for each that both name.
"""

import re
from dataclasses import dataclass

# Key exchange in the registry's names: (kind of the server's key or None, GnuTLS's name)
EXCHANGES = {
    "ECDHE_ECDSA": ("ec256", "ECDHE-ECDSA"),
    "ECDHE_RSA": ("rsa", "ECDHE-RSA"),
    "DHE_RSA": ("rsa", "DHE-RSA"),
    "DHE_DSS": ("dsa", "DHE-DSS"),
    "RSA": ("rsa", "RSA"),
    "ECDH_anon": (None, "ANON-ECDH"),
    "DH_anon": (None, "ANON-DH"),
    "PSK": (None, "PSK"),
    "DHE_PSK": (None, "DHE-PSK"),
    "PSK_DHE": (None, "DHE-PSK"),  # what the registry calls it with CCM_8
    "ECDHE_PSK": (None, "ECDHE-PSK"),
    "RSA_PSK": ("rsa", "RSA-PSK"),
}


@dataclass(frozen=True)
class Suite:
    """One suite of ours."""

    number: int          # as on the wire
    name: str            # what OpenSSL calls it
    registered: str      # what the registry of IANA calls it

    @property
    def version(self):
        return "1.2" if "_WITH_" in self.registered else "1.3"

    @property
    def exchange(self):
        """Such as ECDHE_RSA; None in TLS 1.3."""
        return self.registered[4:].split("_WITH_")[0] if self.version == "1.2" else None

    @property
    def server_key(self):
        return EXCHANGES[self.exchange][0] if self.exchange else "ec256"

    @property
    def psk(self):
        """Does it take a pre-shared key?"""
        return self.exchange is not None and "PSK" in self.exchange

    @property
    def cipher(self):
        """Such as AES_128_CBC, AES_128_CCM_8, NULL."""
        rest = self.registered.split("_WITH_")[-1].removeprefix("TLS_")
        return rest if re.search(r"_CCM(_8)?$", rest) else rest.rpartition("_")[0]

    @property
    def is_cbc(self):
        return self.cipher.endswith("_CBC")

    @property
    def mac(self):
        if not self.is_cbc and self.cipher != "NULL":
            return "AEAD"
        return self.registered.rpartition("_")[2].replace("SHA", "SHA1") if self.registered.endswith("SHA") \
            else self.registered.rpartition("_")[2]

    @property
    def list_string(self):
        """For a list in OpenSSL's language: unprotected and anonymous suites need security level 0."""
        weak = self.cipher == "NULL" or (self.server_key is None and not self.psk)
        return self.name + (":@SECLEVEL=0" if weak else "")

    @property
    def gnutls(self):
        """The words of GnuTLS's priority string that allow this suite alone."""
        cipher = self.cipher.replace("_", "-")
        if self.version == "1.3":
            return ["-CIPHER-ALL", "+" + cipher]
        return ["-KX-ALL", "+" + EXCHANGES[self.exchange][1], "-CIPHER-ALL", "+" + cipher, "-MAC-ALL", "+" + self.mac]


def ours(text):
    """The suites in what our program lists, in its order, without those whose key exchange has no rows here."""
    found = [Suite(int(number, 16), name, registered)
             for number, name, registered in re.findall(r"^suite ([0-9a-f]{4}) (\S+) (\S+)$", text, re.MULTILINE)]
    return [suite for suite in found if suite.exchange is None or suite.exchange in EXCHANGES]


def shared(our_suites, text):
    """Those of ours that a peer names, by number or by registered name, in lines 'suite ...'."""
    named = set(re.findall(r"^suite (\S+)$", text, re.MULTILINE))
    return [suite for suite in our_suites if f"{suite.number:04x}" in named or suite.registered in named]
