"""Python 3.11: the ssl module, asyncio, urllib and http.server."""

ABOUT = "ssl, asyncio and urllib as client and server, client certificates, memory BIOs, SNI callback"
PACKAGES = ["python3"]

SCRIPT = r"""
import asyncio, http.server, os, ssl, sys, threading, urllib.request
ca, cert, key, ccert, ckey = sys.argv[1:6]
server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
server.load_cert_chain(cert, key)
server.verify_mode = ssl.CERT_REQUIRED
server.set_alpn_protocols(['h2', 'http/1.1'])
names = []
server.sni_callback = lambda s, name, context: names.append(name)
client = ssl.create_default_context(cafile=ca)
client.load_cert_chain(ccert, ckey)
client.set_alpn_protocols(['http/1.1'])

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(self.connection.getpeercert()['subject']).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass

httpd = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
httpd.socket = server.wrap_socket(httpd.socket, server_side=True)
threading.Thread(target=httpd.serve_forever, daemon=True).start()
url = f'https://localhost:{httpd.server_port}/'
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    client.maximum_version = version
    assert b'client' in urllib.request.urlopen(url, context=client, timeout=20).read()
assert names == ['localhost'] * 2, names

async def talk():
    data = os.urandom(3_000_000)
    async def serve(reader, writer):
        writer.write(await reader.readexactly(len(data)))
        await writer.drain()
        writer.close()
    listener = await asyncio.start_server(serve, '127.0.0.1', 0, ssl=server)
    port = listener.sockets[0].getsockname()[1]
    async def one():
        reader, writer = await asyncio.open_connection('127.0.0.1', port, ssl=client, server_hostname='localhost')
        assert writer.get_extra_info('ssl_object').selected_alpn_protocol() == 'http/1.1'
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()
    await asyncio.gather(*(one() for _ in range(5)))
asyncio.run(talk())

import socket
try:
    with socket.create_connection(('127.0.0.1', httpd.server_port), 20) as plain:
        client.wrap_socket(plain, server_hostname='wrong.test')
except ssl.SSLCertVerificationError as error:
    assert 'Hostname mismatch' in str(error), error
else:
    raise AssertionError('a wrong name was taken')
print('fine', ssl.OPENSSL_VERSION)
"""


def run(t):
    script = t.write("script.py", SCRIPT)
    t.expect_in("fine OpenSSL 3.0", t.run(["/usr/bin/python3", script, t.certs.ca, *t.certs.server[:2],
                                           *t.certs.client[:2]]))
