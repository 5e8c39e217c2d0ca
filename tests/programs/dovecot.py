"""Dovecot: IMAP with STARTTLS and IMAPS."""

import imaplib
import os
import ssl

ABOUT = "IMAPS and STARTTLS: log in, append and fetch 500 KB, TLS 1.2 and 1.3"
PACKAGES = ["dovecot-imapd"]

CONFIG = """
protocols = imap
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
info_log_path = {dir}/log
instance_name = test
default_internal_user = dovecot
default_login_user = dovenull
import_environment = LD_LIBRARY_PATH LD_DEBUG LD_DEBUG_OUTPUT
ssl = required
ssl_cert = <{cert}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
mail_location = maildir:{dir}/mail/%u
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
auth_mechanisms = plain
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={dir}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
    ssl = yes
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


def start(t, tenon=True):
    """Anybody's mailbox, with the password secret. Returns the ports of IMAP and IMAPS."""
    t.expect(os.geteuid() == 0, "Dovecot has to be started by root")
    imap, imaps = t.port(), t.port()
    os.makedirs(t.path("mail"))
    os.chown(t.path("mail"), 65534, 65534)
    config = t.write("dovecot.conf", CONFIG.format(dir=t.dir, imap=imap, imaps=imaps, cert=t.certs.server[0],
                                                   key=t.certs.server[1]))
    t.start(["dovecot", "-F", "-c", config], port=imaps, tenon=tenon)
    return imap, imaps


def run(t):
    imap, imaps = start(t)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=t.certs.ca)
        context.maximum_version = version
        letter = b"Subject: a letter\r\n\r\n" + b"0123456789abcdef" * 32768
        for wrapped in (True, False):
            if wrapped:
                client = imaplib.IMAP4_SSL("localhost", imaps, ssl_context=context, timeout=20)
            else:
                client = imaplib.IMAP4("localhost", imap, timeout=20)
                client.starttls(context)
            client.login("who", "secret")
            client.append("INBOX", None, None, letter)
            client.select("INBOX")
            _, found = client.search(None, "ALL")
            _, parts = client.fetch(found[0].split()[-1], "(RFC822)")
            t.expect(parts[0][1] == letter, "another letter came back")
            client.logout()
