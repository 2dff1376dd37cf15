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

# MPI=1 builds with the package trait of that name, for many machines, against the MPI that `mpicc` belongs to. Its
# libraries are shared ones, so such a build is one binary that needs them.
MPICC ?= mpicc
ifeq ($(MPI),1)
MPI_FLAGS = --traits MPI $(patsubst -I%,-Xcc -I%,$(filter -I%,$(shell $(MPICC) -show))) \
  $(patsubst -L%,-Xlinker -L%,$(filter -L%,$(shell $(MPICC) -show)))
RELEASE_FLAGS = -c release --static-swift-stdlib -Xlinker -s $(MPI_FLAGS)
endif
# Completions and manual pages, made by the program of its own help texts.
SHARE = .build/release/share

.PHONY: run test release share library docs examples bench setup setup-test lint format validate install clean help \
  test-mpi build-mpi fuzz sanitize sanitize-kernels sanitize-address sanitize-thread coverage check-saving check-floats
.DEFAULT_GOAL := help

help:
	@sed -n '1,3s/^# //p' Makefile
	@echo 'make release (MPI=1 for many machines), make library, make docs, make examples, make bench, make install PREFIX=/usr/local'
	@echo 'make format, make lint, make validate, make clean'
	@echo 'make fuzz SECONDS=60, make sanitize, make coverage, make check-saving KILLS=1000, make check-floats'

run: release
	$(BINARY) models/digits/digits.yaml --input models/digits/test-images.npy --top 1 --labels models/digits/labels.txt

test: setup setup-test lint
	$(SWIFT) test $(TEST_FLAGS)

# What ranks of an MPI job write. In a folder of its own, for the trait changes every module.
test-mpi:
	$(MAKE) MPI=1 setup
	$(MAKE) MPI=1 build-mpi
	./scripts/check-mpi .build-mpi/debug/nnrun

build-mpi:
	$(SWIFT) build --product nnrun --scratch-path .build-mpi $(TEST_FLAGS) $(MPI_FLAGS)

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
	@./scripts/setup $(if $(filter 1,$(MPI)),mpi)

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

# What proves the promises of docs/reliability.md. Each builds in a folder of its own, which takes minutes.

SECONDS = 60
# `debug` is built in a fifth of the time, and runs a tenth as many inputs.
FUZZ_CONFIGURATION = release
FUZZ_TARGETS = yaml json schema model edits moves layout excerpt npy npz safetensors onnx
# Of the compiler's own `-sanitize`, the last one counts alone.
FUZZ_BUILD = -c $(FUZZ_CONFIGURATION) --sanitize=address --sanitize=fuzzer --scratch-path .build-fuzz --product Fuzz \
  -Xswiftc -sanitize=address,fuzzer -Xswiftc -use-ld=lld

# New inputs are kept in .build-fuzz/corpus; what breaks a reader is left there, too, to be mended and added to
# Tests/Fuzz/Corpus.
fuzz: setup
	NNRUN_CHECKS=1 $(SWIFT) build $(FUZZ_BUILD)
	./scripts/fuzz .build-fuzz/$(FUZZ_CONFIGURATION)/Fuzz $(SECONDS) $(FUZZ_TARGETS)

sanitize: sanitize-kernels sanitize-address sanitize-thread

# The C kernels on their own.
sanitize-kernels:
	mkdir -p .build-checks
	clang -std=gnu11 -g -O0 -fsanitize=address,undefined -fno-sanitize-recover=all -fuse-ld=lld -ISources/CKernels/include \
	  Sources/CKernels/*.c Tests/CKernels/*.c -lm -lpthread -o .build-checks/kernels
	ASAN_OPTIONS=detect_leaks=0 .build-checks/kernels

# The whole suite under address, its C also under undefined behaviour, which traps; but for what shows digits that other
# optimisation rounds otherwise, and the library for C, which Python cannot load with a sanitizer in it.
sanitize-address: setup-test
	ASAN_OPTIONS=detect_leaks=0:suppressions=$(CURDIR)/Tests/address.suppressions $(SWIFT) test --scratch-path .build-address --sanitize=address -Xcc -O1 \
	  -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined --skip ReadmeTests --skip CLibraryTests

# The thread sanitizer sees races in a program, not in `swift test`.
sanitize-thread: setup
	NNRUN_CHECKS=1 $(SWIFT) build --scratch-path .build-thread --sanitize=thread --product Stress $(TEST_FLAGS)
	.build-thread/debug/Stress

coverage: setup-test
	$(SWIFT) test --scratch-path .build-coverage --enable-code-coverage -Xswiftc -DCOVERAGE $(TEST_FLAGS)
	./scripts/coverage .build-coverage

KILLS = 1000
check-saving: release
	./scripts/check-saving $(BINARY) --kills $(KILLS)

check-floats: setup
	NNRUN_CHECKS=1 $(SWIFT) build -c release --scratch-path .build-checks --product AllFloats
	.build-checks/release/AllFloats
