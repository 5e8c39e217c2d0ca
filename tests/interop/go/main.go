// TLS connections as client or as server, on Go's crypto/tls: the other side of the interoperability tests. It takes
// the same command line as the programs in ../others, exchanges data, closes both halves, prints what it saw as
// "facts key=value ..." for each connection and exits with 0 when all went well.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const timeLimit = 30 * time.Second

var groupIDs = map[string]tls.CurveID{
	"X25519": tls.X25519, "P-256": tls.CurveP256, "P-384": tls.CurveP384, "P-521": tls.CurveP521,
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "go peer:", err)
	os.Exit(1)
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func group(name string) []tls.CurveID {
	if name == "" {
		return nil
	}
	id, known := groupIDs[name]
	if !known {
		fail(errors.New("unknown group " + name))
	}
	return []tls.CurveID{id}
}

var versions = map[string][2]uint16{
	"1.3": {tls.VersionTLS13, tls.VersionTLS13}, "1.2": {tls.VersionTLS12, tls.VersionTLS12},
	"1.1": {tls.VersionTLS11, tls.VersionTLS11}, "1.0": {tls.VersionTLS10, tls.VersionTLS10},
	"any": {tls.VersionTLS12, tls.VersionTLS13},
}

// list prints every suite, those as well that are off by default, and the groups.
func list() {
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		fmt.Printf("suite %04x\n", suite.ID)
	}
	for name := range groupIDs {
		fmt.Println("group", name)
	}
}

func pool(file string) *x509.CertPool {
	pem, err := os.ReadFile(file)
	check(err)
	certs := x509.NewCertPool()
	if !certs.AppendCertsFromPEM(pem) {
		fail(errors.New("no certificate in " + file))
	}
	return certs
}

// sendBlocks drives: what is sent must come back.
func sendBlocks(conn *tls.Conn) {
	for _, size := range []int{1, 57, 4096, 16384, 16385, 40000} {
		block := make([]byte, size)
		for i := range block {
			block[i] = byte(i*7 + size)
		}
		_, err := conn.Write(block)
		check(err)
		answer := make([]byte, size)
		_, err = io.ReadFull(conn, answer)
		check(err)
		if !bytes.Equal(block, answer) {
			fail(errors.New("the answer is not what was sent"))
		}
	}
}

// echo sends back what comes until the other side closes with close_notify.
func echo(conn *tls.Conn) {
	buffer := make([]byte, 40000)
	for {
		n, err := conn.Read(buffer)
		if n > 0 {
			_, writeErr := conn.Write(buffer[:n])
			check(writeErr)
		}
		if err == io.EOF {
			return
		}
		check(err)
	}
}

func printFacts(conn *tls.Conn) {
	state := conn.ConnectionState()
	peer := "-"
	if len(state.PeerCertificates) > 0 {
		peer = state.PeerCertificates[0].Subject.CommonName
	}
	fmt.Printf("facts version=%#x suite=%s peer=%s alpn=%s sni=%s resumed=%d\n", state.Version,
		tls.CipherSuiteName(state.CipherSuite), peer, orDash(state.NegotiatedProtocol), orDash(state.ServerName), number(state.DidResume))
}

func number(truth bool) int {
	if truth {
		return 1
	}
	return 0
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("usage: list | client OPTIONS | server OPTIONS"))
	}
	if os.Args[1] == "list" {
		list()
		return
	}
	server := os.Args[1] == "server"
	port := flag.Int("port", 0, "port to connect to")
	cert := flag.String("cert", "", "certificate file")
	key := flag.String("key", "", "key file")
	ca := flag.String("ca", "", "file of trusted certificates")
	groupName := flag.String("group", "", "the one group")
	alpn := flag.String("alpn", "", "protocol names with commas between")
	name := flag.String("sni", "peer.test", "the server's name")
	version := flag.String("version", "1.3", "1.3, 1.2 or any")
	suite := flag.Uint64("suite", 0, "the one suite; in TLS 1.3 it cannot be chosen")
	_ = flag.String("suite-name", "", "its registered name")
	verifyClient := flag.Bool("verify-client", false, "insist on a client certificate")
	connections := flag.Int("connections", 1, "how many, one after another; more than one: they resume")
	check(flag.CommandLine.Parse(os.Args[2:]))

	time.AfterFunc(timeLimit, func() { fail(errors.New("out of time")) })
	config := &tls.Config{MinVersion: versions[*version][0], MaxVersion: versions[*version][1],
		CurvePreferences: group(*groupName), Renegotiation: tls.RenegotiateFreelyAsClient}
	if *suite != 0 {
		config.CipherSuites = []uint16{uint16(*suite)}
	}
	if *alpn != "" {
		config.NextProtos = strings.Split(*alpn, ",")
	}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		check(err)
		config.Certificates = []tls.Certificate{pair}
	}
	var next func() *tls.Conn
	if server {
		if *verifyClient {
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, pool(*ca)
		}
		next = listen(config)
	} else {
		config.RootCAs, config.ServerName = pool(*ca), *name
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		next = func() *tls.Conn {
			plain, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", *port))
			check(err)
			return tls.Client(plain, config)
		}
	}
	for i := 0; i < *connections; i++ {
		converse(next(), server)
	}
}

// listen says the port and returns what accepts the next connection.
func listen(config *tls.Config) func() *tls.Conn {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	check(err)
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	return func() *tls.Conn {
		plain, err := listener.Accept()
		check(err)
		return tls.Server(plain, config)
	}
}

func converse(conn *tls.Conn, server bool) {
	check(conn.Handshake())
	if server {
		echo(conn)
	} else {
		sendBlocks(conn)
		check(conn.CloseWrite())
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			fail(fmt.Errorf("no close_notify came back: %v", err))
		}
	}
	printFacts(conn)
	check(conn.Close())
}
