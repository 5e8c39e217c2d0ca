"""What the tests of programs have in common: a directory, certificates, ports, processes on Tenon or on the system's
library, and the proof of which libssl each of them used.

The proof comes from the dynamic loader itself: with LD_DEBUG=libs every process writes down the libraries whose
initialisers it calls. As some servers close every file they have inherited, what the processes of a running server have
mapped counts as well. A program that was to run on Tenon, or one of its children, has to have used our file; none of
them may have used another libssl.so.3.
"""

import concurrent.futures
import glob
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

SECONDS_TO_START = 20
SECONDS_TO_STOP = 10
SECONDS_TO_RUN = 60
LIBSSL = re.compile(r"calling init: (\S*/libssl\.so\.3)$", re.MULTILINE)
REGISTER = re.compile(r" (/dev/shm/tenon-early-[0-9a-f]{32})$", re.MULTILINE)
MAPPED = re.compile(r"(/\S*/libssl\.so\.3\S*)$", re.MULTILINE)


class Failure(Exception):
    """What a program did wrong."""


class Skip(Exception):
    """Why a program cannot be tested on this machine."""


class Toolbox:
    """One test's surroundings. Everything it makes is in one directory, everything it starts is ended by close()."""

    def __init__(self, directory, libdir, certificates):
        self.dir = pathlib.Path(directory)
        self.libdir = os.path.realpath(libdir)
        self.certs = certificates
        self.processes = []
        self.registers = set()  # files of strike registers that servers have made
        self.traces = []  # (name of the program, where the loader writes)

    # ---- files and ports ----

    def path(self, name):
        return str(self.dir / name)

    def write(self, name, text, mode=0o644):
        """Writes a file of the test's directory and returns its path."""
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return str(path)

    def random_file(self, name, size):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
        return str(path)

    @staticmethod
    def port():
        """A TCP port of the loopback interface that nobody listens on."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    # ---- processes ----

    def _environment(self, command, tenon, extra):
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.dir),
               "LANG": "C.UTF-8", "TMPDIR": str(self.dir)}
        env.update(extra or {})
        if tenon:
            trace = self.path(f"loader-{len(self.traces)}")
            self.traces.append((os.path.basename(command[0]), trace))
            env.update(LD_LIBRARY_PATH=self.libdir, LD_DEBUG="libs", LD_DEBUG_OUTPUT=trace)
        return env

    def start(self, command, port=None, tenon=True, env=None, user=None, wait=True):
        """Starts a server and waits until it listens on port. Its output is in the test's directory."""
        log = open(self.path(f"log-{len(self.processes)}"), "wb")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                   env=self._environment(command, tenon, env), cwd=self.dir, user=user,
                                   start_new_session=True)
        log.close()
        self.processes.append(process)
        process.trace = self.traces[-1][1] if tenon else None
        process.log = self.path(f"log-{len(self.processes) - 1}")
        if port is not None and wait:
            self.wait_for_port(port, process)
        return process

    def wait_for_port(self, port, process=None):
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if process is not None and process.poll() is not None and process.returncode != 0:
                raise Failure(f"{process.args[0]} ended with {process.returncode}: {tail(process.log)}")
            time.sleep(0.1)
        raise Failure(f"nobody listens on port {port} after {SECONDS_TO_START} s"
                      + (f": {tail(process.log)}" if process is not None else ""))

    def wait_for_log(self, process, text):
        """Until a program that was started has written that."""
        for _ in range(200):
            log = pathlib.Path(process.log).read_text(encoding="utf-8", errors="replace")
            if text in log:
                return
            self.expect(process.poll() is None, f"it ended: {log[-1500:]}")
            time.sleep(0.1)
        self.expect(False, f"no {text!r} after 20 s")

    def run(self, command, tenon=True, input=None, env=None, ok=(0,), seconds=SECONDS_TO_RUN):
        """Runs a program to its end and returns what it printed, standard error included. ok: exit codes that are
        right; None: all are."""
        if isinstance(input, str):
            input = input.encode()
        kind = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
        try:
            result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                                    env=self._environment(command, tenon, env), cwd=self.dir, check=False, **kind)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{' '.join(command)} takes longer than {seconds} s: {(late.stdout or b'')[-500:]}") from None
        printed = result.stdout.decode(errors="replace")
        if ok is not None and result.returncode not in ok:
            raise Failure(f"{' '.join(command)} ended with {result.returncode}: {printed[-1500:]}")
        return printed

    def stock(self, command, **more):
        """The same on the system's library."""
        return self.run(command, tenon=False, **more)

    @staticmethod
    def _maps(process):
        """What the processes of a server's session have mapped: a text for each."""
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(entry.name)) == process.pid:
                    yield (entry / "maps").read_text()
            except OSError:
                pass

    def _note_mapped(self, process):
        """Keeps which libssl the processes of a server's session have mapped."""
        if process.trace is None:
            return
        with open(process.trace + ".mapped", "a", encoding="utf-8") as out:
            for text in self._maps(process):
                for path in set(MAPPED.findall(text)):
                    out.write(f"calling init: {path}\n")
                self.registers.update(REGISTER.findall(text))

    def registers_of(self, process):
        """Files of strike registers that a server has mapped (docs/early-data.md)."""
        return {path for text in self._maps(process) for path in REGISTER.findall(text)}

    def stop(self, process, how=signal.SIGTERM):
        """Ends a server and what it started (its process group)."""
        self._note_mapped(process)
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    # ---- judging ----

    @staticmethod
    def expect(truth, message):
        if not truth:
            raise Failure(message)

    @staticmethod
    def expect_in(part, text, what="the output"):
        if part not in text:
            raise Failure(f"{what} has no {part!r}: {text[-1500:]}")

    def check_libraries(self):
        """Every program that was to run on Tenon did, and nothing else of it had another libssl."""
        ours = os.path.join(self.libdir, "libssl.so.3")
        for process in self.processes:
            self._note_mapped(process)
        for name, trace in self.traces:
            seen = set()
            for part in glob.glob(trace + ".*"):
                seen.update(os.path.realpath(path) for path in LIBSSL.findall(pathlib.Path(part).read_text(
                    errors="replace")))
            if seen != {os.path.realpath(ours)}:
                raise Failure(f"{name} should have run on {ours}, but used: {', '.join(sorted(seen)) or 'no libssl'}")
        if not self.traces:
            raise Failure("nothing was run on Tenon")

    def close(self):
        for process in reversed(self.processes):
            self.stop(process)
        for path in self.registers:
            pathlib.Path(path).unlink(missing_ok=True)
        shutil.rmtree(self.dir, ignore_errors=True)


