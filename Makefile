# demo and test do all the set-up that a fresh machine needs, and say what they do (scripts/setup).

# Builds reach the package indexes as this machine does: with its own trust store, where it has one.
HOST_CA := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
export SCONCE_CA_BUNDLE ?= $(HOST_CA)

DEMO_PROJECT ?= tests/projects/gpt-fast
DEMO_TAG ?= sconce-demo:latest

.PHONY: demo test check bench bench-explain bench-inspect bench-verify matrix-local sabotage ladder reproduce-suite fuzz hooks snapshots setup failures

demo: setup ## the main job on a real project, torch from the package index
	cargo build --release
	target/release/sconce build $(DEMO_PROJECT) --tag $(DEMO_TAG)

test: setup ## every test, on the real engine and in a real browser
	@scripts/setup browser
	cargo test

check: ## formatting, lints, documentation and tests
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps
	cargo test

bench: bench-inspect bench-explain ## side by side with a careful hand-written Dockerfile, as ratios
	cargo build --release
	scripts/bench

bench-inspect: setup ## the time and memory that `sconce inspect` takes
	cargo build --release
	scripts/bench-inspect

bench-explain: setup ## the time and memory that `sconce explain` takes
	cargo build --release
	scripts/bench-explain

bench-verify: setup ## what the proof takes besides the smoke test's own work
	cargo build --release
	scripts/bench-verify

matrix-local: setup ## real projects of many kinds, built and proven one after the other (about an hour; see docs/matrix.md)
	scripts/matrix-local

sabotage: setup ## good images, broken in many ways, and what `sconce verify` says of each (see docs/sabotage.md)
	cargo build --release
	python3 -B scripts/sabotage $(SABOTAGE) target/release/sconce

ladder: setup ## Debian's own torch, from an image without a compiler to one that is proven
	cargo build --release
	python3 -B scripts/sabotage --ladder target/release/sconce

reproduce-suite: setup ## real failures from what was pasted of them: reproduced, mended and proven (about half an hour; see docs/reproduce.md)
	cargo build --release
	python3 -B scripts/reproduce-suite $(REPRODUCE) target/release/sconce

SECONDS ?= 60

fuzz: ## every reader of users' files, so many SECONDS each
	scripts/fuzz $(SECONDS)

hooks: ## the hooks of pre-commit, run by pre-commit; `scripts/test-hooks rust` has it build sconce, too
	scripts/test-hooks

failures: ## docs/failures.md, from images/failures.toml
	cargo run --quiet -- explain --catalogue --format markdown > docs/failures.md.new
	mv docs/failures.md.new docs/failures.md

snapshots: ## accept the snapshots as they are now; review the diff before committing it
	INSTA_UPDATE=always cargo test

setup:
	@scripts/setup
