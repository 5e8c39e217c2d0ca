"""fetchmail: fetches a letter over IMAPS."""

import socketserver
import ssl
import threading

ABOUT = "a letter over IMAPS, certificate verified; a wrong authority refused"
PACKAGES = ["fetchmail"]
LETTER = "Subject: a letter\r\nFrom: a@localhost\r\n\r\n" + "a line of the letter\r\n" * 2000


class Imap(socketserver.StreamRequestHandler):
    """As much of IMAP as fetchmail asks for."""

    def handle(self):
        def say(text):
            self.wfile.write(text.encode() + b"\r\n")
        deleted = False
        say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, command, *words = line.split()
            command = command.upper()
            if command == "CAPABILITY":
                say("* CAPABILITY IMAP4rev1")
            elif command == "SELECT":
                say("* 1 EXISTS")
                say("* 1 RECENT")
            elif command == "SEARCH":
                say("* SEARCH 1")
            elif command == "STORE":
                deleted = True
            elif command == "EXPUNGE" and deleted:
                say("* 1 EXPUNGE")
            elif command == "FETCH" and "RFC822.SIZE" in line:
                say(f"* 1 FETCH (RFC822.SIZE {len(LETTER)})")
            elif command == "FETCH" and "HEADER" in line:
                head = LETTER.split("\r\n\r\n")[0] + "\r\n\r\n"
                say(f"* 1 FETCH (RFC822.HEADER {{{len(head)}}}\r\n{head})")
            elif command == "FETCH":
                body = LETTER.split("\r\n\r\n", 1)[1]
                say(f"* 1 FETCH (BODY[TEXT] {{{len(body)}}}\r\n{body})")
            if command == "LOGOUT":
                say("* BYE")
            say(f"{tag} OK done")
            if command == "LOGOUT":
                return


def run(t):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*t.certs.server[:2])

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def get_request(self):
            connection, address = self.socket.accept()
            return context.wrap_socket(connection, server_side=True), address

        def handle_error(self, request, client_address):
            pass

    with Server(("127.0.0.1", 0), Imap) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        common = (f"poll localhost protocol imap port {server.server_address[1]} user who password secret ssl sslcertck "
                  "fetchall mda \"cat >>{mbox}\" sslcertfile {ca}\n")
        words = ["fetchmail", "-f"]
        config = t.write("good", common.format(mbox=t.path("mbox"), ca=t.certs.ca), 0o600)
        t.run([*words, config, "--pidfile", t.path("pid"), "-i", t.path("ids")], env={"LOGNAME": "root", "USER": "root"})
        t.expect((t.dir / "mbox").read_text().count("a line of the letter") == 2000, "the letter is not whole")
        config = t.write("bad", common.format(mbox=t.path("mbox2"), ca=t.certs.client[0]), 0o600)
        shown = t.run([*words, config, "--pidfile", t.path("pid"), "-i", t.path("ids")], ok=None)
        t.expect_in("certificate", shown)
        t.expect(not (t.dir / "mbox2").exists(), "a letter came from a server that nobody knows")
        server.shutdown()
