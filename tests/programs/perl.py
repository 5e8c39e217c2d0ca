"""Perl: IO::Socket::SSL on Net::SSLeay."""

ABOUT = "IO::Socket::SSL as client and server: verification, client certificates, ALPN, exporters"
PACKAGES = ["libio-socket-ssl-perl"]

SCRIPT = r"""
use strict; use warnings;
use IO::Socket::SSL;
my ($ca, $cert, $key, $ccert, $ckey) = @ARGV;
for my $version ('TLSv1_2', 'TLSv1_3') {
    my $listener = IO::Socket::SSL->new(LocalAddr => '127.0.0.1', Listen => 1, SSL_cert_file => $cert, SSL_key_file => $key,
        SSL_ca_file => $ca, SSL_verify_mode => SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, SSL_version => $version,
        SSL_alpn_protocols => ['echo']) or die "listen: $SSL_ERROR";
    my $port = $listener->sockport;
    my $pid = fork // die;
    if (!$pid) {
        my $s = $listener->accept or die "accept: $SSL_ERROR";
        die 'name' unless $s->peer_certificate('commonName') eq 'client';
        my $line = <$s>;
        print $s $line;
        print $s unpack('H*', $s->export_keying_material('EXPERIMENTAL test', 32)), "\n" if $s->can('export_keying_material');
        close $s;
        exit 0;
    }
    my $s = IO::Socket::SSL->new(PeerAddr => '127.0.0.1', PeerPort => $port, SSL_ca_file => $ca, SSL_cert_file => $ccert,
        SSL_key_file => $ckey, SSL_hostname => 'localhost', SSL_verifycn_name => 'localhost', SSL_verifycn_scheme => 'http',
        SSL_alpn_protocols => ['echo']) or die "connect: $SSL_ERROR";
    (my $got = $s->get_sslversion) =~ tr/./_/;
    die "version $got" unless $got eq $version;
    die 'alpn' unless $s->alpn_selected eq 'echo';
    my $long = 'y' x 200_000;
    print $s "$long\n";
    my $line = <$s>;
    die 'echo' unless $line eq "$long\n";
    close $s;
    waitpid $pid, 0;
    die "server: $?" if $?;
}
print "fine\n";
"""


def run(t):
    script = t.write("script.pl", SCRIPT)
    t.expect_in("fine", t.run(["perl", script, t.certs.ca, *t.certs.server[:2], *t.certs.client[:2]]))
