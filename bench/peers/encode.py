"""Pairs codexml's tokenizers with others in one run:

    VENV/bin/python bench/peers/encode.py --codexml BINARY --corpus FILE \\
        --peers tokenizers,gigatoken,tiktoken,tokenizers=bench/peers/python NAME=tokenizer.json ...

VENV has what tokenizers.txt beside this script pins; bench/peers/python has the tokenizers that people have installed.

The corpus is cut into documents of about 10 kB at the ends of lines. Each side runs in a process of its own and takes its turn,
so that a machine that changes its speed changes it for all. A peer is `name=python`: an interpreter that has it, or `name` for this one. The ids
of all documents are compared: "same_ids" says whether a peer's are ours. Speeds are 10^6 bytes of text a second: the first pass over the corpus with
all threads (cold), the best of later ones (warm), the best of one thread with one document at a time, and decoding.
Writes bench/results/<date>-tokenize.json.
"""

import argparse
import datetime
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SPEEDS = ["encode_cold_mb_s", "encode_warm_mb_s", "encode_one_thread_mb_s", "decode_mb_s"]


def documents(path, size=10000):
    """Cuts a text as `codexml tokenizer bench` does: after the line that makes a document long enough."""
    out, text = [], b""
    with open(path, "rb") as f:
        for line in f:
            text += line
            if len(text) >= size:
                out.append(text.decode())
                text = b""
    return out + ([text.decode()] if text else [])


class Tokenizers:
    def __init__(self, path):
        import tokenizers

        self.version = tokenizers.__version__
        self.t = tokenizers.Tokenizer.from_file(path)

    def batch(self, docs):
        batch = getattr(self.t, "encode_batch_fast", self.t.encode_batch)  # 1.0 has one only
        return [e.ids for e in batch(docs, add_special_tokens=False)]

    def one(self, doc):
        return self.t.encode(doc, add_special_tokens=False).ids

    def decode(self, ids):
        if hasattr(self.t, "decode_batch"):
            return self.t.decode_batch(ids, skip_special_tokens=False)
        return [self.t.decode(i, skip_special_tokens=False) for i in ids]


class Gigatoken:
    def __init__(self, path):
        import importlib.metadata

        import gigatoken

        self.version = importlib.metadata.version("gigatoken")
        self.t = gigatoken.Tokenizer(path)

    def batch(self, docs):
        return self.t.encode_batch(docs)

    def one(self, doc):
        return self.t.encode(doc)

    def decode(self, ids):
        return [self.t.decode(i) for i in ids]


class Tiktoken:
    """tiktoken with the vocabulary and pattern of a byte-level tokenizer.json that ranks its pieces by their ids."""

    def __init__(self, path):
        import tiktoken

        self.version = tiktoken.__version__
        with open(path, encoding="utf-8") as f:
            file = json.load(f)
        printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
        written = {chr(b): b for b in printable}
        written |= {chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in printable)}
        ranks = {bytes(written[c] for c in piece): i for piece, i in file["model"]["vocab"].items() if all(c in written for c in piece)}
        (pattern,) = (p["pattern"]["Regex"] for p in file["pre_tokenizer"]["pretokenizers"] if p["type"] == "Split")
        self.t = tiktoken.Encoding("file", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})

    def batch(self, docs):
        return self.t.encode_ordinary_batch(docs, num_threads=os.cpu_count())

    def one(self, doc):
        return self.t.encode_ordinary(doc)

    def decode(self, ids):
        return self.t.decode_batch(ids, num_threads=os.cpu_count())


PEERS = {"tokenizers": Tokenizers, "gigatoken": Gigatoken, "tiktoken": Tiktoken}


def digest(ids):
    h = hashlib.sha256()
    for doc in ids:
        h.update((" ".join(map(str, doc)) + "\n").encode())
    return h.hexdigest()


def measure(peer, tokenizer, corpus, passes):
    """One peer's turn; prints a line of JSON."""
    docs = documents(corpus)
    size = sum(len(d.encode()) for d in docs)

    def speed(run):
        start = time.perf_counter()
        result = run()
        return size / 1e6 / (time.perf_counter() - start), result

    start = time.perf_counter()
    p = PEERS[peer](tokenizer)
    out = {"peer": peer, "version": p.version, "load_ms": (time.perf_counter() - start) * 1000}
    out["encode_cold_mb_s"], ids = speed(lambda: p.batch(docs))
    out["encode_warm_mb_s"] = max(speed(lambda: p.batch(docs))[0] for _ in range(passes))
    out["encode_one_thread_mb_s"] = max(speed(lambda: [len(p.one(d)) for d in docs])[0] for _ in range(passes))
    out["decode_mb_s"] = max(speed(lambda: p.decode(ids))[0] for _ in range(passes))
    ids = [list(map(int, i)) for i in ids]
    print(json.dumps(out | {"tokens": sum(map(len, ids)), "sha256": digest(ids)}))


def turn(name, python, tokenizer, args):
    env = os.environ | {"RAYON_NUM_THREADS": str(args.threads), "TOKENIZERS_PARALLELISM": "true"}
    command = [python, os.path.abspath(__file__), "--measure", name, "--corpus", args.corpus, "--passes", str(args.passes), tokenizer]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    if done.returncode:
        return {"peer": name, "error": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else str(done.returncode)}
    return json.loads(done.stdout.splitlines()[-1])


def ours(tokenizer, args):
    command = [args.codexml, "tokenizer", "bench", tokenizer, "--corpus", args.corpus, "--passes", str(args.passes), "--threads", str(args.threads), "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout[done.stdout.index("{") :])


def our_ids(tokenizer, args):
    """The digest of our ids of all documents."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "documents.jsonl")
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(d) + "\n" for d in documents(args.corpus))
        command = [args.codexml, "tokenizer", "encode", tokenizer, "--from-file", path, "--lines", "--json", "--quiet"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return digest(map(json.loads, done.stdout.splitlines()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizers", nargs="+", help="NAME=tokenizer.json")
    parser.add_argument("--codexml", help="the program")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--peers", default="tokenizers", help="comma-separated, each name or name=python")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        return measure(args.measure, args.tokenizers[0], args.corpus, args.passes)
    report = {"date": datetime.date.today().isoformat(), "machine": platform.processor() or platform.machine(), "threads": args.threads, "results": []}
    for named in args.tokenizers:
        name, path = named.split("=", 1)
        sides = {"codexml": []}
        for _ in range(args.rounds):
            sides["codexml"].append(ours(path, args))
            for peer in args.peers.split(","):
                peer, _, python = peer.partition("=")
                r = turn(peer, python or sys.executable, path, args)
                sides.setdefault(f"{peer} {r.get('version', '')}".strip(), []).append(r)
        ids = our_ids(path, args)
        for side, turns in sides.items():
            fine = [t for t in turns if "error" not in t]
            row = {"tokenizer": name, "side": side}
            if not fine:
                row["error"] = turns[0]["error"]
            else:
                row |= {k: statistics.median(t[k] for t in fine) for k in SPEEDS + ["load_ms"]}
                row |= {"tokens": fine[0]["tokens"], "same_ids": side == "codexml" or fine[0]["sha256"] == ids}
            report["results"].append(row)
            print(json.dumps(row))
    out = os.path.join(ROOT, "bench", "results", f"{report['date']}-tokenize.json")
    with open(out, "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1)
        f.write("\n")
    print(out)


if __name__ == "__main__":
    main()
