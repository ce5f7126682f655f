"""Writes what Hugging Face's tokenizers makes of texts with every part that a file may have.

    python pipelines.py make            pipelines/*.json, the tokenizers, and pipelines.jsonl, the texts
    python pipelines.py                 pipelines.txt, a digest of what each tokenizer makes of each text
    python pipelines.py lines FILE      on standard output, what the tokenizer.json FILE makes of each text, a JSON string a line

The committed files are those of tokenizers 0.23.3. Run it in this folder.
"""

import glob
import hashlib
import json
import os
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

p, n, d, post = pre_tokenizers, normalizers, decoders, processors
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace("{1,3}", "")
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def read_lines(path):
    with open(path, encoding="ascii") as f:
        return [json.loads(line) for line in f]


def texts():
    rng = random.Random(5)
    out = read_lines("strings.jsonl")
    out += ["[CLS] a [MASK]b[MASK] c[SEP]", "x [MASK]  y", "  [MASK]  ", "ab<tool>cd <tool> e", "word wordy word", "HELLO h\u00e9llo  [mask] <TOOL>", "<s>a</s>", "\u2581a \u2581b\u2581"]
    out += ["one-two, three.four!? (five) 12\u00bd34 $x_y", "\u4e2d\u6587ab\u3042\u30a2\ud55c\uae00 \u0645\u0631\u062d\u0628\u0627 12", "a\u0300b\u0301\u0323 \u1e9b\u0323 \ufb01 \u2460 \u00c5", "I do not. can 't , 's n't"]
    out += ["  leading and  double  spaces \n\tx", "na\u00efve \u0130STANBUL \u03a3\u03a3", "x" * 120 + " y", "".join(chr(c) for c in range(0x20)), "word", " word ", "[CLS][SEP]", "a[PAD]b <pad>"]
    for _ in range(30):
        blocks = [rng.randrange(0x20, 0x30000) for _ in range(6)]
        blocks = [b for b in blocks if not 0xD700 <= b < 0xE010]
        out.append("".join(rng.choice([" ", "", "", "a", "[MASK]", "\n", "."]) + chr(rng.choice(blocks) + rng.randrange(8)) for _ in range(20)))
    return out


CORPUS = [" ".join(["the lower newest widest words of it's own hello h\u00e9llo world abc12 3.4, don't na\u00efve one-two three"] * 3)] * 4
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def corpus():
    return CORPUS + read_lines("train/unicode-900.jsonl")[:20] + read_lines("train/go-700.jsonl")[:2]


def bpe(size=600, normalizer=None, cutter=None, alphabet=True, model=None, suffix=None, prefix=None, specials=SPECIALS):
    t = Tokenizer(models.BPE(**(model or {})))
    if normalizer:
        t.normalizer = normalizer
    if cutter:
        t.pre_tokenizer = cutter
    kw = {"initial_alphabet": p.ByteLevel.alphabet()} if alphabet else {}
    if suffix:
        kw["end_of_word_suffix"] = suffix
    if prefix:
        kw["continuing_subword_prefix"] = prefix
    t.train_from_iterator(corpus(), trainers.BpeTrainer(vocab_size=size, special_tokens=specials, show_progress=False, **kw))
    return t


def wordpiece(normalizer, cutter, size=500):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=40))
    t.normalizer, t.pre_tokenizer, t.decoder = normalizer, cutter, d.WordPiece()
    t.train_from_iterator(corpus(), trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIALS, show_progress=False))
    return t


def words(cutter, normalizer=None):
    vocab = {w: i for i, w in enumerate(SPECIALS + sorted({w for c in corpus() for w, _ in cutter.pre_tokenize_str(c)})[:300])}
    t = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    t.pre_tokenizer = cutter
    if normalizer:
        t.normalizer = normalizer
    t.add_special_tokens(SPECIALS)
    return t


