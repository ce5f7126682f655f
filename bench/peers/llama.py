"""Pairs codexml with llama.cpp on one GGUF file: PYTHON bench/peers/llama.py --model FILE.gguf [options].

PYTHON has llama-cpp-python==0.3.36 (built on this machine, so for its CPU). First both continue a text greedily, and the tokens must be equal; then the two
take turns at decoding, at the pass over a prompt, at several prompts side by side and at getting ready, each run a process of its own. Prints the ratios of the
medians and the peak memory, and writes bench/results/<date>-generation-<tier>.json.
"""

import argparse
import datetime
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MOST = 0.2  # difference of log-probabilities that 8-bit activations may turn round
TEXT = "The history of the printing press begins with"
KINDS = {"decode": (512, 1), "prefill": (512, 1), "batch": (512, 8), "load": (8, 1)}


def prompt(n, vocabulary, seed=1):
    draw = random.Random(seed)
    return [draw.randrange(vocabulary) for _ in range(n)]


def theirs(args):
    """One measurement of llama.cpp, in this process."""
    import ctypes

    import llama_cpp
    import numpy as np

    context, batch = KINDS[args.kind]
    llm = llama_cpp.Llama(
        args.model, n_ctx=batch * (context + args.tokens), n_batch=max(512, batch), n_threads=args.threads, n_threads_batch=args.threads, verbose=False, logits_all=False
    )
    if args.kind != "batch":
        tokens = prompt(context, llm.n_vocab())
        llm.eval(tokens)
        first = time.time() - args.started
        if args.kind == "load":
            return {"value": first}
        if args.kind == "prefill":
            seconds = []
            for _ in range(3):
                llm.reset()
                start = time.time()
                llm.eval(tokens)
                seconds.append(time.time() - start)
            return {"value": context / statistics.median(seconds)}
        last = prompt(1, llm.n_vocab())[0]
        start = time.time()
        for _ in range(args.tokens):
            llm.eval([last])
            last = int(np.argmax(np.ctypeslib.as_array(llm._ctx.get_logits(), shape=(llm.n_vocab(),))))
        return {"value": args.tokens / (time.time() - start)}
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch, params.n_seq_max = batch * (context + args.tokens), 512, 512, batch
    params.n_threads = params.n_threads_batch = args.threads
    ctx = llama_cpp.llama_init_from_model(llm._model.model, params)
    store = llama_cpp.llama_batch_init(512, 0, batch)

    def decode(entries):
        store.n_tokens = len(entries)
        for i, (token, position, text, wanted) in enumerate(entries):
            store.token[i], store.pos[i], store.n_seq_id[i], store.seq_id[i][0], store.logits[i] = token, position, 1, text, wanted
        if llama_cpp.llama_decode(ctx, store) != 0:
            sys.exit("llama_decode failed")

    for text in range(batch):
        decode([(token, i, text, i == context - 1) for i, token in enumerate(prompt(context, llm.n_vocab(), text))])
    last = [1] * batch
    start = time.time()
    for n in range(args.tokens):
        decode([(token, context + n, text, True) for text, token in enumerate(last)])
        for text in range(batch):
            row = np.ctypeslib.as_array(ctypes.cast(llama_cpp.llama_get_logits_ith(ctx, text), ctypes.POINTER(ctypes.c_float)), shape=(llm.n_vocab(),))
            last[text] = int(np.argmax(row))
    return {"value": batch * args.tokens / (time.time() - start)}


def last_json(*command):
    text = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(text[text.index("{") :])


def ours_run(codexml, kind, args):
    context, batch = KINDS[kind]
    command = [codexml, "bench", "decode" if kind == "batch" else kind, "--model", args.model, "--context", str(context), "--batch", str(batch)]
    if kind in ("decode", "batch"):
        command += ["--tokens", str(args.tokens)]
    start = time.time()
    report = last_json(*command, "--threads", str(args.threads), "--json")
    value = time.time() - start if kind == "load" else report["tokens_per_s"]
    return {"value": value, "peak_rss_bytes": report["peak_rss_bytes"]}


