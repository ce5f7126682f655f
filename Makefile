# A list of verbs; the steps themselves are in .ci/run.
.PHONY: help check test ci bench bench-peers interop fuzz soak generate

help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## */  \1\t/' | expand -t 16

check:  ## what a change needs before it lands: format, vet, tests on every build, generated files (under ten minutes)
	.ci/run quick

test:  ## the tests, with Go alone
	go test ./...

ci:  ## everything that is checked
	.ci/run

bench:  ## speed of this machine: peak, products, the GPT-2 124M training step
	go run ./cmd/codexml bench peak
	go run ./cmd/codexml bench gemm
	go run ./cmd/codexml bench step --model gpt2-124m --batch 2 --seq 512 --dtype float32

bench-peers:  ## codexml beside torch in one run, ratios into bench/results
	bench/peers/python bench/peers/run.py gemm
	bench/peers/python bench/peers/run.py step

interop:  ## against the real programs, and arm64 under emulation
	.ci/run interop arm64

fuzz:  ## every fuzz target, FUZZ=60s each by default
	FUZZ=$${FUZZ:-60s} .ci/run fuzz

soak:  ## kill and resume a run, KILLS=20 times by default
	KILLS=$${KILLS:-20} .ci/run soak

generate:  ## write assembly and documents again from their generators
	go generate ./...
