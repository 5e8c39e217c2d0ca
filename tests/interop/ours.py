"""The command line of our program (peer.c) for a case."""

import cases
import peers


def early_options(case):
    if not case.early:
        return ()
    if case.ours == "client":
        return ("--early", case.early), ("--early-unanswered", int(case.peer == "gnutls"))
    return ("--max-early", cases.MAX_EARLY), ("--recv-early", case.early_limit)


def our_arguments(case, files):
    """What our program is told, apart from its role's port and the way the peer exchanges data."""
    arguments = ["--version", case.our_version or case.version]
    if case.suite:
        arguments += ["--ciphers" if case.suite.version == "1.2" else "--suites", case.ciphers]
    if case.suite and case.suite.psk:
        arguments += ["--psk", cases.PSK, "--psk-identity", cases.PSK_IDENTITY]
    for option, value in (("--groups", case.our_groups), ("--alpn", case.our_alpn)):
        if value:
            arguments += [option, value]
    if case.server_sigalg:
        arguments += ["--sigalgs", peers.sigalg_list(case.server_sigalg)]
    if case.client_sigalg:
        arguments += ["--client-sigalgs", peers.sigalg_list(case.client_sigalg)]
    for option, value in (("--key-updates", case.our_key_updates), ("--renegotiations", case.our_renegotiations),
                          *early_options(case)):
        if value:
            arguments += [option, str(value)]
    for option, value in (("--no-etm", not case.encrypt_then_mac), ("--no-ticket", case.by_id),
                          ("--post-handshake-auth", case.late_auth)):
        if value:
            arguments += [option]
    if case.connections > 1:
        arguments += ["--connections", str(case.connections)]
    name = None
    if case.ours == "client":
        arguments += ["--sni", case.server_name, "--ca", files[case.client_trusts + ".pem"]]
        if case.client_key and not case.withhold_client_certificate:
            name = "client-" + case.client_key
    else:
        name = "server-" + case.server_key if not case.anonymous else None
        if case.client_key:
            arguments += ["--verify-client", "--ca", files["ca.pem"]]
        if case.other_certificate:
            arguments += ["--other-name", "other.test", "--other-cert", files["other.pem"], "--other-key", files["other.key"]]
    if name:
        arguments += ["--cert", files[name + ".pem"], "--key", files[name + ".key"]]
    return arguments
