"""Ruby: OpenSSL::SSL sockets and Net::HTTP."""

ABOUT = "OpenSSL::SSL::SSLServer, SSLSocket and Net::HTTP, client certificates, ALPN, non-blocking reads"
PACKAGES = ["ruby"]

SCRIPT = r"""
require 'openssl'
require 'socket'
require 'net/http'
ca, cert, key, ccert, ckey = ARGV
context = OpenSSL::SSL::SSLContext.new
context.cert = OpenSSL::X509::Certificate.new(File.read(cert))
context.key = OpenSSL::PKey.read(File.read(key))
context.ca_file = ca
context.verify_mode = OpenSSL::SSL::VERIFY_PEER | OpenSSL::SSL::VERIFY_FAIL_IF_NO_PEER_CERT
context.alpn_select_cb = lambda { |protocols| protocols.first }
tcp = TCPServer.new('127.0.0.1', 0)
server = OpenSSL::SSL::SSLServer.new(tcp, context)
Thread.new do
  loop do
    Thread.new(server.accept) do |s|
      nil until (line = s.gets) == "\r\n"
      body = s.peer_cert.subject.to_s + 'x' * 1_000_000
      s.print "HTTP/1.0 200 OK\r\nContent-Length: #{body.bytesize}\r\n\r\n", body
      s.close
    end
  end
end
[OpenSSL::SSL::TLS1_2_VERSION, OpenSSL::SSL::TLS1_3_VERSION].each do |version|
  http = Net::HTTP.new('localhost', tcp.addr[1])
  http.use_ssl = true
  http.ca_file = ca
  http.cert = OpenSSL::X509::Certificate.new(File.read(ccert))
  http.key = OpenSSL::PKey.read(File.read(ckey))
  http.max_version = version
  body = http.get('/').body
  raise "another answer: #{body[0, 40]}" unless body == '/CN=client' + 'x' * 1_000_000
end
client = OpenSSL::SSL::SSLContext.new
client.ca_file = ca
client.verify_mode = OpenSSL::SSL::VERIFY_PEER
client.alpn_protocols = ['one', 'two']
client.cert = OpenSSL::X509::Certificate.new(File.read(ccert))
client.key = OpenSSL::PKey.read(File.read(ckey))
s = OpenSSL::SSL::SSLSocket.new(TCPSocket.new('localhost', tcp.addr[1]), client)
s.hostname = 'localhost'
s.connect
s.post_connection_check('localhost')
raise 'alpn' unless s.alpn_protocol == 'one'
raise 'nothing should have come' unless s.read_nonblock(10, exception: false) == :wait_readable
s.print "GET / HTTP/1.0\r\n\r\n"
raise 'short' unless s.read.bytesize > 1_000_000
puts 'fine'
"""


def run(t):
    script = t.write("script.rb", SCRIPT)
    t.expect_in("fine", t.run(["ruby", script, t.certs.ca, *t.certs.server[:2], *t.certs.client[:2]]))
