# make run    builds nnrun and runs the digits network on real images
# make test   checks everything
# Both set up what a fresh Debian machine with Swift lacks.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=

# C is not optimised in debug builds, 48 times slower; this mends it for the tests.
TEST_FLAGS = -Xcc -O2
# One binary without a shared library beside it, not even the system's.
RELEASE_FLAGS = -c release --static-swift-stdlib -Xswiftc -static-executable -Xlinker -s
SOURCES = Sources Tests Examples/digits Package.swift
BINARY = .build/release/nnrun
LIBRARY = .build/release/libnnrun.so
VERSION = $(shell sed -n 's/.*libraryVersion = "\(.*\)"/\1/p' Sources/NNRun/Version.swift)
# Completions and manual pages, made by the program of its own help texts.
SHARE = .build/release/share

.PHONY: run test release share library docs examples bench setup setup-test lint format validate install clean help
.DEFAULT_GOAL := help

help:
	@sed -n '1,3s/^# //p' Makefile
	@echo 'make release, make library, make docs, make examples, make bench, make install PREFIX=/usr/local'
	@echo 'make format, make lint, make validate, make clean'

run: release
	$(BINARY) models/digits/digits.yaml --input models/digits/test-images.npy --top 1 --labels models/digits/labels.txt

test: setup setup-test lint
	$(SWIFT) test $(TEST_FLAGS)

release: setup
	$(SWIFT) build $(RELEASE_FLAGS) --product nnrun
	@$(MAKE) --no-print-directory share

share:
	@mkdir -p $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d $(SHARE)/man/man1
	@$(BINARY) --generate-completion-script bash >$(SHARE)/bash-completion/completions/nnrun
	@$(BINARY) --generate-completion-script zsh >$(SHARE)/zsh/site-functions/_nnrun
	@$(BINARY) --generate-completion-script fish >$(SHARE)/fish/vendor_completions.d/nnrun.fish
	@$(BINARY) --generate-manual $(SHARE)/man/man1

# The library for C: the program's objects, linked into one file that needs the system's C library and nothing else.
library: release
	$(SWIFT) build $(RELEASE_FLAGS) --target NNRunC
	./scripts/link-library $(LIBRARY)

# The reference of the library, with its tutorial, as a web site.
docs: setup
	./scripts/build-docs .build/docs

# The sample programs: in Swift over the library, in C over the library for C, and in Python where numpy is there.
examples: library
	./scripts/run-examples $(LIBRARY)

setup:
	@./scripts/setup

setup-test:
	@./scripts/setup test

lint:
	$(SWIFT) format lint --strict -p -r $(SOURCES)

format:
	$(SWIFT) format format -i -p -r $(SOURCES)

validate: release
	$(BINARY) validate models

# Measures nnrun beside other programs; ONLY=resnet20 takes the works whose names hold that (Benchmarks/README.md).
bench: release
	$(SWIFT) build $(RELEASE_FLAGS) --product YAMLBenchmark
	./Benchmarks/run $(if $(ONLY),--only $(ONLY))

install: release library
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/nnrun
	install -m 644 $(LIBRARY) $(DESTDIR)$(PREFIX)/lib/libnnrun.so.0
	ln -sf libnnrun.so.0 $(DESTDIR)$(PREFIX)/lib/libnnrun.so
	install -m 644 Sources/CNNRun/include/nnrun.h $(DESTDIR)$(PREFIX)/include/nnrun.h
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' scripts/nnrun.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/nnrun.pc
	cd $(SHARE) && find . -type f -exec install -D -m 644 {} $(DESTDIR)$(PREFIX)/share/{} \;

clean:
	$(SWIFT) package clean
