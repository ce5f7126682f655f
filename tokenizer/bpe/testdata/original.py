"""Writes what the original's BPE model (tokenizers 0.23.3) makes of pieces, with every option."""

import itertools
import json
import random

from tokenizers.models import BPE

rng = random.Random(7)
CHARS = ["a", "b", "c", "\u00e9", "\u4e16"]
TEXTS = ["".join(rng.choice(["a", "b", "c", "\u00e9", "\u4e16", "x", "\u00df", "\U0001f600"]) for _ in range(n)) for n in [1, 2, 3, 5, 8, 13, 40, 90] * 4]


def model(prefix, suffix, unk, fuse, fallback, ignore):
    pieces = ["<unk>"] + (["<0x%02X>" % b for b in range(256) if fallback != "some" or b != 0x9F] if fallback else [])
    pieces += CHARS + [prefix + c for c in CHARS if prefix] + [c + suffix for c in CHARS if suffix]
    pieces += [prefix + c + suffix for c in CHARS if prefix and suffix]
    seen, merges = set(pieces), []
    while len(merges) < 40:
        left, right = rng.choice(pieces[1:]), rng.choice(pieces[1:])
        made = left + right[len(prefix):]
        if "<" in made or prefix and not right.startswith(prefix) or suffix and left.endswith(suffix) or len(made) > 6 or (left, right) in merges:
            continue
        merges.append((left, right))
        if made not in seen:
            seen.add(made)
            pieces.append(made)
    return {"pieces": pieces, "merges": merges, "prefix": prefix, "suffix": suffix, "unk": unk, "fuse": fuse, "fallback": bool(fallback), "ignore": ignore}


with open("options.jsonl", "w", encoding="ascii") as f:
    for prefix, suffix, unk, fuse, fallback, ignore in itertools.product(["", "##"], ["", "</w>"], [False, True], [False, True], ["", "some", "all"], [False, True]):
        m = model(prefix, suffix, unk, fuse, fallback, ignore)
        given = {"unk_token": "<unk>" if unk else "", "continuing_subword_prefix": prefix, "end_of_word_suffix": suffix}
        bpe = BPE({p: i for i, p in enumerate(m["pieces"])}, [tuple(x) for x in m["merges"]], fuse_unk=fuse, byte_fallback=bool(fallback),
                  ignore_merges=ignore, **{k: v for k, v in given.items() if v})
        m["cases"] = [[t, [[x.id, x.offsets[1]] for x in bpe.tokenize(t)]] for t in rng.sample(TEXTS, 6)]
        m["pieces"] = [p for p in m["pieces"] if not p.startswith("<0x")]  # the test puts them back, behind <unk>
        m["missing"] = 0x9F if fallback == "some" else -1
        f.write(json.dumps(m) + "\n")
