"""How the peers that are commands of Debian's packages are started for a case, and how a conversation with them goes;
the programs of ours on other implementations are in others.py.

The output of a peer is collected while it runs. A server names its port (or was given one); a client is spoken to through
its standard input and must show on its standard output what comes back.
"""

import array
import fcntl
import os
import re
import signal
import socket
import subprocess
import termios
import threading
import time

import cases

CASE_LIMIT = 45      # seconds for one connection, with a sanitizer and the slowest group
STEP_LIMIT = 20      # seconds until a process listens, answers or ends

LINES = [b"1234567890\n", b"12345" * 600 + b"\n", b"67890" * 4000 + b"\n"]


class Failure(Exception):
    """A case failed; the text says why."""


class Process:
    """A child whose output is read by two threads, so that it never blocks, and that ends with the case."""

    def __init__(self, command, env=None, **options):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=env, **options)
        self.out, self.err = bytearray(), bytearray()
        self.threads = [threading.Thread(target=self._collect, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _collect(stream, kept):
        while True:
            data = os.read(stream.fileno(), 65536)
            if not data:
                return
            kept += data

    def wait_for(self, pattern, start=0, where="out", limit=STEP_LIMIT):
        """The match of a byte pattern in what the process has written since offset start."""
        expression = re.compile(pattern)
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            match = expression.search(bytes(getattr(self, where)), start)
            if match:
                return match
            if ended:
                self.join()
                match = expression.search(bytes(getattr(self, where)), start)
                if match:
                    return match
                raise Failure(f"{self.command[0]} ended with {self.process.returncode} before it wrote {pattern[:60]!r}")
            time.sleep(0.005)
        raise Failure(f"{self.command[0]} did not write {pattern[:60]!r} in time")

    def send(self, data):
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except OSError as error:
            raise Failure(f"{self.command[0]} no longer reads: {error}") from error

    def command_line(self, data):
        """Sends a line that the process must read by itself, not in one piece with the text around it."""
        self.wait_until_read()
        self.send(data)
        self.wait_until_read()

    def wait_until_read(self):
        unread = array.array("i", [0])
        deadline = time.monotonic() + STEP_LIMIT
        while time.monotonic() < deadline:
            fcntl.ioctl(self.process.stdin.fileno(), termios.FIONREAD, unread)
            if unread[0] == 0:
                return
            time.sleep(0.005)
        raise Failure(f"{self.command[0]} does not read its input")

    def close_input(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass

    def finish(self):
        """The exit status, once the process has ended by itself."""
        try:
            status = self.process.wait(STEP_LIMIT)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.command[0]} did not end in time") from None
        self.join()
        return status

    def join(self):
        for thread in self.threads:
            thread.join(5)

    def end(self):
        """Ends it, if it has not ended yet; only ever this process."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.close_input()
        self.join()

    def told(self):
        """The end of what it wrote, for a report."""
        kept = []
        for text in (self.out, self.err):
            kept += [line[:160] for line in text.decode("utf-8", "replace").splitlines() if line.strip()][-8:]
        return "\n".join(kept)


def converse(process, interject=None):
    """Speaks each line to a client peer and waits until it shows it again; interject(i) is called between them."""
    for number, line in enumerate(LINES):
        start = len(process.out)
        process.send(line)
        process.wait_for(re.escape(line.strip()), start)
        if interject:
            interject(number)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(port, process):
    """Without connecting, which would use up a server that serves one connection."""
    wanted = f" 0100007F:{port:04X} 00000000:0000 0A "
    deadline = time.monotonic() + STEP_LIMIT
    while time.monotonic() < deadline:
        with open("/proc/net/tcp", encoding="ascii") as table:
            if any(wanted in line for line in table):
                return
        if process.process.poll() is not None:
            raise Failure(f"{process.command[0]} ended before it listened")
        time.sleep(0.01)
    raise Failure(f"{process.command[0]} does not listen")


def sigalg_list(scheme):
    """One scheme for the handshake, and the one that our CA signs with for the chain."""
    return scheme if scheme == "ecdsa_secp256r1_sha256" else scheme + ":ecdsa_secp256r1_sha256"


def output_of(command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command[:2])} failed: {result.stderr[-500:]}")
    return result.stdout


class Peer:
    """What all have in common; `files` maps names of certificates and keys to paths."""

    def __init__(self, files):
        self.files = files

    def listed(self):
        """What it has: lines "suite NUMBER-or-name" and "group NAME" (OpenSSL's names for groups)."""
        raise NotImplementedError

    def stop(self):
        """Called once, when all cases are done."""

    def key_pair(self, name):
        return self.files[name + ".pem"], self.files[name + ".key"]


class OpenSSLPeer(Peer):
    """The command openssl on the system's library."""

    def prepare(self, shop):
        """Why it is not here, or None."""
        return None if shop.has("openssl") else "no command openssl (Debian package openssl)"

    def listed(self):
        lines = output_of(["openssl", "ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]).splitlines()
        ccm = ["suite TLS_AES_128_CCM_SHA256", "suite TLS_AES_128_CCM_8_SHA256"]
        return "\n".join(["suite " + line.split()[0] for line in lines] + ccm + ["group " + name for name in cases.GROUPS])

    def common(self, case):
        arguments = {"1.3": ["-tls1_3"], "1.2": ["-tls1_2"], "1.1": ["-tls1_1"], "1.0": ["-tls1"], "any": []}[case.version]
        arguments = arguments + ["-CAfile", self.files[case.client_trusts + ".pem"]]
        if case.suite:
            arguments += ["-cipher" if case.suite.version == "1.2" else "-ciphersuites", case.ciphers]
        if case.suite and case.suite.psk:
            arguments += ["-psk_identity", cases.PSK_IDENTITY, "-psk", cases.PSK.encode().hex()]
        if case.peer_groups:
            arguments += ["-groups", case.peer_groups]
        if case.peer_alpn:
            arguments += ["-alpn", case.peer_alpn]
        return arguments

    def start_server(self, case):
        command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1"]
        if case.anonymous:
            command += ["-nocert"]
        else:
            cert, key = self.key_pair("server-" + case.server_key)
            command += ["-cert", cert, "-key", key]
        command += self.common(case)
        if case.suite and case.suite.psk:
            command += ["-psk_hint", "a hint"]
        if case.other_certificate:
            other_cert, other_key = self.key_pair("other")
            command += ["-servername", "other.test", "-servername_fatal", "-cert2", other_cert, "-key2", other_key]
        if case.client_key and not case.late_auth:
            command += ["-Verify", "2", "-verify_return_error"]
        if case.client_sigalg:
            command += ["-client_sigalgs", sigalg_list(case.client_sigalg)]
        if case.our_renegotiations:
            command += ["-client_renegotiation"]
        # -rev sends back each line reversed; it takes a lone KeyUpdate for the end, so those cases are spoken to instead.
        if not self.speaks(case):
            command += ["-rev"]
        server = Process(command)
        port = int(server.wait_for(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))
        return server, port

    @staticmethod
    def speaks(case):
        """Is the server told what to send, with our client as the echo?"""
        return bool(case.our_key_updates or case.peer_key_updates or case.late_auth or case.our_renegotiations)

    def our_client_arguments(self, case):
        return ["--echo", str(sum(map(len, LINES)))] if self.speaks(case) else ["--reversed"]

    def serve(self, case, server):
        if not self.speaks(case):
            return
        server.wait_for(rb"Shared ciphers")

        def interject(number):
            if number < case.peer_key_updates:
                server.command_line(b"K\n")
            if case.late_auth and number == 0:
                server.command_line(b"c\n")

        converse(server, interject)

    def check_server(self, case, server):
        status = server.finish()
        if status != 0:
            raise Failure(f"s_server ended with {status}")

    def start_client(self, case, port):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-brief", "-servername", case.server_name,
                   "-verify_hostname", case.server_name, "-verify_return_error"] + self.common(case)
        if case.client_key and not case.withhold_client_certificate:
            cert, key = self.key_pair("client-" + case.client_key)
            command += ["-cert", cert, "-key", key]
        if case.late_auth:
            command += ["-enable_pha"]
        if case.server_sigalg:
            command += ["-sigalgs", sigalg_list(case.server_sigalg)]
        return Process(command)

    def use(self, case, client):
        client.wait_for(rb"CONNECTION ESTABLISHED", where="err")

        def interject(number):
            if number < case.peer_key_updates:
                client.command_line(b"K\n")
            if number < case.peer_renegotiations:
                client.command_line(b"R\n")

        converse(client, interject)
        client.close_input()
        status = client.finish()
        if status != 0:
            raise Failure(f"s_client ended with {status}")


class GnuTLSPeer(Peer):
    """gnutls-cli and gnutls-serv."""

    def prepare(self, shop):
        """Why it is not here, or None."""
        if not shop.has("gnutls-cli") or not shop.has("gnutls-serv"):
            return "no gnutls-cli (Debian package gnutls-bin)"
        shop.run_tool([os.environ.get("CC", "cc"), "-std=c11", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-shared", "-fPIC",
                       "-o", shop.path("loopback.so"), os.path.join(shop.here, "loopback.c")])
        with open(shop.path("psk"), "w", encoding="ascii") as file:
            file.write(f"{cases.PSK_IDENTITY}:{cases.PSK.encode().hex()}\n")
        with open(shop.path("early"), "w", encoding="ascii") as file:
            file.write("early\n" * 166 + "end\n")
        return None

    def listed(self):
        # It names suites with DSA, too, whose signatures it takes no more.
        numbers = re.findall(r"^TLS_(?!DHE_DSS)\S+\s+0x(\w\w), 0x(\w\w)", output_of(["gnutls-cli", "--list"]), re.MULTILINE)
        groups = [name for name, (_, gnutls) in cases.GROUPS.items() if gnutls]
        return "\n".join(["suite " + high + low for high, low in numbers] + ["group " + name for name in groups])

    @staticmethod
    def priority(case):
        words = ["NORMAL", "-VERS-ALL"] + ["+VERS-TLS" + version for version in ("1.3", "1.2")
                                                            if case.version in (version, "any")]
        if case.version in ("1.1", "1.0"):
            words += ["+VERS-TLS" + case.version]
        if case.suite:
            words += case.suite.gnutls
        if not case.encrypt_then_mac:
            words += ["%NO_ETM"]
        if case.peer_groups:
            words += ["-GROUP-ALL"] + ["+" + cases.GROUPS[group][1] for group in case.peer_groups.split(":")]
        sigalg = case.server_sigalg if case.ours == "server" else case.client_sigalg
        if sigalg:
            # A server's list is also what it may sign with itself: the scheme of our CA's key is always in it.
            names = [cases.ALL_SIGNATURES[scheme][2] for scheme in sigalg_list(sigalg).split(":")]
            if case.version == "1.2":
                names = [re.sub("-SECP[0-9]+R1", "", name) for name in names]
            words += ["-SIGN-ALL"] + ["+" + name for name in names]
        return ":".join(words)

    def start_server(self, case):
        port = free_port()
        command = ["gnutls-serv", "--echo", "-p", str(port), "--x509cafile", self.files["ca.pem"],
                   "--priority", self.priority(case)]
        if not case.anonymous:
            cert, key = self.key_pair("server-" + case.server_key)
            command += ["--x509certfile", cert, "--x509keyfile", key]
        if case.suite and case.suite.psk:
            command += ["--pskpasswd", self.files["psk"], "--pskhint", "a hint"]
        if case.peer_alpn:
            command += ["--alpn", case.peer_alpn, "--alpn-fatal"]
        if case.early:
            command += ["--earlydata", "--maxearlydata", str(cases.MAX_EARLY)]
        if case.late_auth or not case.client_key:
            command += ["--disable-client-cert"]
        else:
            command += ["--require-client-cert", "--verify-client-cert"]
        server = Process(command, env={**os.environ, "LD_PRELOAD": self.files["loopback.so"]})
        wait_until_listening(port, server)
        return server, port

    def our_client_arguments(self, case):
        return ["--first-line", "**REAUTH**"] if case.late_auth else []

    def serve(self, case, server):
        """An echo server: our client drives."""

    def check_server(self, case, server):
        if server.process.poll() is not None:
            raise Failure(f"gnutls-serv ended with {server.process.returncode}")

    def start_client(self, case, port):
        command = ["gnutls-cli", "127.0.0.1", "-p", str(port), "--x509cafile", self.files[case.client_trusts + ".pem"],
                   "--sni-hostname", case.server_name, "--verify-hostname", case.server_name,
                   "--logfile", "/dev/stderr", "--inline-commands", "--priority", self.priority(case)]
        if case.client_key and not case.withhold_client_certificate:
            cert, key = self.key_pair("client-" + case.client_key)
            command += ["--x509certfile", cert, "--x509keyfile", key]
        if case.suite and case.suite.psk:
            command += ["--pskusername", cases.PSK_IDENTITY, "--pskkey", cases.PSK.encode().hex()]
        if case.late_auth:
            command += ["--post-handshake-auth"]
        if case.peer_alpn:
            command += [word for name in case.peer_alpn.split(",") for word in ("--alpn", name)]
        if case.connections > 1:
            command += ["--resume", "--waitresumption"] if case.version == "1.3" else ["--resume"]
        if case.early:
            command += ["--earlydata", self.files["early"]]
        # With more than one group it would send several key shares, and no second ClientHello would be needed.
        command += ["--single-key-share"]
        return Process(command)

    def use(self, case, client):
        def interject(number):
            if number < case.peer_key_updates:
                client.command_line(b"^rekey^\n")
            if number < case.peer_renegotiations:
                client.command_line(b"^renegotiate^\n")

        converse(client, interject)
        client.close_input()
        status = client.finish()
        if status != 0:
            raise Failure(f"gnutls-cli ended with {status}")


COMMANDS = {"openssl": OpenSSLPeer, "gnutls": GnuTLSPeer}