def theirs_run(kind, args):
    options = ["--kind", kind, "--model", args.model, "--threads", str(args.threads), "--tokens", str(args.tokens), "--started", repr(time.time())]
    return last_json(sys.executable, os.path.abspath(__file__), "--theirs", *options)


def same_text(codexml, args):
    """Both continue a text greedily; returns the number of equal tokens, or exits."""
    import llama_cpp

    llm = llama_cpp.Llama(args.model, n_ctx=256, n_threads=args.threads, verbose=False)
    ids = llm.tokenize(TEXT.encode(), add_bos=False)
    theirs, count = [], 32
    for token in llm.generate(ids, temp=0, repeat_penalty=1):
        theirs.append(token)
        if len(theirs) == count:
            break
    command = [codexml, "generate", "--model", args.model, "--ids", ",".join(map(str, ids)), "--greedy", "--max-new-tokens", str(count), "--json"]
    ours = last_json(*command)["ids"]
    equal = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))
    print(f"greedy tokens equal: {equal} of {count}")
    if equal < count:  # llama.cpp rounds activations to 8 bits: texts may part where two tokens are about as likely
        prefix = ids + ours[:equal]
        score = last_json(codexml, "score", "--model", args.model, "--ids", ",".join(map(str, prefix)), "--json")
        likely = {x["id"]: x["logprob"] for x in score["next"]}
        gap = likely[ours[equal]] - likely.get(theirs[equal], float("-inf"))
        print(f"they part where the two tokens' log-probabilities differ by {gap:.3f}")
        if gap > MOST:
            sys.exit(f"the programs do not compute the same: {ours} and {theirs}")
    return equal


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=188, help="tokens to decode behind the prompt")
    parser.add_argument("--codexml", help="the program to measure; built from this tree if not given")
    parser.add_argument("--no-save", action="store_true", help="print only")
    parser.add_argument("--theirs", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--kind", help=argparse.SUPPRESS)
    parser.add_argument("--started", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.model = os.path.abspath(args.model)
    if args.theirs:
        result = theirs(args)
        print(json.dumps(result | {"peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10}))
        return
    with tempfile.TemporaryDirectory() as folder:
        codexml = args.codexml or os.path.join(folder, "codexml")
        if not args.codexml:
            subprocess.run(["go", "build", "-o", codexml, "./cmd/codexml"], check=True, cwd=ROOT)
        report = {"topic": "generation", "date": datetime.date.today().isoformat(), "model": os.path.basename(args.model), "threads": args.threads}
        doctor = last_json(codexml, "doctor", "--json")
        report |= {"cpu": doctor["cpu"]["model"], "tier": doctor["cpu"]["tier"], "equal_tokens": same_text(codexml, args), "rows": []}
        for kind in args.kinds.split(","):
            runs = {"codexml": [], "llama.cpp": []}
            for i in range(args.rounds):
                sides = [("codexml", lambda: ours_run(codexml, kind, args)), ("llama.cpp", lambda: theirs_run(kind, args))]
                for name, run in sides if i % 2 == 0 else reversed(sides):
                    runs[name].append(run())
            median = {name: statistics.median(r["value"] for r in all) for name, all in runs.items()}
            memory = {name: max(r["peak_rss_bytes"] for r in all) for name, all in runs.items()}
            report["rows"].append({"case": kind, "ratio": median["codexml"] / median["llama.cpp"], "median": median, "peak_rss_bytes": memory, "runs": runs})
            unit = "s" if kind == "load" else "tokens/s"
            print(f"{kind:8} {unit:9}" + "".join(f" {name} {median[name]:.3f} ({memory[name] >> 20} MiB)" for name in runs), f"ratio {report['rows'][-1]['ratio']:.2f}", flush=True)
    if not args.no_save:
        path = os.path.join(ROOT, "bench", "results", f"{report['date']}-generation-{report['tier']}.json")
        with open(path, "w") as f:
            json.dump(report, f, indent=1)
            f.write("\n")
        print("wrote", os.path.relpath(path, ROOT))


if __name__ == "__main__":
    main()
