"""PHP: its stream wrapper for TLS as client and server."""

ABOUT = "ssl:// streams as client and server, file_get_contents over HTTPS, client certificates"
PACKAGES = ["php-cli"]

SERVER = r"""<?php
[$me, $port, $ca, $cert, $key] = $argv;
$context = stream_context_create(['ssl' => ['local_cert' => $cert, 'local_pk' => $key, 'cafile' => $ca,
    'verify_peer' => true, 'verify_peer_name' => false, 'capture_peer_cert' => true]]);
$server = stream_socket_server("tls://127.0.0.1:$port", $errno, $error, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $context);
while (true) {
    $s = @stream_socket_accept($server, 60);
    if (!$s) continue;
    while (($line = fgets($s)) !== false && trim($line) !== '');
    $body = openssl_x509_parse(stream_context_get_params($s)['options']['ssl']['peer_certificate'])['subject']['CN']
        . str_repeat('x', 1000000);
    fwrite($s, "HTTP/1.0 200 OK\r\nContent-Length: " . strlen($body) . "\r\n\r\n" . $body);
    fclose($s);
}
"""
CLIENT = r"""<?php
[$me, $port, $ca, $cert, $key] = $argv;
foreach ([STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT, STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT] as $method) {
    $context = stream_context_create(['ssl' => ['cafile' => $ca, 'local_cert' => $cert, 'local_pk' => $key,
        'crypto_method' => $method]]);
    $body = file_get_contents("https://localhost:$port/", false, $context);
    if ($body !== 'client' . str_repeat('x', 1000000)) exit("another answer: " . substr($body, 0, 40));
}
$context = stream_context_create(['ssl' => ['cafile' => $ca, 'local_cert' => $cert, 'local_pk' => $key,
    'peer_name' => 'wrong.test']]);
if (@file_get_contents("https://localhost:$port/", false, $context) !== false) exit('a wrong name was taken');
echo "fine\n";
"""


def run(t):
    server, client = t.write("server.php", SERVER), t.write("client.php", CLIENT)
    for tenon_serves in (True, False):
        port = t.port()
        process = t.start(["php", server, str(port), t.certs.ca, *t.certs.server[:2]], port=port, tenon=tenon_serves)
        t.expect_in("fine", t.run(["php", client, str(port), t.certs.ca, *t.certs.client[:2]], tenon=not tenon_serves))
        t.stop(process)
