# For whoever works on Tenon. Whoever uses it starts with ./tenon, which also installs what a build needs.
#
#   make                    build the library and its tests in ./build-gcc, warnings being errors
#   make check              format, layers, unit tests, known answers, golden files: under a minute
#   make fuzz F=NAME        run one fuzz target for SECONDS (60); without F each of them
#   make programs P=NAME    run Debian's programs on the library, or one of them
#   make bench Q=NAME       ask one question (write, read, handshake, ...; without Q all) of both libraries
#   make install PREFIX=    install the library and the command tenon (DESTDIR is honoured)
#
# All that CI runs: ./tenon test

PREFIX ?= /usr/local
SECONDS ?= 60
F ?= *

.PHONY: all check fuzz programs bench install clean

all:
	tools/build-kind gcc

check: all
	tools/check-format --changed
	tools/check-layers
	tools/meson-tests build-gcc --no-suite contract

fuzz:
	tools/build-kind fuzz
	tools/run-fuzz build-fuzz $(SECONDS) '$(F)'

programs:
	./tenon programs $(P)

bench:
	./tenon build
	bench/run $(Q)

install:
	test -f build/build.ninja || meson setup build --buildtype=release -Dtests=false
	meson configure build --prefix='$(abspath $(PREFIX))'
	meson install -C build

clean:
	rm -rf build build-*
