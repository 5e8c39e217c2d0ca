import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * The other side of the interoperability tests on Java's JSSE. One process serves all connections, since a virtual
 * machine takes long to start: each line of its input is a number and the arguments of one connection, as the programs in
 * ../others take them, with tabs between; each line of its output begins with that number: "N port P", "N facts ...",
 * "N failed WHY", and at last "N end STATUS".
 *
 * <p>Called with the argument "list" it prints the suites that it has, and ends.
 */
public final class Peer {
    private static final int TIME_LIMIT = 30_000; // of one read, in milliseconds
    private static final int[] SIZES = {1, 57, 4096, 16384, 16385, 40000};

    private final String number;
    private final boolean server;
    private final Map<String, String> options = new HashMap<>();

    private Peer(String[] words) {
        number = words[0];
        server = words[1].equals("server");
        for (int i = 2; i < words.length; i++) {
            boolean flag = words[i].equals("--verify-client") || words[i].equals("--no-etm");
            options.put(words[i].substring(2), flag ? "" : words[++i]);
        }
    }

    /** JSSE's older names begin with SSL. */
    private static String registered(String suite) {
        return suite.startsWith("SSL_") ? "TLS_" + suite.substring(4) : suite;
    }

    private void say(String words) {
        synchronized (System.out) {
            System.out.println(number + " " + words);
            System.out.flush();
        }
    }

    private static byte[] pem(String file) throws IOException {
        String text = Files.readString(Path.of(file));
        int begin = text.indexOf("-----\n") + 6;
        return Base64.getMimeDecoder().decode(text.substring(begin, text.indexOf("-----END", begin)));
    }

    private static Certificate certificate(String file) throws IOException, GeneralSecurityException {
        return CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem(file)));
    }

    private static KeyStore emptyStore() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private SSLContext context() throws IOException, GeneralSecurityException {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        KeyStore own = emptyStore();
        KeyStore trusted = emptyStore();
        if (options.containsKey("cert")) {
            Certificate certificate = certificate(options.get("cert"));
            PrivateKey key = KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
                    .generatePrivate(new PKCS8EncodedKeySpec(pem(options.get("key"))));
            own.setKeyEntry("own", key, new char[0], new Certificate[] {certificate});
        }
        if (options.containsKey("ca")) {
            trusted.setCertificateEntry("ca", certificate(options.get("ca")));
        }
        keys.init(own, new char[0]);
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), options.containsKey("ca") ? trust.getTrustManagers() : null, null);
        return context;
    }

    private void configure(SSLSocket socket) {
        SSLParameters parameters = socket.getSSLParameters();
        String version = options.get("version");
        parameters.setProtocols(version.equals("any") ? new String[] {"TLSv1.3", "TLSv1.2"} : new String[] {"TLSv" + version.replace("1.0", "1")});
        if (options.containsKey("suite-name")) {
            parameters.setCipherSuites(Arrays.stream(socket.getSupportedCipherSuites())
                    .filter(name -> registered(name).equals(options.get("suite-name"))).toArray(String[]::new));
        }
        if (options.containsKey("alpn")) {
            parameters.setApplicationProtocols(new String[] {options.get("alpn")});
        }
        if (server) {
            parameters.setNeedClientAuth(options.containsKey("verify-client"));
        } else {
            parameters.setServerNames(List.of(new SNIHostName(options.get("sni"))));
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        // An anonymous server has no name to check.
        if (options.getOrDefault("suite-name", "").contains("_anon_")) {
            parameters.setEndpointIdentificationAlgorithm("");
        }
        socket.setSSLParameters(parameters);
        socket.setUseClientMode(!server);
    }

    private ServerSocket listen() throws IOException {
        ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        listener.setSoTimeout(TIME_LIMIT);
        say("port " + listener.getLocalPort());
        return listener;
    }

    private SSLSocket connect(SSLContext context, ServerSocket listener) throws IOException {
        Socket plain = server ? listener.accept()
                : new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(options.get("port")));
        plain.setSoTimeout(TIME_LIMIT);
        SSLSocket socket =
                (SSLSocket) context.getSocketFactory().createSocket(plain, options.getOrDefault("sni", ""), plain.getPort(), true);
        configure(socket);
        socket.startHandshake();
        return socket;
    }

    /** What is sent must come back. */
    private static void sendBlocks(SSLSocket socket) throws IOException {
        for (int size : SIZES) {
            byte[] block = new byte[size];
            for (int i = 0; i < size; i++) {
                block[i] = (byte) (i * 7 + size);
            }
            socket.getOutputStream().write(block);
            if (!Arrays.equals(block, socket.getInputStream().readNBytes(size))) {
                throw new IOException("the answer is not what was sent");
            }
        }
    }

    private static void echo(SSLSocket socket) throws IOException {
        InputStream in = socket.getInputStream();
        OutputStream out = socket.getOutputStream();
        byte[] data = new byte[40000];
        for (int got = in.read(data); got > 0; got = in.read(data)) {
            out.write(data, 0, got);
        }
    }

    private void facts(SSLSocket socket, long begin) {
        ExtendedSSLSession session = (ExtendedSSLSession) socket.getSession();
        String name = "-";
        for (SNIServerName asked : session.getRequestedServerNames()) {
            name = new String(asked.getEncoded());
        }
        String peer = "-";
        try {
            peer = ((X509Certificate) session.getPeerCertificates()[0]).getSubjectX500Principal().getName().replace("CN=", "");
        } catch (SSLPeerUnverifiedException nobody) {
            // Then it stays a dash.
        }
        String alpn = socket.getApplicationProtocol();
        say("facts sni=" + name + " alpn=" + (alpn == null || alpn.isEmpty() ? "-" : alpn) + " peer=" + peer
                + " resumed=" + (session.getCreationTime() < begin ? 1 : 0));
    }

    private void converse(SSLSocket socket) throws IOException {
        if (server) {
            echo(socket);
            socket.shutdownOutput();
        } else {
            sendBlocks(socket);
            socket.shutdownOutput();
            if (socket.getInputStream().read() != -1) {
                throw new IOException("data instead of a close_notify");
            }
        }
    }

    private void run() {
        int status = 0;
        int connections = Integer.parseInt(options.getOrDefault("connections", "1"));
        try (ServerSocket listener = server ? listen() : null) {
            SSLContext context = context();
            for (int i = 0; i < connections; i++) {
                // JSSE has no method that tells: a connection is resumed when its session is older. Its clock has
                // milliseconds.
                Thread.sleep(i > 0 ? 2 : 0);
                long begin = System.currentTimeMillis();
                try (SSLSocket socket = connect(context, listener)) {
                    converse(socket);
                    facts(socket, begin);
                }
            }
        } catch (IOException | GeneralSecurityException | RuntimeException | InterruptedException failure) {
            say("failed " + failure.toString().replace('\n', ' '));
            status = 1;
        }
        say("end " + status);
    }

    public static void main(String[] arguments) throws GeneralSecurityException {
        // What Java would refuse by itself, so that old suites can be tried.
        for (String property : List.of("jdk.tls.disabledAlgorithms", "jdk.tls.legacyAlgorithms", "jdk.certpath.disabledAlgorithms")) {
            Security.setProperty(property, "");
        }
        if (arguments.length == 1 && arguments[0].equals("list")) {
            for (String suite : SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites()) {
                System.out.println("suite " + registered(suite));
            }
            return;
        }
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            Thread thread = new Thread(new Peer(lines.nextLine().split("\t"))::run);
            thread.setDaemon(true);
            thread.start();
        }
    }
}
