"""Writes what tiktoken (0.14.0) makes of ../../testdata/strings.jsonl with the first ranks of its
encodings, which are written too. The argument is a folder with cl100k_base.json and others as the
npm package tiktoken (1.0.22) has them in encoders/."""

import base64
import json
import sys

import tiktoken

SIZE = 1500

with open("../../testdata/strings.jsonl", encoding="ascii") as f:
    texts = [json.loads(line) for line in f]
for name in ("r50k_base", "cl100k_base", "o200k_base"):
    with open(f"{sys.argv[1]}/{name}.json", encoding="utf-8") as f:
        data = json.load(f)
    ranks = {}
    for line in data["bpe_ranks"].split("\n"):
        _, first, *tokens = line.split(" ")
        for i, token in enumerate(tokens):
            if int(first) + i < SIZE:
                ranks[base64.b64decode(token)] = int(first) + i
    with open(name + ".tiktoken", "w", encoding="ascii") as f:
        for token, rank in ranks.items():
            f.write(f"{base64.b64encode(token).decode()} {rank}\n")
    e = tiktoken.Encoding(name, pat_str=data["pat_str"], mergeable_ranks=ranks, special_tokens={})
    with open(name + ".ids", "w", encoding="ascii") as f:
        for text in texts:
            f.write(json.dumps(e.encode_ordinary(text)) + "\n")
