# SPDX-License-Identifier: Apache-2.0
# Short names for scripts/; everything that these targets do is there.

.PHONY: help demo stop-demo build test test-all check
.DEFAULT_GOAL := help

help:
	@echo 'make demo       set up, build, and run examples/hello from clone to pushed image'
	@echo 'make stop-demo  stop the engine and the registry that the demo started'
	@echo 'make build      build build/release/freshet'
	@echo 'make test       set up, build, run all tests'
	@echo 'make test-all   the same, and the sanitizers and checks'
	@echo 'make check      lint, layers, clang-tidy'

demo:
	@scripts/demo

stop-demo:
	@scripts/demo stop

build:
	@scripts/setup build
	@scripts/build

test:
	@scripts/test

test-all:
	@scripts/test --all

check:
	@scripts/setup check
	@scripts/check
