// Several TLS connections one after the other, as a client that resumes or as a server that lets
// clients resume, with Go's crypto/tls. Prints a line "resumed true" or "resumed false" for each.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"net"
	"os"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A line each way, so that the client has read what tickets came.
func talk(conn *tls.Conn) {
	check(conn.SetDeadline(time.Now().Add(15 * time.Second)))
	_, err := conn.Write([]byte("x\n"))
	check(err)
	_, err = conn.Read(make([]byte, 1))
	check(err)
	fmt.Printf("resumed %v\n", conn.ConnectionState().DidResume)
}

func main() {
	port := flag.Int("port", 0, "port to connect to")
	cert := flag.String("cert", "", "a server's certificate file")
	key := flag.String("key", "", "its key file")
	ca := flag.String("ca", "", "file of certificates that a client trusts")
	num := flag.Int("num", 3, "connections")
	version := flag.String("version", "1.2", "of TLS")
	flag.Parse()
	number := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[*version]
	config := &tls.Config{MinVersion: number, MaxVersion: number}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		check(err)
		config.Certificates = []tls.Certificate{pair}
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		check(err)
		fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
		for i := 0; i < *num; i++ {
			plain, err := listener.Accept()
			check(err)
			conn := tls.Server(plain, config)
			check(conn.Handshake())
			fmt.Printf("resumed %v\n", conn.ConnectionState().DidResume)
			if number == tls.VersionTLS13 { // a client reads its tickets with the answer
				line := make([]byte, 16)
				n, err := conn.Read(line)
				check(err)
				_, err = conn.Write(line[:n])
				check(err)
			}
			_ = conn.Close()
		}
		return
	}
	pem, err := os.ReadFile(*ca)
	check(err)
	config.RootCAs, config.ServerName = x509.NewCertPool(), "peer.test"
	config.RootCAs.AppendCertsFromPEM(pem)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for i := 0; i < *num; i++ {
		conn, err := tls.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", *port), config)
		check(err)
		talk(conn)
		_ = conn.Close()
	}
}
