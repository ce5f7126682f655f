"""Writes what Hugging Face's tokenizers makes of the inputs in this folder.

    python original.py                      classes.txt, split.sha256, train/*.json, ids/*.jsonl
    python original.py inputs               strings.jsonl and train/*.jsonl, the inputs
    python original.py corpus N LIST OUT    trains on the files named in LIST, to N pieces, and
                                            writes OUT/tokenizer.json and OUT/ids (int32: for
                                            each file the number of its ids, then they)

The committed files are those of tokenizers 0.23.3. Run it in this folder.
"""

import array
import glob
import hashlib
import itertools
import json
import os
import random
import sys

from tokenizers import Tokenizer, __version__, decoders, models, pre_tokenizers, trainers

SPECIALS = ["[PAD]", "[UNK]", "[BOS]", "[EOS]"]
byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)


def train(texts, size):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = byte_level
    t.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    t.train_from_iterator(texts, trainer)
    return t


def without_specials(t):
    """The same tokenizer, but special tokens are not looked for in text."""
    file = json.loads(t.to_str())
    file["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(file))


def read_lines(path):
    with open(path, encoding="ascii") as f:
        return [json.loads(line) for line in f]


def write_lines(path, values):
    with open(path, "w", encoding="ascii") as f:
        for v in values:
            f.write(json.dumps(v) + "\n")


def spans(text):
    return [span for _, span in byte_level.pre_tokenize_str(text)]


def write_classes():
    """The class of each character, told by what it goes together with."""

    def one(text):
        return len(spans(text)) == 1

    ranges = []
    for c in itertools.chain(range(0xD800), range(0xE000, 0x110000)):
        ch = chr(c)
        name = "L" if one("a" + ch) else "N" if one("1" + ch) else "O" if one("!" + ch) else "S"
        if ranges and ranges[-1][2] == name and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c, name])
    with open("classes.txt", "w", encoding="ascii") as f:
        f.write(f"# Character classes of GPT-2's pattern in tokenizers {__version__}: letter, number, space; all else is other.\n")
        for first, last, name in ranges:
            if name != "O":
                f.write(f"{first:04X}..{last:04X} {name}\n")


# One or two characters for everything that the pattern tells apart.
ALPHABET = "'srela\u00e91\u00b2!\u20ac \n\u00a0\u3000"


def write_split():
    """A hash over how all strings of up to five characters of ALPHABET are split."""
    h = hashlib.sha256()
    for n in range(1, 6):
        for chars in itertools.product(ALPHABET, repeat=n):
            h.update(bytes(end for _, end in spans("".join(chars))))
    with open("split.sha256", "w", encoding="ascii") as f:
        f.write(h.hexdigest() + "\n")


def write_trained():
    os.makedirs("ids", exist_ok=True)
    texts = read_lines("strings.jsonl")
    for path in sorted(glob.glob("train/*.jsonl")):
        name = os.path.basename(path)[: -len(".jsonl")]
        docs, size = read_lines(path), int(name.split("-")[1])
        t = train(docs, size)
        for _ in range(3):
            assert train(docs, size).to_str() == t.to_str(), "the original is of two minds about " + path
        t.save(f"train/{name}.json")
        t = without_specials(t)
        write_lines(f"ids/{name}.jsonl", [t.encode(s).ids for s in texts])


def write_inputs():
    rng = random.Random(4)
    go = [open(p, encoding="utf-8").read() for p in sorted(glob.glob("../*.go")) if "_t" not in p]
    write_lines("train/go-700.jsonl", go)

    blocks = [0x20, 0x41, 0x61, 0xC0, 0x370, 0x400, 0x5D0, 0x620, 0x905, 0xE01, 0x1100, 0x2000, 0x2190]
    blocks += [0x3041, 0x4E00, 0xAC00, 0xFF10, 0x1D400, 0x1F300, 0x1F600, 0x20000, 0xE0100]

    def word():
        base = rng.choice(blocks)
        return "".join(chr(base + rng.randrange(24)) for _ in range(rng.randrange(1, 6)))

    words = [word() for _ in range(300)]
    breaks = [" ", " ", " ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "'", "'s", ""]

    def line(n):
        return "".join(rng.choice(words) + rng.choice(breaks) for _ in range(n))

    write_lines("train/unicode-900.jsonl", [line(30) for _ in range(60)])

    # Few letters, long words: all ties, the same piece from other parts, the same pair twice.
    ties = [" ".join("".join(rng.choice("ab") for _ in range(rng.randrange(2, 40))) for _ in range(40)) for _ in range(20)]
    write_lines("train/ties-700.jsonl", ties)
    runs = ["".join(rng.choice(["aaa", "aab", "aba", " ", "abcabc"]) for _ in range(200)) for _ in range(12)]
    write_lines("train/runs-420.jsonl", runs + ["x" * 500 + " " * 300 + "-" * 200 + "\n" * 90])
    write_lines("train/small-4096.jsonl", ["the theatre is there", "", "a"])

    odd = ["", " ", "  ", "\n", " \n ", "a", " a", "a ", "  a", "\na", "\n\n a", "\t\tx", "don't we'll I'VE they're 'tis", "'", "''", "'s's"]
    odd += ["'re're'r e", " 's", "!'s", "x'd'm'll've't", "1'1", "\u00b2\u00bc\u2167 12", "a1b2", "_a_1_", "caf\u00e9 cafe\u0301", "\u0130\u0131\u017f"]
    odd += ["\u00a0\u00a0a", "a\u00a0", "\u3000 \u3000x", "\u2028\u2029\u0085\x1c\x1d\x1e\x1f\x0b\x0c", "\u200b\u200d\ufeff\u180e", "\ufffd"]
    odd += ["".join(map(chr, range(0x00, 0x30))), "".join(map(chr, range(0x70, 0x110))), "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466!"]
    odd += ["\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627", "\u4f60\u597d\uff0c\u4e16\u754c\u3002", "\u1112\u1161\u11ab\ud55c", "\U0010ffff\U000e0101\ue000"]
    odd += ["[PAD][UNK][BOS]x[EOS] [EOS]", "<|endoftext|>", "func main() {\n\tfmt.Println(\"hi\")\n}\n", "x" * 47 + " " + "x" * 48, "x" * 49, "x" * 33, "ab" * 300]
    odd += [" " * 70 + "x", "\n" * 100, "-" * 200, "abcabcaaab" * 20, "0123456789" * 9, "".join(chr(c) for c in range(0x100, 0x110000, 4001) if not 0xD800 <= c < 0xE000)]
    odd += [go[0][:2000]] + [line(12) for _ in range(40)] + [rng.choice(ties) for _ in range(4)] + runs[:3]
    write_lines("strings.jsonl", odd)


def write_corpus(size, listing, out):
    paths = open(listing, encoding="utf-8").read().split("\n")
    texts = [open(p, encoding="utf-8", newline="").read() for p in paths if p]
    t = train(texts, int(size))
    t.save(os.path.join(out, "tokenizer.json"))
    t = without_specials(t)
    with open(os.path.join(out, "ids"), "wb") as f:
        for text in texts:
            ids = t.encode(text).ids
            array.array("i", [len(ids)] + ids).tofile(f)


if __name__ == "__main__":
    if sys.argv[1:2] == ["inputs"]:
        write_inputs()
    elif sys.argv[1:2] == ["corpus"]:
        write_corpus(*sys.argv[2:])
    else:
        write_classes()
        write_split()
        write_trained()