def tail(path, size=1500):
    try:
        return pathlib.Path(path).read_text(errors="replace")[-size:]
    except OSError:
        return ""


NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr info; user {user};
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5; client_max_body_size 10m;
    server {{
        listen 127.0.0.1:{port} ssl http2; server_name localhost; root {dir}/www;
        ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:S:1m;
        ssl_certificate {cert}; ssl_certificate_key {key};
        ssl_client_certificate {ca}; ssl_verify_client optional;
        dav_methods PUT; create_full_put_path on;
        location /who {{ return 200 "$ssl_client_s_dn\\n"; }}
    }}
}}
"""


def start_nginx(t, tenon=False):
    """A web server for the tests of clients: files in www, uploads by PUT, /who names the client's certificate.
    Returns its port."""
    port = t.port()
    user = "nobody nogroup" if os.geteuid() == 0 else "nobody"
    os.chmod(t.dir, 0o777)
    (t.dir / "www").mkdir(exist_ok=True)
    (t.dir / "www").chmod(0o777)
    config = t.write("stock-nginx.conf", NGINX.format(dir=t.dir, port=port, user=user, ca=t.certs.ca,
                                                      cert=t.certs.server[0], key=t.certs.server[1]))
    t.start(["nginx", "-p", str(t.dir), "-c", config, "-e", "stderr"], port=port, tenon=tenon)
    return port


def start_postgresql(t, rules, options=(), tenon=False):
    """A PostgreSQL with TLS, whose superuser is admin (password secret); rules: the lines of pg_hba.conf. Returns its port
    and the folder of its programs."""
    port = t.port()
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    data = t.path("data")
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    user = "postgres" if owner else None
    if owner:
        os.chown(t.dir, owner.pw_uid, owner.pw_gid)
    password = t.write("password", "secret\n")
    t.start([f"{binaries}/initdb", "-D", data, "-U", "admin", "--pwfile", password, "-A", "scram-sha-256"],
            tenon=False, user=user).wait(SECONDS_TO_RUN)
    for name, source in (("server.crt", t.certs.server[0]), ("server.key", t.certs.server[1]), ("ca.crt", t.certs.ca)):
        shutil.copy(source, f"{data}/{name}")
        os.chmod(f"{data}/{name}", 0o600)
        if owner:
            os.chown(f"{data}/{name}", owner.pw_uid, owner.pw_gid)
    pathlib.Path(f"{data}/pg_hba.conf").write_text(rules)
    t.start([f"{binaries}/postgres", "-D", data, "-p", str(port), "-k", str(t.dir), "-h", "127.0.0.1", "-c", "ssl=on",
             *options], port=port, tenon=tenon, user=user)
    return port, binaries


class Certificates:
    """A test authority with an intermediate, an ECDSA and an RSA certificate for localhost (and name.test), and a
    client's; PEM files, made once a run with the openssl command."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.ca = self.file("ca.pem")
        self._authority("ca", "Test Authority")
        self._leaf("server", "ec", "localhost", "serverAuth,clientAuth")
        self._leaf("rsa", "rsa", "localhost", "serverAuth")
        self._leaf("other", "ec", "name.test", "serverAuth")
        self._leaf("client", "ec", "client", "clientAuth")
        self.dir.chmod(0o755)

    def file(self, name):
        return str(self.dir / name)

    def __getattr__(self, name):
        """server, rsa, other, client: (certificate, key, both in one file)."""
        if not (self.dir / f"{name}.pem").exists():
            raise AttributeError(name)
        return self.file(f"{name}.pem"), self.file(f"{name}.key"), self.file(f"{name}-both.pem")

    @staticmethod
    def _openssl(*words):
        subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _authority(self, name, subject):
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.file(f"{name}.key"), "-out",
                      self.file(f"{name}.pem"), "-subj", f"/CN={subject}", "-days", "30", "-addext",
                      "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def _leaf(self, name, kind, host, use):
        key = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        extensions = self.dir / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{host},DNS:localhost,IP:127.0.0.1\nextendedKeyUsage={use}\n"
                              "keyUsage=digitalSignature,keyEncipherment\nbasicConstraints=CA:FALSE\n")
        self._openssl("req", *key, "-nodes", "-keyout", self.file(f"{name}.key"), "-out", self.file(f"{name}.csr"),
                      "-subj", f"/CN={host}")
        self._openssl("x509", "-req", "-in", self.file(f"{name}.csr"), "-CA", self.ca, "-CAkey",
                      self.file("ca.key"), "-CAcreateserial", "-days", "30", "-extfile", str(extensions), "-out",
                      self.file(f"{name}.pem"))
        both = self.dir / f"{name}-both.pem"
        both.write_text(pathlib.Path(self.file(f"{name}.pem")).read_text()
                        + pathlib.Path(self.file(f"{name}.key")).read_text())
        for end in (".key", "-both.pem"):
            (self.dir / f"{name}{end}").chmod(0o644)


