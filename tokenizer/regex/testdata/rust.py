"""Writes what tiktoken 0.14.0, which matches by Rust's fancy-regex, cuts texts into: a line of JSON for each pattern,
[pattern, [[text, piece, piece, ...], ...]], or [pattern, null] if it is refused. Text between matches is dropped.

    python rust.py > rust.jsonl      needs tiktoken==0.14.0 and what original.py needs
"""

import json
import random

import original
import tiktoken

PATTERNS = [p for p in original.REAL if not p.startswith((r"(?<=\p{L})", r" ?[^(\s|["))]
PATTERNS += [r"a{1,2}+|b", r"a{2}+a|\w", r"(?s).", r"(?m)^a|b$", r"^a|b", r"(?x) a b # c", r"\pL+|\PL", r"[[:alpha:]]+|\d", r"a(?i)b|c", r"(?P<x>a)b"]
PATTERNS += [r"[\w--a]+|[a-d~~c-f]", r"\b\w", r"(?i:ss)", r"(?i)\p{Lu}+", r"\p{Script=Han}+|\p{sc=Latin}+", r"\p{Greek}|a$", r"\w+?b", r"(?U)a+b", r"[\w--a]", r"(?>a|ab)c|\s", r"\x{e9}|\u00c9|\x41"]


def cut(pattern, text):
    """Every substring is a piece of the vocabulary, so that each match becomes one."""
    data = text.encode()
    pieces = dict.fromkeys(bytes([b]) for b in range(256))
    pieces |= dict.fromkeys(data[i:j] for i in range(len(data)) for j in range(i + 1, len(data) + 1))
    ranks = {piece: i for i, piece in enumerate(pieces)}
    encoding = tiktoken.Encoding("all", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return [encoding.decode_single_token_bytes(i).decode() for i in encoding.encode_ordinary(text)]


def main():
    rng = random.Random(8)
    for pattern in PATTERNS:
        texts = ["foo bar\r\n\n  x", "aB1\u00e9\nb", "It's I'LL 12345 a\u00a0 we'\u017f"]
        for alphabet in original.ALPHABETS:
            texts += ["".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 24))) for _ in range(4)]
        try:
            print(json.dumps([pattern, [[t] + cut(pattern, t) for t in texts]], separators=(",", ":")))
        except Exception:
            print(json.dumps([pattern, None]))


if __name__ == "__main__":
    main()
