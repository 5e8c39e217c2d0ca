"""CPython's own tests of what stands on the ssl module, from Debian's libpython3.11-testsuite."""

import xml.etree.ElementTree

ABOUT = "CPython's tests of ssl, asyncio, http, ftp, imap, pop, smtp and urllib: the same pass and are skipped as on OpenSSL"
PACKAGES = ["libpython3.11-testsuite", "python3"]
LONG = True

TESTS = ["test_ssl", "test_asyncio", "test_httplib", "test_ftplib", "test_imaplib", "test_poplib", "test_smtplib",
         "test_urllib2_localnet", "test_docxmlrpc", "test_httpservers", "test_logging"]


def verdicts(report):
    """What became of each test, by name."""
    found = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        ill = case.find("failure") is not None or case.find("error") is not None
        found[case.get("name")] = "failed" if ill else "skipped" if case.find("skipped") is not None else "passed"
    return found


def run(t):
    found = {}
    for tenon in (True, False):
        report = t.path(f"report-{tenon}.xml")
        t.run(["/usr/bin/python3", "-m", "test", "-j2", "--timeout", "300", "--junit-xml", report, *TESTS], tenon=tenon,
              ok=None, seconds=900)
        found[tenon] = verdicts(report)
    t.expect(len(found[False]) > 1000, f"only {len(found[False])} tests were found")
    worse = [f"{name}: {found[True].get(name)}, with OpenSSL {verdict}" for name, verdict in found[False].items()
             if found[True].get(name) != verdict and verdict != "failed"]
    t.expect(not worse, f"{len(worse)} of {len(found[False])} differ: " + "; ".join(worse[:20]))
