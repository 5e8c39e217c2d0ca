/*
 * Cipher lists from the world: what is found in the packages of Debian 12 that use libssl (their
 * programs and default configurations), what well-known guides recommend, and what other programs
 * come with. Which suites each selects, in which order, on a context and on a connection, and
 * which of them a client would offer. ciphers(1), SSL_get1_supported_ciphers(3).
 */
#include "contract.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *from;
    const char *text;
} lists[] = {
    { "apache2", "HIGH:!aNULL" },
    { "apache2", "ALL:!COMPLEMENTOFDEFAULT:!eNULL" },
    { "conserver", "ALL:!LOW:!EXP:!MD5:!aNULL:@STRENGTH" },
    { "conserver", "ALL:aNULL:!LOW:!EXP:!MD5:@STRENGTH:@SECLEVEL=0" },
    { "coturn", "ALL:!eNULL:!aNULL:!NULL" },
    { "dnsdist", "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                 "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                 "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                 "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                 "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
                 "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA:"
                 "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
                 "DHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA:DHE-RSA-AES256-SHA256:"
                 "DHE-RSA-AES256-SHA:ECDHE-ECDSA-DES-CBC3-SHA:ECDHE-RSA-DES-CBC3-SHA:"
                 "EDH-RSA-DES-CBC3-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:"
                 "AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA:DES-CBC3-SHA:!DSS" },
    { "dovecot", "ALL:!LOW:!SSLv2:!EXP:!aNULL" },
    { "dovecot", "HIGH:!ALL" },
    { "dovecot", "HIGH:!SSLv2" },
    { "dovecot", "MEDIUM:!LOW" },
    { "e2guardian", "HIGH:!ADH:!MD5:!RC4:!SRP:!PSK:!DSS" },
    { "ejabberd", "HIGH:!aNULL:!eNULL:!3DES:@STRENGTH" },
    { "freeradius", "ALL:!EXPORT:!eNULL:!SSLv2" },
    { "haproxy", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                 "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                 "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384" },
    { "haproxy", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                 "TLS_CHACHA20_POLY1305_SHA256" },
    { "hitch", "EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH" },
    { "icecast2", "ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:"
                  "ECDH+3DES:DH+3DES:RSA+AESGCM:RSA+AES:RSA+3DES:!aNULL:!MD5:!DSS" },
    { "icecast2", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
                  "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:"
                  "DHE-RSA-AES128-GCM-SHA256:DHE-DSS-AES128-GCM-SHA256:kEDH+AESGCM:"
                  "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256:"
                  "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:"
                  "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES256-SHA:"
                  "DHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA:DHE-DSS-AES128-SHA256:"
                  "DHE-RSA-AES256-SHA256:DHE-DSS-AES256-SHA:DHE-RSA-AES256-SHA:"
                  "ECDHE-RSA-DES-CBC3-SHA:ECDHE-ECDSA-DES-CBC3-SHA:AES128-GCM-SHA256:"
                  "AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA:"
                  "AES:DES-CBC3-SHA:HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:"
                  "!aECDH:!EDH-DSS-DES-CBC3-SHA:!EDH-RSA-DES-CBC3-SHA:!KRB5-DES-CBC3-SHA" },
    { "icinga2", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                 "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                 "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
                 "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
                 "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384:"
                 "AES128-GCM-SHA256" },
    { "jabberd2", "!aNULL:!eNULL:!EXP:ALL:!COMPLEMENTOFDEFAULT:!eNULL" },
    { "janus", "DEFAULT:!NULL:!aNULL:!SHA256:!SHA384:!aECDH:!AESGCM+AES256:!aPSK" },
    { "janus", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256" },
    { "grpc", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
              "TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
              "ECDHE-RSA-AES256-GCM-SHA384" },
    { "IO::Socket::SSL", "ALL:!LOW" },
    { "IO::Socket::SSL", "ALL:!LOW:!EXP" },
    { "IO::Socket::SSL", "ALL:!LOW:!EXP:!aNULL" },
    { "IO::Socket::SSL", "HIGH:!LOW" },
    { "python3.11", "HIGH:!aNULL:!eNULL" },
    { "qpid-proton", "ALL:!aNULL:!eNULL:@STRENGTH" },
    { "qpid-proton", "ALL:aNULL:!eNULL:@STRENGTH" },
    { "lighttpd", "EECDH+AESGCM:AES256+EECDH:CHACHA20:!SHA1:!SHA256:!SHA384" },
    { "monit", "ALL:!DES:!RC4:!aNULL:!LOW:!EXP:!IDEA:!MD5:!3DES:@STRENGTH" },
    { "mosquitto", "DEFAULT:!aNULL:!eNULL:!LOW:!EXPORT:!SSLv2:@STRENGTH" },
    { "mosquitto", "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
                   "TLS_AES_128_GCM_SHA256" },
    { "nagios-nrpe", "ALL:!MD5:@STRENGTH:@SECLEVEL=0" },
    { "nagios-nrpe", "ALL:!MD5:@STRENGTH" },
    { "nagios-nrpe", "ALL:!aNULL:!eNULL:!SSLv2:!LOW:!EXP:!RC4:!MD5:@STRENGTH" },
    { "ncat", "!aNULL:!eNULL" },
    { "ncat", "ALL:!aNULL:!eNULL:!LOW:!EXP:!RC4:!MD5:@STRENGTH" },
    { "ncat", "RC4-SHA:RC4-MD5:NULL-SHA:EXP-DES-CBC-SHA:EXP-EDH-RSA-DES-CBC-SHA:"
              "EXP-RC4-MD5:NULL-MD5:EDH-RSA-DES-CBC-SHA:EXP-RC2-CBC-MD5:"
              "EDH-RSA-DES-CBC3-SHA:EXP-ADH-RC4-MD5:DHE-RSA-AES128-SHA:"
              "DHE-RSA-AES256-SHA:EXP-ADH-DES-CBC-SHA:ADH-AES256-SHA:ADH-DES-CBC-SHA:"
              "ADH-RC4-MD5:AES256-SHA:DES-CBC-SHA:DES-CBC3-SHA:ADH-DES-CBC3-SHA:"
              "AES128-SHA:ADH-AES128-SHA:eNULL:ALL" },
    { "nginx", "ALL:!ADH:RC4+RSA:+HIGH:+MEDIUM" },
    { "nginx", "HIGH:!ADH:!MD5" },
    { "nginx", "HIGH:!aNULL:!MD5" },
    { "nsd", "ECDHE+AESGCM:ECDHE+CHACHA20" },
    { "openvpn", "AES-128-GCM:AES-256-GCM:AES-192-GCM:CHACHA20-POLY1305" },
    { "openvpn", "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305" },
    { "openvpn", "CHACHA20-POLY1305:AES-256-CBC" },
    { "openvpn", "DEFAULT:!EXP:!LOW:!MEDIUM:!kDH:!kECDH:!DSS:!PSK:!SRP:!kRSA" },
    { "perdition", "ALL:!ADH:RC4+RSA:+SSLv2:@STRENGTH" },
    { "pgbouncer", "ALL:!aNULL:!eNULL" },
    { "pgbouncer", "HIGH+EECDH:HIGH+EDH:!SSLv3:!SHA384:!SHA256:!DSS:!aNULL" },
    { "pgbouncer", "HIGH+EECDH:HIGH+EDH:HIGH+RSA:+AES256:+SHA256:+SHA384:+SSLv3:+EDH:+RSA:"
                   "-3DES:3DES+RSA:!CAMELLIA:!DSS:!aNULL" },
    { "pgbouncer", "HIGH+EECDH:HIGH+EDH:HIGH+RSA:+SHA384:+SHA256:+SSLv3:+EDH:+RSA:-3DES:"
                   "3DES+RSA:!CAMELLIA:!DSS:!aNULL" },
    { "pgbouncer", "HIGH:+3DES:!aNULL" },
    { "postfix", "aNULL:-aNULL:HIGH:@STRENGTH" },
    { "postfix", "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH" },
    { "postfix", "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH" },
    { "postfix", "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH" },
    { "postfix", "eNULL:!aNULL" },
    { "proftpd", "ALL:!ADH" },
    { "proftpd", "DEFAULT:!ADH:!EXPORT:!DES" },
    { "proftpd", "DEFAULT:!EXPORT:!DES" },
    { "pure-ftpd", "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                   "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                   "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                   "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                   "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
                   "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA:"
                   "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
                   "DHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA:DHE-RSA-AES256-SHA256:"
                   "DHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:"
                   "AES256-SHA256:AES128-SHA:AES256-SHA:!DSS" },
    { "pure-ftpd", "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305:"
                   "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
                   "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:"
                   "DHE-RSA-AES128-GCM-SHA256:DHE-DSS-AES128-GCM-SHA256:kEDH+AESGCM:"
                   "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256:"
                   "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:"
                   "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES256-SHA:"
                   "DHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA:DHE-DSS-AES128-SHA256:"
                   "DHE-RSA-AES256-SHA256:DHE-DSS-AES256-SHA:DHE-RSA-AES256-SHA:"
                   "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:"
                   "AES128-SHA:AES256-SHA:AES:CAMELLIA:DES-CBC3-SHA:!aNULL:!eNULL:!EXPORT:"
                   "!DES:!RC4:!MD5:!PSK:!aECDH:!EDH-DSS-DES-CBC3-SHA:"
                   "!EDH-RSA-DES-CBC3-SHA:!KRB5-DES-CBC3-SH" },
    { "twisted", "!aNULL:!MD5:!DSS" },
    { "redis", "DEFAULT:!MEDIUM" },
    { "ruby-eventmachine", "ALL:!ADH:!LOW:!EXP:!DES-CBC3-SHA:@STRENGTH" },
    { "socat", "HIGH:-NULL:-PSK:-aNULL" },
    { "sslsplit", "ALL:-aNULL" },
    { "sslsplit", "MEDIUM:HIGH" },
    { "sslsplit", "NULL:RC4:AES128:-DHE" },
    { "stubby", "EECDH+AESGCM:EECDH+CHACHA20" },
    { "stubby", "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
                "TLS_CHACHA20_POLY1305_SHA256" },
    { "stunnel4", "ALL:!SSLv2:!aNULL:!EXP:!LOW:-MEDIUM:RC4:+HIGH" },
    { "stunnel4", "HIGH:!aNULL:!SSLv2" },
    { "stunnel4", "HIGH:MEDIUM:+3DES:+DH:!aNULL:!SSLv2" },
    { "stunnel4", "RC4-MD5:HIGH:!aNULL:!SSLv2" },
    { "stunnel4", "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:"
                  "TLS_AES_128_GCM_SHA256" },
    { "tor", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
             "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
             "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
             "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
             "ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:"
             "AES256-SHA:!SSLv2" },
    { "tor", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
             "ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA:"
             "ECDHE-RSA-AES128-SHA:DHE-RSA-AES256-GCM-SHA384:"
             "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-CCM:DHE-RSA-AES128-CCM:"
             "DHE-RSA-AES256-SHA256:DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA:"
             "DHE-RSA-AES128-SHA:ECDHE-RSA-CHACHA20-POLY1305:"
             "DHE-RSA-CHACHA20-POLY1305" },
    { "trojan", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
                "ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:DHE-RSA-AES256-SHA:AES128-SHA:"
                "AES256-SHA:DES-CBC3-SHA" },
    { "trojan", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:"
                "TLS_AES_256_GCM_SHA384" },
    { "unbound", "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:"
                 "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
                 "DHE-RSA-AES256-SHA256:DHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:"
                 "ECDHE-RSA-AES128-SHA256" },
    { "unbound", "TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_8_SHA256:"
                 "TLS_AES_128_CCM_SHA256:TLS_AES_256_GCM_SHA384:"
                 "TLS_CHACHA20_POLY1305_SHA256" },
    { "wpasupplicant", "DEFAULT:!EXP:!LOW" },
    { "wpasupplicant", "ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384" },
    { "wpasupplicant", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
                       "ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA:"
                       "ECDHE-RSA-AES128-SHA:DHE-RSA-AES256-GCM-SHA384:"
                       "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-SHA256:DHE-RSA-AES128-SHA256:"
                       "DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:ADH-AES256-GCM-SHA384:"
                       "ADH-AES128-GCM-SHA256:ADH-AES256-SHA256:ADH-AES128-SHA256:"
                       "ADH-AES256-SHA:ADH-AES128-SHA" },
    { "xrdp", "HIGH:!ADH:!SHA1" },
    { "Mozilla intermediate 5.7", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                                  "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                                  "DHE-RSA-CHACHA20-POLY1305" },
    { "Mozilla old 5.7", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                         "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                         "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                         "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                         "DHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA256:"
                         "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
                         "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
                         "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA256:"
                         "DHE-RSA-AES256-SHA256:AES128-GCM-SHA256:AES256-GCM-SHA384:"
                         "AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA:DES-CBC3-SHA" },
    { "Mozilla old at level 0",
      "@SECLEVEL=0:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
      "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
      "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256:"
      "AES128-SHA:DES-CBC3-SHA" },
    { "Mozilla modern 4.0", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                            "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                            "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
                            "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256" },
    { "Mozilla before 4.0", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:kEDH+AESGCM:"
                            "HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!aECDH:"
                            "!EDH-DSS-DES-CBC3-SHA:!KRB5-DES-CBC3-SHA" },
    { "Debian openssl.cnf", "DEFAULT@SECLEVEL=2" },
    { "Debian openssl.cnf", "DEFAULT:@SECLEVEL=2" },
    { "OpenSSL 1.0 default", "ALL:!EXPORT:!aNULL:!eNULL:!SSLv2" },
    { "OpenSSL 0.9 default", "ALL:!ADH:+RC4:@STRENGTH" },
    { "python 3.9", "DEFAULT:!aNULL:!eNULL:!MD5:!3DES:!DES:!RC4:!IDEA:!SEED:!aDSS:!SRP:!PSK" },
    { "python 3.10", "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:"
                     "!aDSS:!SHA1:!AESCCM" },
    { "python 3.6", "ECDH+AESGCM:ECDH+CHACHA20:DH+AESGCM:DH+CHACHA20:ECDH+AES256:DH+AES256:"
                    "ECDH+AES128:DH+AES:ECDH+HIGH:DH+HIGH:RSA+AESGCM:RSA+AES:RSA+HIGH:"
                    "!aNULL:!eNULL:!MD5:!3DES" },
    { "python 2.7", "ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:"
                    "ECDH+HIGH:DH+HIGH:ECDH+3DES:DH+3DES:RSA+AESGCM:RSA+AES:RSA+HIGH:"
                    "RSA+3DES:!aNULL:!eNULL:!MD5" },
    { "urllib3 1.26", "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDH+AESGCM:"
                      "DH+AESGCM:ECDH+AES:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!eNULL:!MD5:!DSS" },
    { "urllib3 2", "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDH+AESGCM:"
                   "DH+AESGCM:ECDH+AES:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!eNULL:!MD5:!DSS:"
                   "!AESCCM" },
    { "twisted", "TLS13-AES-256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
                 "TLS13-AES-128-GCM-SHA256:ECDH+AESGCM:ECDH+CHACHA20:DH+AESGCM:"
                 "DH+CHACHA20:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:"
                 "RSA+AES:!aNULL:!MD5:!DSS" },
    { "aiohttp", "HIGH:!aNULL:!eNULL:!EXPORT:!CAMELLIA:!DES:!MD5:!PSK:!RC4" },
    { "node 18", "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
                 "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                 "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
                 "ECDHE-ECDSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:"
                 "ECDHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:"
                 "DHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-SHA256:DHE-RSA-AES256-SHA256:"
                 "HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA" },
    { "guides", "DEFAULT:!aNULL:!eNULL:!LOW:!EXPORT:!SSLv2" },
    { "guides", "ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH" },
    { "guides", "HIGH:!aNULL:!eNULL:!MD5:!RC4:!DES:!3DES" },
    { "php 5.6", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
                 "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:"
                 "DHE-RSA-AES128-GCM-SHA256:DHE-DSS-AES128-GCM-SHA256:kEDH+AESGCM:"
                 "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256:"
                 "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:"
                 "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES256-SHA:"
                 "DHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA:DHE-DSS-AES128-SHA256:"
                 "DHE-RSA-AES256-SHA256:DHE-DSS-AES256-SHA:DHE-RSA-AES256-SHA:"
                 "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128:AES256:HIGH:!SSLv2:!aNULL:"
                 "!eNULL:!EXPORT:!DES:!MD5:!RC4:!ADH" },
    { "curl", "ALL:!EXPORT:!EXPORT40:!EXPORT56:!aNULL:!LOW:!RC4:@STRENGTH" },
    { "curl 7.19", "ALL!EXPORT!EXPORT40!EXPORT56!aNULL!LOW!RC4@STRENGTH" },
    { "wget", "HIGH:!aNULL:!RC4:!MD5:!SRP:!PSK" },
    { "wget --secure-protocol=PFS", "HIGH:!aNULL:!RC4:!MD5:!SRP:!PSK:!kRSA" },
    { "postgresql", "HIGH:MEDIUM:+3DES:!aNULL" },
    { "mysql 5.7", "DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA:!aNULL:"
                   "!eNULL:!EXPORT:!LOW:!MD5:!DES:!RC2:!RC4:!PSK:!SSLv3" },
    { "guides", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA" },
    { "vsftpd", "DES-CBC3-SHA" },
    { "vsftpd", "ECDHE-RSA-AES256-GCM-SHA384" },
    { "apache 2.2", "ALL:!ADH:!EXPORT:!SSLv2:RC4+RSA:+HIGH:+MEDIUM:+LOW" },
    { "guides", "RC4-SHA:AES128-SHA:HIGH:!aNULL:!MD5" },
    { "guides", "HIGH:MEDIUM:!MD5:!RC4:!3DES" },
    { "guides", "HIGH:MEDIUM:!SSLv3:!kRSA" },
    { "lighttpd 1.4", "EECDH+AESGCM:EDH+AESGCM:AES128+EECDH:AES128+EDH" },
    { "guides", "EECDH+AESGCM:AES256+EECDH:CHACHA20:SHA256:!SHA384" },
    { "lighttpd 1.4.60", "HIGH" },
    { "guides", "EECDH+CHACHA20:EECDH+AES128:RSA+AES128:EECDH+AES256:RSA+AES256:"
                "EECDH+3DES:RSA+3DES:!MD5" },
    { "cloudflare", "EECDH+CHACHA20:EECDH+CHACHA20-draft:EECDH+AES128:RSA+AES128:"
                    "EECDH+AES256:RSA+AES256:EECDH+3DES:RSA+3DES:!MD5" },
    { "guides", "AES128-SHA:AES256-SHA:RC4-SHA:DES-CBC3-SHA:RC4-MD5" },
    { "guides", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:!aNULL:!MD5:"
                "!DSS" },
    { "guides", "kEECDH+aRSA+AES:kRSA+AES:+AES256:RC4-SHA:!kEDH:!LOW:!EXP:!MD5:!aNULL:"
                "!eNULL" },
    { "dovecot 2.3", "ALL:!kRSA:!SRP:!kDHd:!DSS:!aNULL:!eNULL:!EXPORT:!DES:!3DES:!MD5:!PSK:"
                     "!RC4:!ADH:!LOW@STRENGTH" },
    { "guides", "EECDH+AESGCM:EECDH+CHACHA20:DHE+AESGCM:!aNULL" },
    { "guides", "NORMAL" },
    { "guides", "HIGH:!aNULL:!eNULL:!LOW:!MEDIUM:!EXP:!SHA1" },
    { "guides", "HIGH:MEDIUM:!aNULL:!eNULL@STRENGTH" },
    { "cyrus", "DEFAULT:TLSv1:TLSv1.1:TLSv1.2:TLSv1.3:!EXPORT:!LOW:!MEDIUM:!NULL:"
               "!SSLv2:@STRENGTH" },
    { "cyrus", "TLSv1+HIGH:!aNULL:@STRENGTH" },
    { "guides", "aNULL:-aNULL:ALL:!EXPORT:!LOW:+RC4:@STRENGTH" },
    { "guides", "aNULL:-aNULL:HIGH:@STRENGTH:!aNULL" },
    { "postfix Suite B", "SUITEB128" },
    { "guides", "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH:!RC4:!3DES:!MD5:!eNULL" },
    { "openvpn 2.3", "DEFAULT:!EXP:!LOW:!MEDIUM:!PSK:!SRP" },
    { "guides", "DEFAULT:!EXP:!LOW:!MEDIUM:!kDH:!kECDH:!DSS:!PSK:!SRP:!kRSA:@SECLEVEL=0" },
    { "openvpn Suite B", "SUITEB192" },
    { "guides", "TLS-DHE-RSA-WITH-AES-256-CBC-SHA" },
    { "guides", "FIPS:!DH:!kDHEPSK" },
    { "guides", "HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK" },
    { "guides", "PSK" },
    { "redis", "DEFAULT:!MEDIUM:!aNULL" },
    { "guides", "HIGH:!aNULL:!kRSA" },
    { "guides", "PSK:!aNULL" },
    { "guides", "HIGH:!kRSA:!aNULL:!eNULL:!RC4:!3DES:!MD5:!EXP:!PSK:!SRP:!DSS:!SHA1:"
                "!SHA256:!SHA384" },
    { "guides", "HIGH:!aNULL:!kRSA:!3DES" },
    { "guides", "DEFAULT@SECLEVEL=1" },
    { "guides", "PSK:!aNULL:DEFAULT" },
    { "hostapd", "DEFAULT:!EXP:!LOW@SECLEVEL=0" },
    { "hostapd Suite B", "SUITEB192:ECDHE-RSA-AES256-GCM-SHA384" },
    { "guides", "ADH-AES128-SHA" },
    { "EAP-FAST", "ADH-AES128-SHA:RC4-SHA:AES128-SHA:AES256-SHA:DHE-RSA-AES128-SHA" },
    { "guides", "HIGH:MEDIUM:!LOW:!RC4:!SEED:!IDEA:!3DES:!MD5:!EXP:!PSK:!DSS" },
    { "guides", "HIGH:!SSLv2:!aNULL" },
    { "guides", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:kEDH+AESGCM:"
                "AES128:!eNULL" },
    { "WebRTC", "ALL:!SHA256:!SHA384:!aPSK:!ECDSA+SHA1:!ADH:!LOW:!EXP:!MD5:!3DES:"
                "!SSLv2:!RC4:!SEED:!IDEA" },
    { "Chromium", "ALL:!aPSK:!ECDSA+SHA1:!3DES" },
    { "Chromium 40", "ALL:!SHA256:!SHA384:!aPSK:!ECDSA+SHA1:DHE-RSA-AES256-GCM-SHA384" },
    { "guides", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:!DHE" },
    { "guides", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA384:HIGH:!aNULL:"
                "!eNULL:!EXPORT:!DES:!MD5:!3DES:!DSS:!PSK" },
    { "prosody", "HIGH+kEECDH:HIGH+kEDH:HIGH:!PSK:!SRP:!3DES:!aNULL" },
    { "prosody 0.12", "HIGH+kEECDH:HIGH+kEDH:HIGH:!PSK:!SRP:!3DES:!aNULL:!DSS:!CAMELLIA" },
    { "guides", "HIGH:+SSLv3:+TLSv1:MEDIUM:+SSLv2:@STRENGTH:+SHA:+MD5:!NULL" },
    { "guides", "TLSv1+RSA:!NULL" },
    { "guides", "HIGH:!aNULL:!kRSA:@STRENGTH" },
    { "guides", "HIGH:!ADH:!aNULL:!RC4:@STRENGTH" },
    { "guides", "HIGH:!DH:!aNULL" },
    { "guides", "ALL:!MD5:@STRENGTH:@SECLEVEL=0:!aNULL" },
    { "zabbix certificates", "EECDH+aRSA+AES128:RSA+aRSA+AES128" },
    { "zabbix pre-shared keys", "kECDHEPSK+AES128:kPSK+AES128" },
    { "zabbix both", "EECDH+aRSA+AES128:RSA+aRSA+AES128:kECDHEPSK+AES128:kPSK+AES128" },
    { "guides", "DEFAULT:!LOW:!MEDIUM:!DES:!3DES:!aNULL:!eNULL" },
    { "guides", "EECDH+AESGCM:EDH+aRSA+AESGCM:DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:"
                "AES256-SHA:AES128-SHA" },
    { "BetterCrypto A", "EDH+aRSA+AES256:EECDH+aRSA+AES256:!SSLv3" },
    { "BetterCrypto B", "EDH+CAMELLIA:EDH+aRSA:EECDH+aRSA+AESGCM:EECDH+aRSA+SHA256:EECDH:"
                        "+CAMELLIA128:+AES128:+SSLv3:!aNULL:!eNULL:!LOW:!3DES:!MD5:!EXP:!PSK:"
                        "!DSS:!RC4:!SEED:!IDEA:!ECDSA:kEDH:CAMELLIA128-SHA:AES128-SHA" },
    { "Qualys", "EECDH+ECDSA+AESGCM:EECDH+aRSA+AESGCM:EECDH+ECDSA+SHA384:"
                "EECDH+ECDSA+SHA256:EECDH+aRSA+SHA384:EECDH+aRSA+SHA256:EECDH+aRSA+RC4:"
                "EECDH:EDH+aRSA:RC4:!aNULL:!eNULL:!LOW:!3DES:!MD5:!EXP:!PSK:!SRP:!DSS" },
    { "guides", "ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:"
                "RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS" },
    { "AWS 2016-08", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                     "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
                     "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
                     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                     "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
                     "ECDHE-RSA-AES256-SHA:ECDHE-ECDSA-AES256-SHA:AES128-GCM-SHA256:"
                     "AES128-SHA256:AES128-SHA:AES256-GCM-SHA384:AES256-SHA256:AES256-SHA" },
    { "Fedora policy DEFAULT",
      "@SECLEVEL=2:kEECDH:kRSA:kEDH:kPSK:kDHEPSK:kECDHEPSK:kRSAPSK:-aDSS:"
      "-3DES:!DES:!RC4:!RC2:!IDEA:-SEED:!eNULL:!aNULL:!MD5:-SHA384:-CAMELLIA:"
      "-ARIA:-AESCCM8" },
    { "Fedora policy FUTURE",
      "@SECLEVEL=3:kEECDH:kEDH:kPSK:kDHEPSK:kECDHEPSK:-kRSAPSK:-kRSA:-aDSS:"
      "-AES128:-SHA256:-3DES:!DES:!RC4:!RC2:!IDEA:-SEED:!eNULL:!aNULL:-SHA1:"
      "!MD5:-SHA384:-CAMELLIA:-ARIA:-AESCCM8" },
    { "Fedora policy LEGACY",
      "@SECLEVEL=1:kEECDH:kRSA:kEDH:kPSK:kDHEPSK:kECDHEPSK:kRSAPSK:!DES:!RC2:"
      "!IDEA:-SEED:!eNULL:!aNULL:!MD5:-SHA384:-CAMELLIA:-ARIA:-AESCCM8" },
    { "Fedora policy FIPS", "@SECLEVEL=2:kEECDH:kEDH:kPSK:kDHEPSK:kECDHEPSK:-kRSAPSK:-kRSA:-aDSS:"
                            "-CHACHA20-POLY1305:-3DES:!DES:!RC4:!RC2:!IDEA:-SEED:!eNULL:!aNULL:"
                            "!MD5:-SHA384:-CAMELLIA:-ARIA:-AESCCM8" },
    { "PROFILE=SYSTEM", "PROFILE=SYSTEM" },
    { "FreeBSD", "HIGH:!DH:!aNULL:!SSLv2" },
    { "guides", "ALL:!ADH:+HIGH:+MEDIUM:-LOW:-SSLv2:-EXP" },
    { "guides", "HIGH:-SSLv2:-aNULL" },
    { "guides", "TLS1_3_TXT:ECDHE-RSA-AES128-GCM-SHA256" },
    { "ciphers(1)", "ALL:eNULL" },
    { "ciphers(1)", "ALL:!aNULL" },
    { "ciphers(1)", "3DES:+RSA" },
    { "ciphers(1)", "RC4:!COMPLEMENTOFDEFAULT" },
    { "ciphers(1)", "RSA:!COMPLEMENTOFALL" },
    { "ciphers(1)", "ALL:@SECLEVEL=2" },
    { "s_client in many a recipe", "ALL:eNULL:@SECLEVEL=0" },
    { "guides", "ALL:COMPLEMENTOFALL" },
    { "guides", "ALL:COMPLEMENTOFALL:@SECLEVEL=0" },
    { "weak-dh.org", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
                     "DHE-DSS-AES128-GCM-SHA256:kEDH+AESGCM:DHE-DSS-AES128-SHA256:AES:"
                     "CAMELLIA:DES-CBC3-SHA:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:"
                     "!aECDH:!EDH-DSS-DES-CBC3-SHA:!EDH-RSA-DES-CBC3-SHA:!KRB5-DES-CBC3-SHA" },
    { "guides", "HIGH:!aNULL:!RC4:!kRSA" },
    { "guides", "HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!kRSA" },
    { "guides", "ALL:!RSA:!DH:!NULL" },
    { "guides", "HIGH:!aNULL:!MD5:!kEDH" },
    { "guides", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:!aNULL" },
    { "guides", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                "DHE-RSA-AES256-GCM-SHA384:DHE-DSS-AES256-GCM-SHA384:"
                "DHE-RSA-AES128-GCM-SHA256:DHE-DSS-AES128-GCM-SHA256:AES256-SHA256:"
                "AES256-SHA:DHE-RSA-AES256-SHA256:DHE-DSS-AES256-SHA256:AES128-SHA256:"
                "AES128-SHA:DHE-RSA-AES128-SHA256:DHE-DSS-AES128-SHA256:!aNULL:!DH:"
                "!EDH:!eNULL" },
    { "guides", "ECDHE+AESGCM" },
    { "guides", "HIGH:!aNULL:!eNULL:!RC4:!MD5" },
    { "guides", "ALL:@SECLEVEL=0" },
    { "HTTP/2", "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!PSK" },
    { "guides", "HIGH:!AES128-SHA:!CAMELLIA:!ARIA:!AESCCM" },
    { "IoT", "ECDHE-ECDSA-AES128-CCM8:PSK-AES128-CCM8" },
    { "guides", "TLSv1.3:TLSv1.2:!NULL" },
    { "guides", "TLSv1.2:!NULL:!aNULL" },
    { "guides", "TLSv1.2+HIGH:!aNULL" },
    { "guides", "TLSv1:!aNULL" },
    { "guides", "ALL:!LOW:!EXP:!MD5:!MD2" },
    { "guides", "HIGH:!aNULL:!MD5:!RC4:!3DES" },
    { "guides", "DEFAULT:@SECLEVEL=1:!ECDH" },
    { "guides", "FIPS:!aNULL:!eNULL" },
    { "guides", "NORMAL:-VERS-SSL3.0" },
    { "a GnuTLS string", "SECURE128:-VERS-TLS-ALL:+VERS-TLS1.2" },
};

#define NUM_LISTS (sizeof(lists) / sizeof(lists[0]))

static void log_list(const char *title, const STACK_OF(SSL_CIPHER) *list)
{
    char line[8192] = "";
    size_t len = 0;

    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        int added = snprintf(line + len, sizeof(line) - len, "%s%s", i == 0 ? "" : " ",
                             SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i)));

        REQUIRE(added > 0 && (size_t)added < sizeof(line) - len);
        len += (size_t)added;
    }
    note("  %s %d: %s", title, sk_SSL_CIPHER_num(list), line);
}

/* What a client and a server of one highest version would offer or accept. */
static void log_supported(SSL_CTX *ctx, int version)
{
    SSL *ssl = SSL_new(ctx);
    STACK_OF(SSL_CIPHER) *list;

    REQUIRE(ssl != NULL && SSL_set_max_proto_version(ssl, version) == 1);
    SSL_set_connect_state(ssl);
    list = SSL_get1_supported_ciphers(ssl);
    log_list(version == TLS1_2_VERSION ? "TLS 1.2 client" : "client", list);
    sk_SSL_CIPHER_free(list);
    SSL_set_accept_state(ssl);
    list = SSL_get1_supported_ciphers(ssl);
    log_list(version == TLS1_2_VERSION ? "TLS 1.2 server" : "server", list);
    sk_SSL_CIPHER_free(list);
    SSL_free(ssl);
}

static void on_context(const char *text)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    int done;

    REQUIRE(ctx != NULL);
    done = SSL_CTX_set_cipher_list(ctx, text);
    note("  context: %d, level %d", done, SSL_CTX_get_security_level(ctx));
    log_errors("error");
    log_list("selected", SSL_CTX_get_ciphers(ctx));
    log_supported(ctx, TLS1_3_VERSION);
    log_supported(ctx, TLS1_2_VERSION);
    SSL_CTX_free(ctx);
}

static void on_connection(const char *text)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    int done;

    REQUIRE(ssl != NULL);
    done = SSL_set_cipher_list(ssl, text);
    note("  connection: %d, level %d", done, SSL_get_security_level(ssl));
    log_errors("error");
    log_list("selected", SSL_get_ciphers(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    for (size_t i = 0; i < NUM_LISTS; i++) {
        section("%s: %s", lists[i].from, lists[i].text);
        on_context(lists[i].text);
        on_connection(lists[i].text);
    }
    return contract_finish();
}
