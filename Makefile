# `make` alone says what there is. Everything here can be the first thing typed in a new clone.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift

# Headers of the C libraries behind Sources/System; each brings its library with it.
LIBRARIES = libyaml-dev libsqlite3-dev libcurl4-openssl-dev libmicrohttpd-dev libssl-dev
# Programs that tests run, beyond what every Debian has.
TEST_TOOLS = openssh-client openssh-server openssl busybox fish
# Reference programs of `make bench` are written in C.
BENCH_TOOLS = gcc make bash

# Suites with real servers and real time, which are run by themselves: beside others they would wait for a processor.
# And the search of states, beside which all others would wait for one.
SERVED_NAMES = Remote|SSH|ScriptContract|Rescue|Shipped|DeclaredProvider
SERVED_OTHERS = ConformanceTests\.(Vocabulary|Refusal)|HTTPClientTests\.|RunbookTests\.StateSearch
SERVED = ^((StepsTests|CLITests)\.($(SERVED_NAMES))|$(SERVED_OTHERS))

# A build of its own, in which mistakes can be made (Tests/PlantedMistakes.txt).
PLANTED = --scratch-path .build-planted -Xswiftc -DPLANTED_MISTAKES
RELEASE = -c release --static-swift-stdlib
EXAMPLE = runbooks/pre_upgrade.yaml --input server=12345 --input host=web01.example.com

.PHONY: help build demo test torture planted bench lint format install clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo      build it and watch a runbook run against a simulated cloud'
	@echo 'make test      build and run every test (debug; a few minutes the first time)'
	@echo 'make torture   the same with the long campaigns, and then `make planted`'
	@echo 'make planted   make known mistakes on purpose, one by one: a test must catch each'
	@echo 'make bench     measure against the C loop, just, bash and libcurl, side by side'
	@echo 'make lint      what the formatter would change or forbids'
	@echo 'make format    let it'
	@echo 'make install   binary, manual page and completions under PREFIX (default /usr/local)'

libraries:
	@.ci/need.sh $(LIBRARIES)

build: libraries
	$(SWIFT) build $(RELEASE) --product runbook

demo: build
	@.ci/demo.sh "$$($(SWIFT) build $(RELEASE) --show-bin-path)/runbook"

test: libraries
	@.ci/need.sh $(TEST_TOOLS)
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --disable-xctest --skip '$(SERVED)'
	$(SWIFT) test --skip-build --disable-xctest --no-parallel --filter '$(SERVED)'

# The long campaigns by themselves: beside them a test that waits for an answer in time would wait for a processor.
torture: test
	RUNBOOK_TORTURE=1 $(SWIFT) test --skip-build --disable-xctest --filter "$$(.ci/campaigns.sh -v '$(SERVED_NAMES)')"
	RUNBOOK_TORTURE=1 $(SWIFT) test --skip-build --disable-xctest --no-parallel \
	  --filter "$$(.ci/campaigns.sh '$(SERVED_NAMES)')"
	$(MAKE) planted

# Without strace the tests that make a disk fail are skipped.
planted: libraries
	@.ci/need.sh $(TEST_TOOLS) strace
	$(SWIFT) build --build-tests $(PLANTED)
	@.ci/planted.sh "$$($(SWIFT) build $(PLANTED) --show-bin-path)/runbookPackageTests.xctest"

bench: build
	@.ci/need.sh $(BENCH_TOOLS)
	$(SWIFT) build $(RELEASE) --product PollBench
	$(SWIFT) build $(RELEASE) --product WatchBench
	$(SWIFT) build $(RELEASE) --product SSHBench
	$(SWIFT) build $(RELEASE) --product ManyRunsBench
	@Tests/Benchmarks/bench.sh "$$($(SWIFT) build $(RELEASE) --show-bin-path)"

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

format:
	$(SWIFT) format format --in-place --recursive Package.swift Sources Tests

install: build
	.ci/install.sh "$$($(SWIFT) build $(RELEASE) --show-bin-path)/runbook" "$(DESTDIR)$(PREFIX)"

clean:
	rm -rf .build .build-planted
