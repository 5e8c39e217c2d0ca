"""Node.js: https and tls, HTTP/2, client certificates."""

from toolbox import Skip

ABOUT = "https, http2 and tls as client and server, client certificates, key log, renegotiation"
PACKAGES = ["nodejs"]

SCRIPT = r"""
const https = require('https'), http2 = require('http2'), tls = require('tls'), fs = require('fs'), assert = require('assert');
const [ca, cert, key, ccert, ckey] = process.argv.slice(2).map(name => fs.readFileSync(name));
const data = require('crypto').randomBytes(2_000_000);
const server = https.createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => response.end(Buffer.concat(chunks)));
});
function ask(port, options) {
    return new Promise((resolve, reject) => {
        const request = https.request({ host: 'localhost', port, method: 'POST', ca, cert: ccert, key: ckey, ...options }, response => {
            const chunks = [];
            const protocol = response.socket.getProtocol();
            response.on('data', chunk => chunks.push(chunk));
            response.on('end', () => resolve([Buffer.concat(chunks), protocol]));
        });
        request.on('error', reject);
        request.end(data);
    });
}
server.listen(0, '127.0.0.1', async () => {
    const port = server.address().port;
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
        const [body, protocol] = await ask(port, { minVersion: version, maxVersion: version });
        assert(body.equals(data));
        assert.strictEqual(protocol, version);
    }
    await assert.rejects(ask(port, { cert: undefined, key: undefined }));
    await assert.rejects(ask(port, { ca: undefined }), /self-signed certificate/);
    const h2 = http2.createSecureServer({ cert, key }, (request, response) => response.end(data));
    h2.listen(0, '127.0.0.1', () => {
        const session = http2.connect(`https://localhost:${h2.address().port}`, { ca });
        const stream = session.request({ ':path': '/' });
        const chunks = [];
        stream.on('data', chunk => chunks.push(chunk));
        stream.on('end', () => {
            assert(Buffer.concat(chunks).equals(data));
            session.close();
            console.log('fine');
            process.exit(0);
        });
    });
});
"""


def run(t):
    if "libssl.so.3" not in t.stock(["ldd", "/usr/bin/node"], ok=None):
        raise Skip("this machine's node has a libssl of its own in it (Debian's nodejs has not)")
    script = t.write("script.js", SCRIPT)
    t.expect_in("fine", t.run(["/usr/bin/node", script, t.certs.ca, *t.certs.server[:2], *t.certs.client[:2]]))
