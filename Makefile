# make run    builds nnrun and runs the digits network on real images
# make test   checks everything
# Both set up what a fresh Debian machine with Swift lacks.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=

# C is not optimised in debug builds, 48 times slower; this mends it for the tests.
TEST_FLAGS = -Xcc -O2
# One binary without a shared library beside it, not even the system's.
RELEASE_FLAGS = -c release --product nnrun --static-swift-stdlib -Xswiftc -static-executable -Xlinker -s
SOURCES = Sources Tests Package.swift
BINARY = .build/release/nnrun

.PHONY: run test release bench setup setup-test lint format validate install clean help
.DEFAULT_GOAL := help

help:
	@sed -n '1,3s/^# //p' Makefile
	@echo 'make release, make install PREFIX=/usr/local, make bench, make format, make lint, make validate, make clean'

run: release
	$(BINARY) models/digits/digits.yaml --input models/digits/test-images.npy --top 1 --labels models/digits/labels.txt

test: setup setup-test lint
	$(SWIFT) test $(TEST_FLAGS)

release: setup
	$(SWIFT) build $(RELEASE_FLAGS)

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
	$(SWIFT) build $(RELEASE_FLAGS:nnrun=YAMLBenchmark)
	./Benchmarks/run $(if $(ONLY),--only $(ONLY))

install: release
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/nnrun

clean:
	$(SWIFT) package clean
