# What a person types. Each target is a script in tools/ or bench/ that says what it does, a line per step.
# 'make run' and 'make stop' need root; VIREO_ROOT=DIR puts the demonstration elsewhere than ./.vireo (or, where QEMU's
# user cannot get at that, /var/lib/vireo-demo).
.DEFAULT_GOAL := help
.PHONY: help run stop build test long check bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

run: ## install packages, build, start vireod in ./.vireo, boot a guest on it, and leave both running
	@tools/run-demo

stop: ## end that guest and that vireod
	@tools/stop-demo

build: ## build the release preset into build/release
	@tools/install-deps build
	@tools/build release

test: ## set up and run every test: unit (release, asan, tsan) and scenarios; closes with 'N passed, N failed'
	@tools/install-deps
	@tools/test

long: ## the same for longer: sanitizers 20 times, long stories, a million histories, fuzzers (FUZZ_SECONDS), soak (SOAK_MINUTES)
	@tools/install-deps
	@tools/test --long

check: ## format, clang-tidy on changed files, the include map, standalone headers, scripts
	@tools/install-deps build
	@tools/check

# The longer ones have commands of their own: bench/peers mass-start, storm, stats and
# xenstore, bench/flat, bench/sampling, bench/virsh-list.
bench: ## measure beside libvirt's own daemon (installs it), and print the floors
	@tools/install-deps build run bench
	@bench/floor
	@bench/peers connect

clean: ## remove what was built (the caches of the compiler and of checks stay)
	@rm -rf build
