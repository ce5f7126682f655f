"""Writes what Oniguruma, as tokenizers 0.23.3 has it, matches: a line of JSON for each
pattern, [pattern, [[text, start, end, start, end, ...], ...]] with places in characters and
without matches of nothing, or [pattern, null] if the pattern is refused.

    python original.py > oniguruma.jsonl      needs tokenizers==0.23.3
"""

import json
import random

from tokenizers import Regex, pre_tokenizers

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
ENGLISH = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + TAIL
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{ENGLISH}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{ENGLISH}?|\p{{N}}{{1,3}}|" + TAIL.replace(r"[\r\n]*", r"[\r\n/]*")
REAL = [
    GPT2,
    LLAMA3,
    LLAMA3.replace("{1,3}", ""),
    LLAMA3.replace("{1,3}", "+"),
    LLAMA3.replace(r"[^\r\n\p{L}\p{N}]", r"[^\r\n\p{N}\p{L}]").replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)", "'(?i:[sdmt]|ll|ve|re)"),
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    ENGLISH + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    O200K,
    O200K.replace(r"{1,3}", ""),
    r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
    r"[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    r" ?[^(\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+",
    r"\p{N}{1,3}(?=(?:\p{N}{3})*\b)",
    r"(?<=\p{L})(?=\p{Lu})|_|\s+",
    r"[\r\n]|\s?\p{L}+|\s?\p{P}+|[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+|\p{N}",
    r"[^\s]+|\s+",
    r"\w+|[^\w\s]+",
    r"\d{3}(?=\d)",
]
SYNTAX = r"""
$ ~ ^ ~ . ~ (?m). ~ (?m:^b) ~ \Z ~ \z ~ \A. ~ \R ~ \h+ ~ \H+ ~ (?i:\p{Lu}) ~ (?i:[\p{Lu}]) ~ (?i:[^a]) ~ (?i)[a-z]+ ~ (?i)[^a-z]+
~ \u00e9 ~ \x{e9} ~ \xe9 ~ \xc3\xa9 ~ []a] ~ [a-] ~ [a\-z] ~ [a-z&&[^aeiou]]+ ~ [^a-z&&[^aeiou]]+ ~ a{,2} ~ a{2} ~ a{x ~ a{2}+ ~ a{1,2}+ ~ a++a
~ (?>a+)a ~ a{2,1} ~ a{2,1}a ~ (?<=a|bc)d ~ (?<!a)d ~ \bfoo\b ~ \w+ ~ \W+ ~ \p{^L} ~ \P{^L} ~ \p{Han}+ ~ \p{han} ~ \pL+ ~ \p{Letter}+ ~ \p{Punct}+
~ (?x) a b # c ~ a\b ~ (?:a|ab)(?:c|bcd) ~ \e ~ \a ~ \cA ~ \01 ~ \N ~ \O ~ (?i-m:a) ~ (?-i)a ~ a|(?i)b|c ~ a(?i)b|c ~ (?#c)a ~ *a ~ a** ~ a?+ ~ a*+a
~ x* ~ [[:alpha:]_]+ ~ [[:^alpha:]]+ ~ [\w&&[^\d]]+ ~ [a-\d] ~ \Aa|b ~ (?<=\n)a ~ (?<=^a)b ~ [^\n] ~ \v ~ \f ~ \p{Foo} ~ \q ~ ( ~ ) ~ [ ~ a{100001} ~ [[a]
~ (?i:k+) ~ (?i:[k-s])+ ~ \d+ ~ [[:punct:]]+ ~ (?<=a{1,3})b ~ a{0}b ~ {1} ~ a] ~ a} ~ (?P<x>a) ~ [a-c-e]+ ~ [\]] ~ [[]] ~ (?:a*)*b ~ (?:a|b*)*c ~ (?:b*|a)*c
~ (?:a?){3}b ~ (?:a|b){2,3}?c ~ (?:a*?)*b ~ a*?b ~ a+? ~ a??b ~ (?<!ab|c)d ~ (?<=(?:a|b){2})c ~ (?<=a|b{2,3})c ~ (?<=\bx)y ~ \b ~ \B ~ [\W]+ ~ [^\W\d]+ ~ [^\s\S]
~ (?<1a>x) ~ (?'n'a) ~ (?<n>a)b ~ \A* ~ a|* ~ a{1}{2} ~ a{2}? ~ a{1,2}? ~ a+* ~ a??? ~ [a[bc]d]+ ~ [^a[^b]] ~ [a^b]+ ~ [[:foo:]] ~ \p{L_u} ~ \p{Any} ~ \p{ASCII}+
~ \p{PosixPunct}+ ~ \p{LC}+ ~ \p{Emoji}+ ~ \p{C} ~ \p{Cn} ~ [&&a] ~ [a&]+ ~ [--a]+ ~ [\b] ~ \377 ~ \u ~ \u00 ~ (?= ~ (?!a)\w ~ (?=b)\w ~ (?>a|ab)c ~ (?>a*b|a)a
~ (?:(?>a|ab)|b)+c ~ (?:a+|b)*+a ~ (?:ab?|b)++b ~ (?=a*b)a+ ~ (?!a*b)a+ ~ (a(?=b)|b(?!b))+ ~ (?s)a ~ \p{L ~ a{2,}b ~ (?:ab){2,}? ~ (?z)a ~ (?i ~ [^] ~ [] ~ a\ ~ \
"""
ALPHABETS = [
    "'sStTrRelLvVdDmMaAbB1\u00b2!/ \n\r\t\u00e9\u0301\u01c5\u02b0\u4e2d\u017f\u00a0\u3000",
    "abcd_ab AB\n1",
    "\u4e2d\u3042\u30a2,\u3002 a1\u0663\u2167\n\u00e9\u212ak\u017f\U0001f600\u200d\ufe0f",
    "axfoob1_. \u00c9\x85\u2028",
]


def spans(pattern, text):
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    return [place for _, span in split.pre_tokenize_str(text) for place in span]


def main():
    rng = random.Random(7)
    for pattern in REAL + [p.strip() for p in SYNTAX.split("~")]:
        texts = ["foo bar\r\n\n  x", "It's I'LL 12345 don\u2019t\u00a0\u00a0 we'\u017f"]
        for alphabet in ALPHABETS:
            texts += ["".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 40))) for _ in range(12 if pattern in REAL else 3)]
        try:
            print(json.dumps([pattern, [[t] + spans(pattern, t) for t in texts]], separators=(",", ":")))
        except Exception:
            print(json.dumps([pattern, None]))


if __name__ == "__main__":
    main()