def unigram(normalizer, cutter, byte_fallback=False):
    t = Tokenizer(models.Unigram())
    if normalizer:
        t.normalizer = normalizer
    if cutter:
        t.pre_tokenizer = cutter
    t.train_from_iterator(CORPUS * 10, trainers.UnigramTrainer(vocab_size=120, special_tokens=["<unk>", "<s>", "</s>", "<pad>"], unk_token="<unk>", show_progress=False))
    if byte_fallback:
        file = json.loads(t.to_str())
        file["model"]["vocab"] += [[f"<0x{b:02X}>", -9.0] for b in range(256)]
        file["model"]["byte_fallback"] = True
        t = Tokenizer.from_str(json.dumps(file))
    return t


def bert_template(t):
    return post.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", t.token_to_id("[CLS]")), ("[SEP]", t.token_to_id("[SEP]"))])


def with_(t, **parts):
    for name, value in parts.items():
        setattr(t, name, value)
    return t


def tokenizers():
    out = {}
    t = bpe(cutter=p.ByteLevel(add_prefix_space=False))
    out["gpt2"] = with_(t, decoder=d.ByteLevel(), post_processor=post.ByteLevel(trim_offsets=True))
    t = bpe(cutter=p.ByteLevel(add_prefix_space=True))
    t.decoder, t.post_processor = d.ByteLevel(), post.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2))
    t.add_special_tokens([AddedToken("[MASK]", lstrip=True)])
    t.add_tokens([AddedToken("<tool>", rstrip=True), AddedToken("word", single_word=True)])
    out["roberta"] = t
    t = bpe(cutter=p.ByteLevel(add_prefix_space=True))
    out["roberta-no-trim"] = with_(t, decoder=d.ByteLevel(), post_processor=post.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2), trim_offsets=False, add_prefix_space=False))
    for name, pattern in ("llama3", LLAMA3), ("qwen", QWEN):
        t = bpe(normalizer=n.NFC() if name == "qwen" else None, cutter=p.Sequence([p.Split(Regex(pattern), "isolated"), p.ByteLevel(add_prefix_space=False, use_regex=False)]))
        t.decoder, t.post_processor = d.ByteLevel(), post.Sequence([post.ByteLevel(trim_offsets=False), bert_template(t)])
        t.add_tokens(["<tool>"])
        out[name] = t
    file = json.loads(out["llama3"].to_str())
    file["model"]["ignore_merges"] = True
    out["llama3-ignore-merges"] = Tokenizer.from_str(json.dumps(file))
    t = bpe(normalizer=n.Sequence([n.NFC(), n.Replace(Regex(r"\s+"), " "), n.Lowercase()]), cutter=p.Sequence([p.Split(Regex(CLIP), "removed", invert=True), p.ByteLevel(add_prefix_space=False, use_regex=False)]), suffix="</w>", alphabet=True)
    out["clip"] = with_(t, decoder=d.BPEDecoder("</w>"), post_processor=post.BertProcessing(("[SEP]", 3), ("[CLS]", 2)))
    t = bpe(cutter=p.Whitespace(), alphabet=False, model={"unk_token": "[UNK]", "fuse_unk": True}, prefix="##")
    out["bpe-prefix"] = with_(t, decoder=d.WordPiece(cleanup=False))
    t = bpe(cutter=p.BertPreTokenizer(), alphabet=False, model={"unk_token": "[UNK]"}, suffix="</w>", normalizer=n.BertNormalizer(lowercase=False))
    out["bpe-suffix"] = with_(t, decoder=d.BPEDecoder())
    t = bpe(normalizer=n.Sequence([n.Prepend("\u2581"), n.Replace(" ", "\u2581")]), alphabet=False, model={"unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True}, specials=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)], size=700)
    file = json.loads(t.to_str())
    file["added_tokens"] = file["added_tokens"][:3]
    t = Tokenizer.from_str(json.dumps(file))
    t.decoder = d.Sequence([d.Replace("\u2581", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)])
    t.post_processor = post.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    out["llama2"] = t
    t = Tokenizer.from_str(t.to_str())
    t.normalizer, t.pre_tokenizer = n.Sequence([]), p.Metaspace(prepend_scheme="first", split=False)
    t.add_tokens(["<tool>"])
    out["llama2-first"] = t

    bert = lambda **kw: wordpiece(n.BertNormalizer(**kw), p.BertPreTokenizer())
    t = bert()
    out["bert"] = with_(t, post_processor=bert_template(t))
    t = bert(lowercase=False, strip_accents=True, handle_chinese_chars=False, clean_text=False)
    t.add_tokens([AddedToken("<tool>", normalized=True), AddedToken("Word", normalized=True, single_word=True)])
    out["bert-cased"] = with_(t, post_processor=post.BertProcessing(("[SEP]", 3), ("[CLS]", 2)), decoder=d.WordPiece(prefix="##", cleanup=False))
    t = Tokenizer.from_str(out["bert"].to_str())
    t.enable_truncation(12, stride=3, strategy="longest_first")
    t.enable_padding(length=16, pad_id=0, pad_token="[PAD]", pad_to_multiple_of=8)
    out["bert-truncated"] = t
    t = Tokenizer.from_str(out["bert"].to_str())
    t.enable_truncation(9, stride=1, strategy="longest_first", direction="left")
    t.enable_padding(direction="left", pad_id=0, pad_type_id=1, pad_token="[PAD]", length=11)
    out["bert-truncated-left"] = t
    t = Tokenizer.from_str(out["bert"].to_str())
    t.add_tokens([AddedToken("H\u00e9llo", normalized=True), AddedToken("[MASK]", lstrip=True, rstrip=True, special=True, normalized=False)])
    out["bert-added"] = t

    t5 = n.Sequence([n.Nmt(), n.NFKC(), n.Replace(Regex(" {2,}"), " ")])
    t = unigram(t5, p.Metaspace())
    t.decoder, t.post_processor = d.Metaspace(), post.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)])
    out["t5"] = t
    t = unigram(n.Sequence([n.Replace("``", '"'), n.NFKD(), n.StripAccents(), n.Lowercase()]), p.Sequence([p.WhitespaceSplit(), p.Metaspace(prepend_scheme="always")]))
    out["albert"] = with_(t, decoder=d.Metaspace(), post_processor=post.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)]))
    t = unigram(None, p.Metaspace(prepend_scheme="first"), byte_fallback=True)
    t.add_tokens(["<tool>"])
    out["unigram-bytes"] = with_(t, decoder=d.Sequence([d.ByteFallback(), d.Metaspace(prepend_scheme="first")]))
    t = unigram(n.Strip(), p.Sequence([p.Metaspace(prepend_scheme="never"), p.Digits(individual_digits=True)]))
    out["unigram-never"] = with_(t, decoder=d.Metaspace(prepend_scheme="never"))

    cutters = {
        "whitespace": p.Whitespace(), "whitespace-split": p.WhitespaceSplit(), "bert-cutter": p.BertPreTokenizer(), "scripts": p.UnicodeScripts(), "fixed": p.FixedLength(3),
        "digits": p.Digits(), "digits-each": p.Digits(individual_digits=True), "delimiter": p.CharDelimiterSplit("-"), "metaspace-first": p.Sequence([p.Split("-", "isolated"), p.Metaspace(prepend_scheme="first")]),
        "bytelevel-twice": p.Sequence([p.ByteLevel(), p.Split("\u0120", "merged_with_next")]), "empty-pattern": p.Split(Regex("x*"), "merged_with_previous"), "empty-pattern-next": p.Split(Regex("x*"), "merged_with_next"),
        "empty-string": p.Split("", "isolated"),
    }
    for behavior in "removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous":
        cutters["punctuation-" + behavior] = p.Punctuation(behavior)
        cutters["split-" + behavior] = p.Split(Regex(r"\s|[.,]"), behavior)
        cutters["split-inverted-" + behavior] = p.Split(Regex(r"\w+"), behavior, invert=True)
    for name, cutter in cutters.items():
        out["cut-" + name] = words(cutter)
    forms = {
        "nfc": n.NFC(), "nfd": n.NFD(), "nfkc": n.NFKC(), "nfkd": n.NFKD(), "lowercase": n.Lowercase(), "strip": n.Strip(), "strip-left": n.Strip(right=False), "accents": n.Sequence([n.NFD(), n.StripAccents()]),
        "nmt": n.Nmt(), "bytes": n.ByteLevel(), "prepend": n.Prepend("<>"), "replace": n.Replace("a", "bcd"), "replace-none": n.Replace(Regex("[aeiou]+"), ""), "replace-empty": n.Replace(Regex("x*"), "-"),
    }
    for name, form in forms.items():
        t = words(p.Sequence([p.Whitespace(), p.FixedLength(2)]), form)
        t.add_tokens([AddedToken("W\u00f6rd a", normalized=True)])
        out["norm-" + name] = t
    chains = {
        "ctc": d.CTC(pad_token="[PAD]", word_delimiter_token="the"), "ctc-plain": d.CTC(pad_token="e", cleanup=False), "strip": d.Strip("e", 1, 1), "replace": d.Replace(Regex("[aeiou]"), "#"),
        "fuse-replace": d.Sequence([d.Fuse(), d.Replace(Regex("(o|e)w?"), "+")]), "bytes-replace": d.Sequence([d.ByteLevel(), d.Replace("th", "TH")]),
        "suffix": d.BPEDecoder("e"), "wordpiece": d.WordPiece("t"), "metaspace": d.Metaspace(replacement="t"), "metaspace-later": d.Sequence([d.Fuse(), d.Metaspace(replacement="o")]), "none": None,
    }
    for name, chain in chains.items():
        t = words(p.Whitespace())
        if chain:
            t.decoder = chain
        out["decode-" + name] = t
    return out


