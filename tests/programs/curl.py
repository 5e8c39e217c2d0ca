"""curl: HTTP/2, uploads, client certificates, pinned keys, a proxy with TLS, refusal of a wrong name."""

from toolbox import start_nginx

ABOUT = "GET and POST over HTTP/1.1 and HTTP/2, client certificates, pinning, several at once; wrong names refused"
PACKAGES = ["curl", "nginx"]

def run(t):
    sent = t.random_file("sent", 2_000_000)
    t.random_file("www/data", 4_000_000)
    port = start_nginx(t)
    url = f"https://localhost:{port}"
    curl = ["curl", "-sS", "--cacert", t.certs.ca]
    want = (t.dir / "www/data").read_bytes()
    for words in (["--http1.1"], ["--http2"], ["--tls-max", "1.2"], ["--tlsv1.3", "--curves", "P-384"],
                  ["--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"]):
        t.run([*curl, *words, "-o", t.path("got"), f"{url}/data"])
        t.expect((t.dir / "got").read_bytes() == want, f"curl {words}: other bytes")
        t.run([*curl, *words, "-f", "-T", sent, f"{url}/up"])
        t.expect((t.dir / "www/up").read_bytes() == (t.dir / "sent").read_bytes(), f"curl {words}: other bytes arrived")
        (t.dir / "www/up").unlink()
    t.expect_in("CN=client", t.run([*curl, "--cert", t.certs.client[0], "--key", t.certs.client[1], f"{url}/who"]))
    pin = t.stock(["sh", "-c", f"openssl x509 -in {t.certs.server[0]} -pubkey -noout | openssl pkey -pubin -outform der"
                   " | openssl dgst -sha256 -binary | openssl base64"]).strip()
    t.run([*curl, "--pinnedpubkey", f"sha256//{pin}", "-o", t.path("got"), f"{url}/data"])
    t.run([*curl, "-Z", *[w for i in range(8) for w in ("-o", t.path(f"got{i}"), f"{url}/data")]])
    t.expect(all((t.dir / f"got{i}").read_bytes() == want for i in range(8)), "several at once: other bytes")
    wrong = t.run([*curl, "--resolve", f"name.test:{port}:127.0.0.1", f"https://name.test:{port}/data"], ok=(60,))
    t.expect_in("no alternative certificate subject name matches", wrong)
    t.expect_in("unable to get local issuer certificate", t.run(["curl", "-sS", f"{url}/data"], ok=(60,)))
