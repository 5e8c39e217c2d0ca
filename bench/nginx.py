"""Question "nginx": Debian's nginx on either library under the same clients, which run on the system's library.

Requests over connections that stay (wrk in HTTP/1.1, h2load in HTTP/2), a large file (wrk), and one request a
connection, with full handshakes and with resumptions (bench/connections.c, as neither tool resumes). Beside each rate
stands the time that nginx's worker had the processor, per request: that is what other work on the machine and the
client's own speed disturb least.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import asking

ROUNDS = 4
MILLISECONDS = 700
SMALL, LARGE = 1000, 8 << 20
CELLS = ["keep-alive", "http2", "large-file", "1.3/full", "1.3/resumed", "1.2/full", "1.2/resumed"]

CONFIG = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr crit; {user}
events {{ worker_connections 512; }}
http {{
    access_log off; default_type application/octet-stream; keepalive_requests 100000000;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:SSL:10m;
    server {{
        listen 127.0.0.1:{port} ssl http2 reuseport; server_name bench.example; root {dir}/www;
        ssl_certificate {identity}/chain.pem; ssl_certificate_key {identity}/key.pem;
    }}
}}
"""


def needed():
    """What is missing, as Debian packages."""
    packages = {"nginx": "nginx", "wrk": "wrk", "h2load": "nghttp2-client"}
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    return [package for program, package in packages.items() if shutil.which(program, path=path) is None]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """One nginx with one worker on the library in folder lib, or the system's when None."""

    def __init__(self, lib, identity):
        self.directory = tempfile.mkdtemp(prefix="tenon-bench-")
        self.port = free_port()
        os.makedirs(os.path.join(self.directory, "www"))
        for name, size in (("small", SMALL), ("large", LARGE)):
            with open(os.path.join(self.directory, "www", name), "wb") as file:
                file.write(os.urandom(size))
        config = os.path.join(self.directory, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(dir=self.directory, port=self.port, identity=identity,
                                     user="user root;" if os.geteuid() == 0 else ""))
        env = asking.environment(lib)
        env["PATH"] = env.get("PATH", "") + ":/usr/sbin"
        self.master = subprocess.Popen(["nginx", "-p", self.directory, "-c", config, "-e", "stderr"], env=env)
        self.worker = self._wait_for_worker()
        with open(f"/proc/{self.worker}/maps", encoding="ascii", errors="replace") as maps:
            library = re.search(r"(/\S*/libssl\.so\.3\S*)$", maps.read(), re.MULTILINE).group(1)
        asking.check_mapped(lib, library, "nginx")

    def _wait_for_worker(self):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.master.poll() is None:
            with open(f"/proc/{self.master.pid}/task/{self.master.pid}/children", encoding="ascii") as file:
                children = file.read().split()
            with socket.socket() as s:
                if children and s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return int(children[0])
            time.sleep(0.05)
        return asking.fail("nginx does not start")

    def cpu_ns(self):
        """How long the worker has had a processor."""
        with open(f"/proc/{self.worker}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])

    def stop(self):
        self.master.send_signal(signal.SIGTERM)
        try:
            self.master.wait(10)
        except subprocess.TimeoutExpired:
            self.master.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


# ---- clients -------------------------------------------------------------------------------------

def run_client(command):
    return subprocess.run(command, env=asking.environment(None), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=asking.TIME_LIMIT, check=True, text=True).stdout


def with_wrk(connections, url):
    """(requests a second, requests)."""
    said = run_client(["wrk", "-t", "1", "-c", str(connections), "-d", "1", url])
    if "Socket errors" in said or "Non-2xx" in said:
        asking.fail(f"wrk: {said}")
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)),
            int(re.search(r"(\d+) requests in", said).group(1)))


def with_h2load(connections, url):
    said = run_client(["h2load", "-c", str(connections), "-m", "10", "-D", "1", url])
    done, failed = re.search(r"(\d+) done, \d+ succeeded, (\d+) failed", said).groups()
    if int(failed) != 0:
        asking.fail(f"h2load: {said}")
    return float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", said).group(1)), int(done)


def with_connections(version, how, port):
    command = [os.path.join(asking.BUILD, "connections"), str(port), version, how, str(MILLISECONDS)]
    figures, _ = asking.read_answers(command, asking.environment(None))
    return figures["rate"][1], figures["requests"][1]


def ask(server, cell):
    """The figures of one cell, as bench/run wants them from a program."""
    url = f"https://127.0.0.1:{server.port}"
    before = server.cpu_ns()
    if cell == "keep-alive":
        rate, requests = with_wrk(8, url + "/small")
    elif cell == "http2":
        rate, requests = with_h2load(8, url + "/small")
    elif cell == "large-file":
        rate, requests = with_wrk(2, url + "/large")
    else:
        rate, requests = with_connections(*cell.split("/"), server.port)
    cpu_us = (server.cpu_ns() - before) / 1000 / requests
    if cell == "large-file":
        megabytes = LARGE / 1e6
        return {f"nginx/{cell}/rate": ("MB/s", rate * megabytes), f"nginx/{cell}/cpu": ("us per MB", cpu_us / megabytes)}
    return {f"nginx/{cell}/rate": ("/s", rate), f"nginx/{cell}/cpu": ("us", cpu_us)}


class Question:
    """nginx on both libraries, both up for as long as the question is asked."""
    cells, rounds = CELLS, ROUNDS

    def __init__(self):
        self.servers = []

    def missing(self):
        return needed()

    def contenders(self, lib):
        asking.build("connections")
        identity = asking.identity_files()
        facts = {"libcrypto": asking.output_of("openssl", "version"), "nginx": asking.version_of("nginx"),
                 "wrk": asking.version_of("wrk"), "h2load": asking.version_of("nghttp2-client")}
        contenders = {}
        for name, folder in ((asking.SYSTEM, None), (asking.TENON, lib)):
            server = Nginx(folder, identity)
            self.servers.append(server)
            contenders[name] = lambda cell, server=server: (ask(server, cell[0]), facts)
        return contenders

    def close(self):
        for server in self.servers:
            server.stop()
