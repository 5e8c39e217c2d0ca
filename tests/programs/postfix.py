"""Postfix: takes mail over STARTTLS and wrapped TLS, hands it on over TLS to another Postfix."""

import os
import pathlib
import smtplib
import ssl
import time

ABOUT = "mail in over STARTTLS and SMTPS, out over verified TLS to a second Postfix, session cache, client certificates"
PACKAGES = ["postfix"]

MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination = {mine}
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
mailbox_command = /bin/sh -c "cat >>{dir}/mailbox"
default_privs = nobody
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
import_environment = MAIL_CONFIG MAIL_LOGTAG LD_LIBRARY_PATH LD_DEBUG LD_DEBUG_OUTPUT
export_environment = PATH LD_LIBRARY_PATH LD_DEBUG LD_DEBUG_OUTPUT
smtputf8_enable = no
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_CAfile = {ca}
smtpd_tls_ask_ccert = yes
smtpd_tls_received_header = yes
smtpd_tls_security_level = may
smtp_tls_security_level = {level}
smtp_tls_CAfile = {ca}
smtp_tls_cert_file = {ccert}
smtp_tls_key_file = {ckey}
smtp_tls_session_cache_database = btree:{dir}/data/smtp
relayhost = {relay}
{more}
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{wrapped} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def start(t, name, tenon, relay="", level="none", mine="localhost", more=""):
    directory = t.path(name)
    port, wrapped = t.port(), t.port()
    for sub in ("queue", "data"):
        os.makedirs(f"{directory}/{sub}")
    t.write(f"{name}/main.cf", MAIN.format(dir=directory, relay=relay, level=level, mine=mine, more=more, ca=t.certs.ca,
                                           cert=t.certs.server[0], key=t.certs.server[1], ccert=t.certs.client[0],
                                           ckey=t.certs.client[1]))
    t.write(f"{name}/master.cf", MASTER.format(port=port, wrapped=wrapped))
    for sub in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid",
                "private", "public", "saved", "trace"):
        os.makedirs(f"{directory}/queue/{sub}")
    t.stock(["chown", "-R", "postfix", f"{directory}/data", *(f"{directory}/queue/{sub}" for sub in (
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "private",
        "public", "saved", "trace"))])
    t.stock(["chown", "nobody", directory])
    t.start(["/usr/lib/postfix/sbin/master", "-d", "-c", directory], port=wrapped, tenon=tenon,
            env={"MAIL_CONFIG": directory, "MAIL_LOGTAG": "postfix"})
    return port, wrapped


def wait_for(t, path, text):
    for _ in range(200):
        if path.exists() and text in path.read_text(errors="replace"):
            return path.read_text(errors="replace")
        time.sleep(0.1)
    logs = "".join(p.read_text(errors="replace")[-1500:] for p in pathlib.Path(t.dir).glob("*/mail.log"))
    t.expect(False, f"{path.name} has no {text!r} after 20 s: {logs}")
    return None


def run(t):
    t.expect(os.geteuid() == 0, "Postfix has to be started by root")
    context = ssl.create_default_context(cafile=t.certs.ca)
    for first_on, second_on in ((True, False), (False, True)):
        name = f"second{int(second_on)}"
        port, _ = start(t, name, second_on)
        first, wrapped = start(t, f"first{int(first_on)}", first_on, relay=f"[127.0.0.1]:{port}", level="secure",
                               mine="", more="smtp_tls_secure_cert_match = localhost")
        for i, make in enumerate((lambda: smtplib.SMTP("localhost", first, timeout=20),
                                  lambda: smtplib.SMTP_SSL("localhost", wrapped, timeout=20, context=context))):
            with make() as client:
                if i == 0:
                    client.starttls(context=context)
                client.sendmail("a@localhost", ["nobody@localhost"], f"Subject: letter {i}\r\n\r\n" + "word " * 20000)
        mailbox = t.dir / name / "mailbox"
        for i in range(2):
            text = wait_for(t, mailbox, f"letter {i}")
        t.expect_in("Client CN \"client\"", text, "the letter")
        t.expect_in("using TLSv1.3", text, "the letter")
