# demo and test do all the set-up that a fresh machine needs, and say what they do (scripts/setup).

# Builds reach the package indexes as this machine does: with its own trust store, where it has one.
HOST_CA := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
export SCONCE_CA_BUNDLE ?= $(HOST_CA)

DEMO_PROJECT ?= tests/projects/gpt-fast
DEMO_TAG ?= sconce-demo:latest

.PHONY: demo test check bench bench-inspect matrix-local fuzz snapshots setup

demo: setup ## the main job on a real project, torch from the package index
	cargo build --release
	target/release/sconce build $(DEMO_PROJECT) --tag $(DEMO_TAG)

test: setup ## every test, the real engine included
	cargo test

check: ## formatting, lints, documentation and tests
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps
	cargo test

bench: bench-inspect ## side by side with a careful hand-written Dockerfile, as ratios
	cargo build --release
	scripts/bench

bench-inspect: setup ## the time and memory that `sconce inspect` takes
	cargo build --release
	scripts/bench-inspect

matrix-local: setup ## real projects of many kinds, built and proven one after the other (about an hour; see docs/matrix.md)
	scripts/matrix-local

SECONDS ?= 60

fuzz: ## every reader of users' files, so many SECONDS each
	scripts/fuzz $(SECONDS)

snapshots: ## accept the snapshots as they are now; review the diff before committing it
	INSTA_UPDATE=always cargo test

setup:
	@scripts/setup