def describe(e):
    """An encoding as text; Go's test writes the same."""
    fields = [e.ids, e.type_ids, [f"{a}-{b}" for a, b in e.offsets], [-1 if w is None else w for w in e.word_ids], e.special_tokens_mask, e.attention_mask, [-1 if s is None else s for s in e.sequence_ids]]
    return "|".join(",".join(map(str, f)) for f in fields) + "|" + "\x1f".join(e.tokens)


def decoded(t, ids, skip):
    try:
        return t.decode(ids, skip_special_tokens=skip)
    except BaseException:  # it panics when Strip gets less than it may strip
        return "error"


def lines(t):
    all_texts = texts()
    for i, text in enumerate(all_texts):
        for ask in ({"add_special_tokens": True}, {"add_special_tokens": False}, {"add_special_tokens": True, "pair": all_texts[(i + 1) % len(all_texts)]}):
            try:
                e = t.encode(text, **ask)
            except BaseException as problem:
                yield "error"
                continue
            yield "\x1e".join([describe(e)] + [describe(o) for o in e.overflowing] + [decoded(t, e.ids, True), decoded(t, e.ids, False)])
        t.encode_special_tokens = True
        yield ",".join(map(str, t.encode(text, add_special_tokens=False).ids))
        t.encode_special_tokens = False


def digests(t):
    return [hashlib.sha256(line.encode()).hexdigest()[:4] for line in lines(t)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["lines"]:
        for line in lines(Tokenizer.from_file(sys.argv[2])):
            print(json.dumps(line))
    elif sys.argv[1:2] == ["make"]:
        os.makedirs("pipelines", exist_ok=True)
        for name, t in tokenizers().items():
            with open(f"pipelines/{name}.json", "w", encoding="utf-8") as f:
                f.write(t.to_str())
        with open("pipelines.jsonl", "w", encoding="ascii") as f:
            for text in texts():
                f.write(json.dumps(text) + "\n")
    else:
        with open("pipelines.txt", "w", encoding="ascii") as f:
            for path in sorted(glob.glob("pipelines/*.json")):
                f.write(os.path.basename(path)[:-5] + " " + "".join(digests(Tokenizer.from_file(path))) + "\n")
