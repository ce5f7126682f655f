"""Writes characters.txt: how Hugging Face's tokenizers 0.23.3 classifies characters when it cuts text.

    python classes.py

The library shows its classes by where it cuts; no other source is used.
"""

import itertools

from tokenizers import __version__, pre_tokenizers as p

WHITE, WORD, PUNCTUATION, NUMERIC = 1, 2, 4, 8
white, word, punctuation = p.WhitespaceSplit(), p.Whitespace(), p.Punctuation()
numeric, scripts = p.Digits(individual_digits=False), p.UnicodeScripts()


def classes(ch):
    c = 0
    if len(white.pre_tokenize_str("a" + ch + "a")) == 2:
        c |= WHITE
    pieces = word.pre_tokenize_str("a" + ch)
    if len(pieces) == 1 and len(pieces[0][0]) == 2:
        c |= WORD
    elif bool(c & WHITE) != (len(pieces) == 1):
        raise SystemExit(f"U+{ord(ch):04X}: two kinds of white space")
    if len(punctuation.pre_tokenize_str("a" + ch)) == 2:
        c |= PUNCTUATION
    if len(numeric.pre_tokenize_str("a" + ch)) == 2:
        c |= NUMERIC
    return c


def same_script(a, b):
    return len(scripts.pre_tokenize_str(a + b)) == 1


def characters():
    return map(chr, itertools.chain(range(0xD800), range(0xE000, 0x110000)))


def runs(values):
    """Ranges of neighbours with one value."""
    out = []
    for c, v in values:
        if out and out[-1][2] == v and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c, v])
    return out


def write_scripts(f):
    stretches, last = [], ""
    for ch in characters():
        if not scripts.pre_tokenize_str(ch):  # of any script
            continue
        if stretches and ord(ch) == ord(last) + 1 and same_script(last, ch):
            stretches[-1][1] = ch
        else:
            stretches.append([ch, ch])
        last = ch
    examples, values = [], []
    for first, end in stretches:
        for number, example in enumerate(examples):
            if same_script(example, first):
                break
        else:
            number = len(examples)
            examples.append(first)
        values.append([ord(first), ord(end), number + 1])
    merged = []
    for v in values:
        if merged and merged[-1][2] == v[2] and merged[-1][1] == v[0] - 1:
            merged[-1][1] = v[1]
        else:
            merged.append(v)
    for first, end, number in merged:
        f.write(f"s {first:X} {end:X} {number}\n")


with open("characters.txt", "w", encoding="ascii") as f:
    f.write(f"# How tokenizers {__version__} classifies characters: c FIRST LAST CLASSES (1 white space, 2 word, 4 punctuation, 8 numeric), s FIRST LAST SCRIPT.\n")
    for first, end, c in runs((ord(ch), classes(ch)) for ch in characters()):
        if c:
            f.write(f"c {first:X} {end:X} {c}\n")
    write_scripts(f)
