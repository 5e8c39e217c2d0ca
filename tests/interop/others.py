"""The peers that are programs of ours on other implementations: they share a command line (see others/other.h)."""

import os
import re
import subprocess
import threading
import time

import cases
from peers import STEP_LIMIT, Failure, Peer, Process, output_of


def arguments_of(case, peer, role):
    """What such a program is told, apart from a port to connect to; `role` is the program's."""
    arguments = [role, "--version", case.version]
    if case.suite:
        arguments += ["--suite", f"0x{case.suite.number:04x}", "--suite-name", case.suite.registered]
    if case.peer_groups:
        arguments += ["--group", case.peer_groups]
    if case.peer_alpn:
        arguments += ["--alpn", case.peer_alpn]
    if case.suite and case.suite.psk:
        arguments += ["--psk", cases.PSK, "--psk-identity", cases.PSK_IDENTITY]
    if not case.encrypt_then_mac:
        arguments += ["--no-etm"]
    if case.connections > 1:
        arguments += ["--connections", str(case.connections)]
    if case.early:
        arguments += ["--early", str(case.early)] if role == "client" else ["--max-early", str(cases.MAX_EARLY)]
    name = None
    if role == "server":
        if not case.anonymous:
            name = "server-" + case.server_key
        if case.client_key:
            arguments += ["--verify-client", "--ca", peer.files["ca.pem"]]
    else:
        arguments += ["--sni", case.server_name, "--ca", peer.files[case.client_trusts + ".pem"]]
        if case.client_key and not case.withhold_client_certificate:
            name = "client-" + case.client_key
    if name:
        cert, key = peer.key_pair(name)
        arguments += ["--cert", cert, "--key", key]
    return arguments


class OtherPeer(Peer):
    """One process for each connection. A subclass says how the program is made, in build()."""

    def listed(self):
        return output_of(self.program + ["list"])

    def start(self, arguments):
        return Process(self.program + arguments)

    def start_server(self, case):
        server = self.start(arguments_of(case, self, "server"))
        return server, int(server.wait_for(rb"port (\d+)").group(1))

    def start_client(self, case, port):
        return self.start(arguments_of(case, self, "client") + ["--port", str(port)])

    def our_client_arguments(self, case):
        return []

    def serve(self, case, server):
        """An echo server: our client drives."""

    def check_server(self, case, server):
        status = server.finish()
        if status != 0:
            raise Failure(f"the server ended with {status}")
        wanted = {"sni": case.server_name, "peer": "client-" + case.client_key if case.client_key else "-"}
        facts = re.search(rb"^facts (.*)$", server.out, re.MULTILINE).group(1).decode().split()
        for word in (f"{key}={value}" for key, value in wanted.items()):
            if word not in facts:
                raise Failure(f"the server did not see {word}")

    def use(self, case, client):
        status = client.finish()
        if status != 0:
            raise Failure(f"the client ended with {status}")


class CPeer(OtherPeer):
    """A program of others/ on a C library: its source, headers that tell whether the package is there, and what to link."""

    source = header = package = None
    libraries = ()

    def flags(self):
        return []

    def build(self, shop):
        here = os.path.join(shop.here, "others")
        compiler = [os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", *self.flags()]
        found = subprocess.run(compiler + ["-E", "-x", "c", "-"], input=f"#include <{self.header}>\n", text=True,
                               capture_output=True, timeout=60, check=False)
        if found.returncode != 0:
            return f"no {self.header} (Debian package {self.package})"
        self.program = [os.path.join(shop.directory, "peer-" + self.source)]
        shop.run_tool(compiler + ["-o", *self.program, os.path.join(here, self.source), os.path.join(here, "other.c"),
                                  *["-l" + name for name in self.libraries]])
        return None


class NSSPeer(CPeer):
    source, header, package = "nss.c", "nss.h", "libnss3-dev"
    libraries = ("ssl3", "nss3", "nspr4")

    def flags(self):
        return ["-I/usr/include/nss", "-I/usr/include/nspr"]


class MbedTLSPeer(CPeer):
    source, header, package = "mbedtls.c", "mbedtls/ssl.h", "libmbedtls-dev"
    libraries = ("mbedtls", "mbedx509", "mbedcrypto")


class WolfSSLPeer(CPeer):
    source, header, package = "wolfssl.c", "wolfssl/options.h", "libwolfssl-dev"
    libraries = ("wolfssl",)


class BearSSLPeer(CPeer):
    source, header, package = "bearssl.c", "bearssl.h", "libbearssl-dev"
    libraries = ("bearssl",)


class GoPeer(OtherPeer):
    """On Go's crypto/tls, in go/."""

    def build(self, shop):
        if not shop.has("go"):
            return "no go (Debian package golang-go)"
        env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local",
               "GOCACHE": os.path.realpath(os.path.join(shop.here, "..", "..", "build-interop", "go-cache")),
               "GOPATH": os.path.join(shop.directory, "go-path")}
        self.program = [os.path.join(shop.directory, "gopeer")]
        shop.run_tool(["go", "build", "-o", *self.program, "."], cwd=os.path.join(shop.here, "go"), env=env)
        return None


class JavaConnection:
    """One connection of the Java process, with what a Process has of its own."""

    def __init__(self, peer, number, arguments):
        self.machine, self.number = peer.machine, str(number).encode()
        self.command = ["java", *arguments]
        self.machine.send(b"\t".join([self.number] + [word.encode() for word in arguments]) + b"\n")

    @property
    def out(self):
        return b"\n".join(re.findall(rb"^%s (.*)$" % self.number, bytes(self.machine.out), re.MULTILINE))

    err = b""

    def wait_for(self, pattern, limit=STEP_LIMIT):
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self.machine.process.poll() is None:
            match = re.search(pattern, self.out, re.MULTILINE)
            if match:
                return match
            if b"end " in self.out:
                raise Failure(f"Java's connection ended before {pattern!r}")
            time.sleep(0.005)
        raise Failure(f"Java did not say {pattern!r} in time")

    def finish(self):
        return int(self.wait_for(rb"^end (\d)$").group(1))

    def end(self):
        """It ends by itself, at its own time limit at the latest."""

    def close_input(self):
        """It has none."""

    def told(self):
        return self.out.decode("utf-8", "replace")


class JavaPeer(OtherPeer):
    """On Java's JSSE, in java/: one process that serves every connection, started at the first."""

    def __init__(self, files):
        super().__init__(files)
        self.machine, self.count, self.lock = None, 0, threading.Lock()

    def build(self, shop):
        if not shop.has("java") or not shop.has("javac"):
            return "no javac (Debian package default-jdk-headless)"
        shop.run_tool(["javac", "-d", shop.directory, os.path.join(shop.here, "java", "Peer.java")])
        self.program = ["java", "-XX:TieredStopAtLevel=1", "-cp", shop.directory, "Peer"]
        return None

    def start(self, arguments):
        with self.lock:
            if self.machine is None:
                self.machine = Process(self.program)
            self.count += 1
            return JavaConnection(self, self.count, arguments)

    def stop(self):
        if self.machine is not None:
            self.machine.end()


OTHERS = {"go": GoPeer, "nss": NSSPeer, "mbedtls": MbedTLSPeer, "wolfssl": WolfSSLPeer, "bearssl": BearSSLPeer,
          "java": JavaPeer}
