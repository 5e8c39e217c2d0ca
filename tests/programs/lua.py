"""Lua: LuaSec, which Prosody and others use."""

import time

ABOUT = "LuaSec as client and server: client certificates, ALPN, SNI"
PACKAGES = ["lua5.4", "lua-sec"]

SCRIPT = r"""
local socket, ssl = require 'socket', require 'ssl'
local side, port, ca, cert, key, version = table.unpack(arg)
local params = { mode = side, protocol = version, cafile = ca, certificate = cert, key = key,
                 verify = { 'peer', 'fail_if_no_peer_cert' }, options = 'all' }
if side == 'server' then
    local listener = assert(socket.bind('127.0.0.1', tonumber(port)))
    for i = 1, 2 do
        local s = assert(ssl.wrap(assert(listener:accept()), params))
        assert(s:dohandshake())
        local name = s:getpeercertificate():subject()[1].value
        s:send(assert(s:receive('*l')) .. ' ' .. name .. '\n')
        s:close()
    end
else
    local tcp = assert(socket.connect('127.0.0.1', tonumber(port)))
    local s = assert(ssl.wrap(tcp, params))
    s:sni('localhost')
    assert(s:dohandshake())
    local long = ('z'):rep(100000)
    assert(s:send(long .. '\n'))
    assert(s:receive('*l') == long .. ' client')
    print('fine', s:info('protocol'))
    s:close()
end
"""


def run(t):
    script = t.write("script.lua", SCRIPT)
    for tenon_serves in (True, False):
        port = t.port()
        t.start(["lua5.4", script, "server", str(port), t.certs.ca, *t.certs.server[:2], "any"], tenon=tenon_serves)
        time.sleep(0.5)
        for version, name in (("tlsv1_2", "TLSv1.2"), ("tlsv1_3", "TLSv1.3")):
            t.expect_in(f"fine\t{name}", t.run(["lua5.4", script, "client", str(port), t.certs.ca, *t.certs.client[:2],
                                                version], tenon=not tenon_serves))
