"""mbsync (isync): two mailboxes kept the same over IMAP."""

from dovecot import start

ABOUT = "300 letters to and from Dovecot over IMAPS and STARTTLS, TLS 1.2 and 1.3; a wrong authority refused"
PACKAGES = ["isync", "dovecot-imapd"]

CONFIG = """
IMAPAccount far
Host localhost
Port {port}
User who
Pass secret
SSLType {kind}
SSLVersions {version}
CertificateFile {ca}

IMAPStore far
Account far

MaildirStore near
Path {dir}/
Inbox {dir}/INBOX

Channel both
Far :far:
Near :near:
Patterns INBOX
Create Both
SyncState *
"""


def synchronize(t, name, port, kind, version, ca, ok=(0,)):
    (t.dir / name).mkdir(exist_ok=True)
    config = t.write(f"{name}.rc", CONFIG.format(dir=t.path(name), port=port, kind=kind, version=version, ca=ca), 0o600)
    return t.run(["mbsync", "-c", config, "-a"], ok=ok, env={"HOME": str(t.dir)})


def letters(t, name):
    return sorted(path.read_text().split("\n\n", 1)[1] for sub in ("new", "cur") for path in (t.dir / name / "INBOX" / sub).iterdir())


def run(t):
    imap, imaps = start(t, tenon=False)
    synchronize(t, "first", imaps, "IMAPS", "TLSv1.3", t.certs.ca)
    for i in range(300):
        t.write(f"first/INBOX/cur/{i}.letter:2,S", f"Subject: letter {i}\n\n" + f"line of letter {i}\n" * 100)
    sent = letters(t, "first")
    synchronize(t, "first", imaps, "IMAPS", "TLSv1.3", t.certs.ca)
    synchronize(t, "second", imap, "STARTTLS", "TLSv1.2", t.certs.ca)
    t.expect(len(sent) == 300 and letters(t, "second") == sent, "the letters are not the same")
    shown = synchronize(t, "third", imaps, "IMAPS", "TLSv1.3", t.certs.client[0], ok=None)
    t.expect_in("SSL error", shown)
    t.expect(not (t.dir / "third/INBOX").exists() or not letters(t, "third"), "letters from a server that nobody knows")
