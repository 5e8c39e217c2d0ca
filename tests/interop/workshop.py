"""What the cases need: a temporary directory with keys, certificates, our program, and the peers that can be had."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cases
import others
import peers
import suites

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]

KEYS = {
    "ec256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ec384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "ec521": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsapss": ["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ed25519": ["ED25519"],
    "ed448": ["ED448"],
}


class Workshop:
    """`files` names keys, certificates and programs; `peers` has those that are here, `missing` says why others are not."""

    def __init__(self, directory, library, sanitized):
        self.here = os.path.dirname(os.path.abspath(__file__))
        self.directory = directory
        self.library = os.path.realpath(library)
        self.files, self.peers, self.missing, self.offers = {}, {}, {}, {}
        with ThreadPoolExecutor(2) as pool:
            work = [pool.submit(self.make_certificates), pool.submit(self.build_peer, sanitized)]
            work += [pool.submit(self.prepare, name) for name in cases.PEERS]
            for each in work:
                each.result()
        self.ask_for_offers()

    @staticmethod
    def has(command):
        return shutil.which(command) is not None

    @staticmethod
    def run_tool(command, **options):
        result = subprocess.run(command, capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL,
                                check=False, **options)
        if result.returncode != 0:
            sys.exit(f"interop: {' '.join(command[:3])} failed:\n{result.stderr[-2000:]}")

    def path(self, name):
        self.files[name] = os.path.join(self.directory, name)
        return self.files[name]

    def make_key(self, name, kind):
        if kind == "dsa":
            parameters = os.path.join(self.directory, "dsa-parameters")
            if not os.path.exists(parameters):
                self.run_tool(["openssl", "genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:2048",
                               "-pkeyopt", "dsa_paramgen_q_bits:256", "-out", parameters])
            self.run_tool(["openssl", "genpkey", "-paramfile", parameters, "-out", self.path(name + ".key")])
            return
        algorithm, *rest = KEYS[kind]
        self.run_tool(["openssl", "genpkey", "-algorithm", algorithm, *rest, "-out", self.path(name + ".key")])

    def make_certificates(self):
        for name in ("ca", "stranger"):
            self.make_key(name, "ec256")
            self.run_tool(["openssl", "req", "-x509", "-new", "-key", self.files[name + ".key"], "-subj", "/CN=" + name,
                           "-days", "3", "-addext", "keyUsage=critical,keyCertSign", "-out", self.path(name + ".pem")])
        for kind in (*KEYS, "dsa"):
            self.make_leaf("server-" + kind, kind, "DNS:peer.test", "serverAuth")
            self.make_leaf("client-" + kind, kind, "DNS:client.test", "clientAuth")
        self.make_leaf("other", "ec256", "DNS:other.test", "serverAuth")

    def make_leaf(self, name, kind, names, purpose):
        self.make_key(name, kind)
        request, extensions = os.path.join(self.directory, "csr"), os.path.join(self.directory, "ext")
        self.run_tool(["openssl", "req", "-new", "-key", self.files[name + ".key"], "-subj", "/CN=" + name, "-out", request])
        with open(extensions, "w", encoding="ascii") as file:
            usage = "digitalSignature,keyEncipherment" if kind == "rsa" else "digitalSignature"
            file.write(f"subjectAltName={names}\nextendedKeyUsage={purpose}\nkeyUsage={usage}\n")
        self.run_tool(["openssl", "x509", "-req", "-in", request, "-CA", self.files["ca.pem"], "-CAkey", self.files["ca.key"],
                       "-days", "3", "-extfile", extensions, "-out", self.path(name + ".pem")])

    def build_peer(self, sanitized):
        compiler = os.environ.get("CC", "cc")
        sources = [os.path.join(self.here, name) for name in ("peer.c", "peer_context.c", "peer_options.c", "peer_list.c")]
        self.run_tool([compiler, "-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror",
                       *(SANITIZERS if sanitized else []), "-o", self.path("peer"), *sources, "-lssl", "-lcrypto"])
        loaded = subprocess.run(["ldd", self.files["peer"]], env=self.our_env(), capture_output=True, text=True,
                                timeout=20, check=False).stdout
        match = re.search(r"libssl\.so\.3 => (\S+)", loaded)
        if not match or os.path.realpath(match.group(1)) != os.path.join(self.library, "libssl.so.3"):
            sys.exit(f"interop: our program would not run on {self.library}/libssl.so.3 but on {match and match.group(1)}")

    def prepare(self, name):
        if name in others.OTHERS:
            peer = others.OTHERS[name](self.files)
            reason = peer.build(self)
        else:
            peer = peers.COMMANDS[name](self.files)
            reason = peer.prepare(self)
        if reason:
            self.missing[name] = reason
        else:
            self.peers[name] = peer

    def ask_for_offers(self):
        listed = subprocess.run([self.files["peer"], "list"], env=self.our_env(), capture_output=True, text=True, timeout=60,
                                check=True).stdout
        our_suites = suites.ours(listed)
        for name, peer in self.peers.items():
            text = peer.listed()
            self.offers[name] = cases.Offer(suites.shared(our_suites, text),
                                            frozenset(re.findall(r"^group (\S+)$", text, re.MULTILINE)))

    def our_env(self):
        return {**os.environ, "LD_LIBRARY_PATH": self.library}

    def stop(self):
        for peer in self.peers.values():
            peer.stop()
