"""Tcl: its tls package."""

ABOUT = "the tls package as client and server, client certificates"
PACKAGES = ["tcl", "tcl-tls"]

SCRIPT = r"""
package require tls
lassign $argv side port ca cert key tls13
set common [list -cafile $ca -certfile $cert -keyfile $key -request 1 -require 1 -tls1.3 $tls13]
proc serve {s host port} { fconfigure $s -buffering line -blocking 0; fileevent $s readable [list echo $s] }
proc echo {s} {
    if {[gets $s line] >= 0} { puts $s "$line [dict get [tls::status $s] subject]" } elseif {[eof $s]} { close $s }
}
if {$side eq "server"} {
    tls::socket -server serve {*}$common -myaddr 127.0.0.1 $port
    vwait for_ever
}
set s [tls::socket {*}$common -servername localhost 127.0.0.1 $port]
fconfigure $s -buffering line
puts $s [string repeat w 50000]
set answer [gets $s]
if {![string match "www*CN=client*" $answer]} { error "another answer: [string range $answer end-100 end]" }
puts "fine [dict get [tls::status $s] version]"
"""


def run(t):
    script = t.write("script.tcl", SCRIPT)
    for tenon_serves in (True, False):
        port = t.port()
        t.start(["tclsh", script, "server", str(port), t.certs.ca, *t.certs.server[:2], "1"], port=port,
                tenon=tenon_serves)
        for tls13, version in (("0", "TLSv1.2"), ("1", "TLSv1.3")):
            t.expect_in(f"fine {version}", t.run(["tclsh", script, "client", str(port), t.certs.ca, *t.certs.client[:2],
                                                  tls13], tenon=not tenon_serves, seconds=20))