def record_early_flight(t, session, line):
    """What a client with that session sends before it has heard of the server: a ClientHello and line as early data."""
    early = t.write("early-data", line)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS_TO_START)
        client = t.start(["openssl", "s_client", "-connect", f"127.0.0.1:{listener.getsockname()[1]}", "-servername",
                          "localhost", "-sess_in", session, "-early_data", early], tenon=False)
        connection, _ = listener.accept()
        flight = b""
        given_up = time.monotonic() + SECONDS_TO_START
        while not has_early_data(flight) and time.monotonic() < given_up:
            flight += answer_of(connection, quiet=0.5)
        connection.close()
    t.stop(client)
    t.expect(has_early_data(flight), f"the client sent {len(flight)} bytes without early data")
    return flight


def has_early_data(flight):
    """True when there is a whole record of application data in it."""
    while len(flight) >= 5 and len(flight) >= 5 + int.from_bytes(flight[3:5], "big"):
        if flight[0] == 23:
            return True
        flight = flight[5 + int.from_bytes(flight[3:5], "big"):]
    return False


def answer_of(connection, quiet):
    """Everything that comes until nothing has come for so many seconds."""
    connection.settimeout(quiet)
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except (TimeoutError, ConnectionError):
        pass
    return received


def replay_flight(ports, flight):
    """Sends the flight to every port at once and waits for their answers."""
    def send(port):
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_TO_START) as connection:
            connection.sendall(flight)
            return answer_of(connection, quiet=1)

    with concurrent.futures.ThreadPoolExecutor(len(ports)) as pool:
        return list(pool.map(send, ports))
