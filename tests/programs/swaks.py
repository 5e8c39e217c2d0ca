"""swaks, the mail tester, with Postfix: STARTTLS and wrapped TLS, certificates checked on both sides."""

from postfix import start, wait_for

ABOUT = "letters to Postfix over STARTTLS and SMTPS, client certificate, TLS 1.2 and 1.3; a wrong authority refused"
PACKAGES = ["swaks", "postfix", "libnet-ssleay-perl"]


def run(t):
    common = ["swaks", "--from", "a@localhost", "--to", "nobody@localhost", "--server", "localhost", "--tls-verify",
              "--timeout", "20"]
    for postfix_on, swaks_on in ((True, False), (False, True)):
        name = f"postfix{int(postfix_on)}"
        port, wrapped = start(t, name, postfix_on)
        for i, words in enumerate((["--port", str(port), "-tls", "--tls-protocol", "tlsv1_3"],
                                   ["--port", str(port), "-tls", "--tls-protocol", "tlsv1_2"],
                                   ["--port", str(wrapped), "-tlsc"])):
            shown = t.run([*common, *words, "--tls-ca-path", t.certs.ca, "--tls-cert", t.certs.client[0], "--tls-key",
                           t.certs.client[1], "--header", f"Subject: letter {i}", "--body", "word " * 5000], tenon=swaks_on)
            t.expect_in("=== TLS started with cipher TLSv1." + ("2" if i == 1 else "3"), shown)
            t.expect_in('=== TLS peer[0]   DN="/CN=localhost"' if "peer[0]" in shown else "CN=localhost", shown)
            text = wait_for(t, t.dir / name / "mailbox", f"letter {i}")
            t.expect_in('Client CN "client"', text, "the letter")
        shown = t.run([*common, "--port", str(port), "-tls", "--tls-ca-path", t.certs.client[0]], tenon=swaks_on, ok=None)
        t.expect_in("certificate verify failed", shown)
