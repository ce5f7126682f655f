"""Writes what Hugging Face's Unigram model makes of random texts: huggingface.jsonl.

The committed file is that of tokenizers 0.23.3. Run it in this folder. A line is a model
{"vocab": [[piece, score], ...], "unk_id", "byte_fallback"} (unknown characters are
always fused) and its texts
[{"text", "ids", "ends": bytes of the text}, ...].
"""

import json
import random

from tokenizers import Tokenizer, __version__

assert __version__ == "0.23.3", __version__
rng = random.Random(11)
ALPHABET = "aab\u2581\u2581\u3042\u00e9\U0001F600xz<unk>"


def word(n):
    return "".join(rng.choice(ALPHABET) for _ in range(n))


def vocabulary(kind):
    pieces = [["<unk>", 0.0], ["<s>", 0.0]]
    seen = {"<unk>", "<s>"}
    for _ in range(60):
        w = word(rng.randint(1, 5))
        if kind != "twice" and w in seen:
            continue
        seen.add(w)
        # few different scores: many ties
        score = -float(rng.randint(1, 6)) if kind == "ties" else -rng.random() * 8
        pieces.append([w, score])
    if kind == "bytes":
        pieces += [["<0x%02X>" % b, -9.0] for b in range(256)]
    if kind == "some bytes":
        pieces += [["<0x%02X>" % b, -9.0] for b in range(128)]
    return pieces


with open("huggingface.jsonl", "w", encoding="ascii") as f:
    for kind in ["ties", "plain", "bytes", "some bytes", "twice", "apart"]:
        model = {"type": "Unigram", "unk_id": 0, "vocab": vocabulary(kind), "byte_fallback": "bytes" in kind}
        t = Tokenizer.from_str(json.dumps({"version": "1.0", "model": model}))
        texts = []
        for n in [0, 1, 2, 3] + [rng.randint(4, 120) for _ in range(25)]:
            text = word(n)
            e = t.encode(text)
            sizes = [0]
            for c in text:
                sizes.append(sizes[-1] + len(c.encode()))
            texts.append({"text": text, "ids": e.ids, "ends": [sizes[end] for _, end in e.offsets]})
        f.write(json.dumps({"vocab": model["vocab"], "unk_id": 0, "byte_fallback": model["byte_fallback"], "texts": texts}) + "\n")
