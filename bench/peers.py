"""Question "peers": the same handshakes and records on Tenon, the system's libssl and other libraries that Debian has,
each in its own API (bench/peers). A library whose package is missing is left out, and that is said."""

import os

import asking

# Name: program, Debian's package, its header, what to link.
OTHERS = {
    "GnuTLS": ("gnutls", "libgnutls28-dev", "gnutls/gnutls.h", ["-lgnutls"]),
    "wolfSSL": ("wolfssl", "libwolfssl-dev", "wolfssl/ssl.h", ["-lwolfssl"]),
    "mbedTLS": ("mbedtls", "libmbedtls-dev", "mbedtls/ssl.h", ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"]),
}
DRIVER = ["peers/driver.c", "measure.c"]


def has_header(name):
    return any(os.path.isfile(os.path.join(folder, name)) for folder in ("/usr/include", "/usr/local/include"))


class Question:
    cells, rounds = ["tls13", "tls12"], 5

    def missing(self):
        return []

    def close(self):
        pass

    def contenders(self, lib):
        identity = asking.identity_files()
        ours = asking.compile_program("peer-openssl", ["peers/openssl.c", *DRIVER, "harness.c", "identity.c"],
                                      asking.LIBS)
        versions = {}

        def on_openssl(lib):
            def ask(cell):
                figures, facts = asking.read_answers([ours, identity, *cell], asking.environment(lib))
                asking.check_mapped(lib, facts["library"], "peer-openssl")
                facts.pop("version")
                return figures, {**facts, **versions}
            return ask

        contenders = {asking.SYSTEM: on_openssl(None), asking.TENON: on_openssl(lib)}
        for name, (program, package, header, libraries) in OTHERS.items():
            if not has_header(header):
                print(f"peers: without {name}, as there is no {package} (Debian package)", flush=True)
                continue
            path = asking.compile_program("peer-" + program, [f"peers/{program}.c", *DRIVER], libraries)

            def ask(cell, name=name, path=path):
                figures, facts = asking.read_answers([path, identity, *cell], asking.environment(None))
                versions[name] = facts["version"]
                return figures, {}
            contenders[name] = ask
        return contenders
