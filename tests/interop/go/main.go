// One TLS connection as client or as server, on Go's crypto/tls: the other side of the interoperability tests.
// It exchanges data, closes both halves, prints what it saw as "facts key=value ..." and exits with 0 when all went well.
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

func groups(list string) []tls.CurveID {
	var ids []tls.CurveID
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ':' }) {
		id, known := groupIDs[name]
		if !known {
			fail(errors.New("unknown group " + name))
		}
		ids = append(ids, id)
	}
	return ids
}

var versions = map[string][2]uint16{
	"1.3": {tls.VersionTLS13, tls.VersionTLS13}, "1.2": {tls.VersionTLS12, tls.VersionTLS12},
	"any": {tls.VersionTLS12, tls.VersionTLS13},
}

// suites finds one suite of TLS 1.2 by its name, among those as well that are off by default.
func suites(name string) []uint16 {
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.Name == name {
			return []uint16{suite.ID}
		}
	}
	fail(errors.New("unknown suite " + name))
	return nil
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
	fmt.Printf("facts version=%#x suite=%s peer=%s alpn=%s sni=%s\n", state.Version,
		tls.CipherSuiteName(state.CipherSuite), peer, orDash(state.NegotiatedProtocol), orDash(state.ServerName))
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func main() {
	server := flag.Bool("server", false, "be the server")
	port := flag.Int("port", 0, "port to connect to")
	cert := flag.String("cert", "", "certificate file")
	key := flag.String("key", "", "key file")
	ca := flag.String("ca", "", "file of trusted certificates")
	groupList := flag.String("groups", "", "groups, in order")
	alpn := flag.String("alpn", "", "protocol names with commas between")
	name := flag.String("sni", "peer.test", "the server's name")
	version := flag.String("version", "1.3", "1.3, 1.2 or any")
	suite := flag.String("suite", "", "the one suite of TLS 1.2")
	verifyClient := flag.Bool("verify-client", false, "insist on a client certificate")
	flag.Parse()

	time.AfterFunc(timeLimit, func() { fail(errors.New("out of time")) })
	config := &tls.Config{MinVersion: versions[*version][0], MaxVersion: versions[*version][1],
		CurvePreferences: groups(*groupList), Renegotiation: tls.RenegotiateFreelyAsClient}
	if *suite != "" {
		config.CipherSuites = suites(*suite)
	}
	if *alpn != "" {
		config.NextProtos = strings.Split(*alpn, ",")
	}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		check(err)
		config.Certificates = []tls.Certificate{pair}
	}
	var conn *tls.Conn
	if *server {
		if *verifyClient {
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, pool(*ca)
		}
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		check(err)
		fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
		plain, err := listener.Accept()
		check(err)
		conn = tls.Server(plain, config)
	} else {
		config.RootCAs, config.ServerName = pool(*ca), *name
		plain, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", *port))
		check(err)
		conn = tls.Client(plain, config)
	}
	check(conn.Handshake())
	if *server {
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
