"""stunnel: a TLS tunnel from a client's end to a server's end, with certificates checked both ways."""

import socket
import threading
import time

ABOUT = "a tunnel between two stunnels, client certificates demanded; either end on Tenon, then both"
PACKAGES = ["stunnel4"]
SIZE = 500_000


def echo(listener):
    """One connection: everything comes back."""
    try:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)
    except OSError:
        pass


def through(port, data):
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
        sender.start()
        while part := s.recv(65536):
            got += part
        sender.join()
    return got


def run(t):
    data = bytes(range(256)) * (SIZE // 256)
    for client_on, server_on in ((True, False), (False, True), (True, True)):
        near, far = t.port(), t.port()
        with socket.create_server(("127.0.0.1", 0)) as target:
            common = "foreground = yes\npid =\nverifyChain = yes\nCAfile = {ca}\ncert = {cert}\nkey = {key}\n[tunnel]\n"
            server = t.write("server.conf", common.format(ca=t.certs.ca, cert=t.certs.server[0], key=t.certs.server[1])
                             + f"accept = 127.0.0.1:{far}\nconnect = 127.0.0.1:{target.getsockname()[1]}\n")
            client = t.write("client.conf", common.format(ca=t.certs.ca, cert=t.certs.client[0], key=t.certs.client[1])
                             + f"client = yes\naccept = 127.0.0.1:{near}\nconnect = 127.0.0.1:{far}\n"
                             "checkHost = localhost\n")
            ends = [t.start(["stunnel4", server], tenon=server_on), t.start(["stunnel4", client], tenon=client_on)]
            # Asking the tunnel's ports whether they are open would use up the one connection that is answered.
            time.sleep(1.0)
            answering = threading.Thread(target=echo, args=(target,), daemon=True)
            answering.start()
            t.expect(through(near, data) == data, f"other bytes come back (client on Tenon: {client_on})")
            answering.join(5)
        for end in ends:
            t.stop(end)
