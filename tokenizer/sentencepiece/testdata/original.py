"""Writes what sentencepiece makes of the inputs in this folder.

    python original.py                     NAME.jsonl: for each text of inputs.jsonl what NAME.model.b64 makes of it
    python original.py models              inputs.jsonl and NAME.model.b64, the inputs
    python original.py encode MODEL IN OUT IN: texts, each after its size (int32); OUT: for each a line as in NAME.jsonl
    python original.py train OUT K=V...    trains a model; "corpus=PATH" is read line by line
    python original.py likelihood MODEL PATH    the sum of the best paths' scores of PATH's lines

The committed files are those of sentencepiece 0.2.3. Run it in this folder. A line of
NAME.jsonl is {"ids", "spans": [begin, end] in bytes, "text": what decoding the ids gives,
as hex}.
"""

import base64
import glob
import io
import json
import random
import struct
import sys

import sentencepiece

CORPUS = """The unigram language model makes an assumption that each subword occurs independently.
I saw a girl with a telescope, and the girl saw me. She sells seashells by the seashore 1234 times.
the theatre is there; these then thus. don't we'll I'VE they're 'tis (foo(bar)) x[i] = y[i+1]*2
吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。 Größe naïve café Ångström
Съешь же ещё этих мягких французских булок, да выпей чаю. 0123456789 99 bottles of beer
""".splitlines() * 3

VARIANTS = {
    "unigram": dict(model_type="unigram", vocab_size=240),
    "unigram-bytes": dict(model_type="unigram", vocab_size=440, byte_fallback=True, user_defined_symbols=["<sep>", "girl", "シ"], remove_extra_whitespaces=False),
    "unigram-suffix": dict(model_type="unigram", vocab_size=240, treat_whitespace_as_suffix=True, control_symbols=["<ctl>"], unk_surface="??"),
    "unigram-across": dict(model_type="unigram", vocab_size=240, split_by_whitespace=False, add_dummy_prefix=False, pad_id=3),
    "bpe": dict(model_type="bpe", vocab_size=240),
    "bpe-bytes": dict(model_type="bpe", vocab_size=440, byte_fallback=True, split_digits=True, user_defined_symbols=["<sep>", "th", "シ"], allow_whitespace_only_pieces=True, remove_extra_whitespaces=False),
    "char": dict(model_type="char", vocab_size=120, user_defined_symbols=["<sep>", "saw"]),
    "word": dict(model_type="word", vocab_size=60),
}


def train(out, sentences, **options):
    options.setdefault("normalization_rule_name", "identity")
    options.setdefault("num_threads", 2)
    options.setdefault("minloglevel", 2)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(sentences), model_writer=out, hard_vocab_limit=False, **options)


def make_inputs():
    rng = random.Random(5)
    texts = [t.encode() for t in CORPUS[:5]]
    texts += [b"", b" ", b"  ", b"\n", b" a  b ", b"\xff", b"a\xc3", b"\xe3\x81\x82\xe3\x81", b"<s></s><unk><0x41>", b"<sep>a<sep><sep>b", b"girlgirl girls", "シシ".encode()]
    texts += ["e\u0301 \u1100\u1161\u11a8 \U0001F468\u200d\U0001F469\u200d\U0001F467 \u202eabc \ufeff\u0085\u2581\u2581x".encode(), bytes(range(32)), b"the" * 40, " ".join("ab" * n for n in range(9)).encode()]
    alphabet = "".join(CORPUS[:5]) + "\u2581 \n\u3042\U0001F600"
    for n in range(40):
        texts.append("".join(rng.choice(alphabet) for _ in range(n)).encode())
    with open("inputs.jsonl", "w", encoding="ascii") as f:
        for t in texts:
            f.write(json.dumps(t.hex()) + "\n")


def make_models():
    for name, options in VARIANTS.items():
        out = io.BytesIO()
        train(out, CORPUS, **options)
        write_model(name, out.getvalue())
    # pieces that are not used: how they are split shows
    import google.protobuf  # noqa: F401 (sentencepiece_model_pb2 needs it)
    from sentencepiece import sentencepiece_model_pb2

    for name in ("bpe", "unigram"):
        proto = sentencepiece_model_pb2.ModelProto.FromString(read_model(name))
        for i, p in enumerate(proto.pieces):
            if len(p.piece) > 1 and i % 3 == 0 and p.type == 1:
                p.type = 5
        write_model(name + "-unused", proto.SerializeToString())


def write_model(name, data):
    text = base64.b64encode(data).decode()
    with open(name + ".model.b64", "w", encoding="ascii") as f:
        for i in range(0, len(text), 120):
            f.write(text[i : i + 120] + "\n")


def read_model(name):
    with open(name + ".model.b64", encoding="ascii") as f:
        return base64.b64decode(f.read())


def line(sp, text):
    proto = sp.encode(text, return_type="proto")
    ids = [p.id for p in proto.pieces]
    assert ids == sp.encode(text), text
    decoded = sp.decode(ids, return_type=bytes) if ids else b""
    return json.dumps({"ids": ids, "spans": [[p.begin, p.end] for p in proto.pieces], "text": decoded.hex()})


def golden():
    with open("inputs.jsonl", encoding="ascii") as f:
        texts = [bytes.fromhex(json.loads(t)) for t in f]
    for path in sorted(glob.glob("*.model.b64")):
        name = path[: -len(".model.b64")]
        sp = sentencepiece.SentencePieceProcessor(model_proto=read_model(name))
        with open(name + ".jsonl", "w", encoding="ascii") as f:
            for t in texts:
                f.write(line(sp, t) + "\n")


def encode(model, source, target):
    sp = sentencepiece.SentencePieceProcessor(model_file=model)
    data = open(source, "rb").read()
    with open(target, "w", encoding="ascii") as f:
        at = 0
        while at < len(data):
            (n,) = struct.unpack_from("<i", data, at)
            f.write(line(sp, data[at + 4 : at + 4 + n]) + "\n")
            at += 4 + n


def likelihood(model, path):
    sp = sentencepiece.SentencePieceProcessor(model_file=model)
    total = tokens = 0.0
    for text in open(path, encoding="utf-8"):
        for i in sp.encode(text.rstrip("\n")):
            total += sp.get_score(i)
            tokens += 1
    print(total, int(tokens))


def value(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    args = sys.argv[1:]
    if not args:
        golden()
    elif args[0] == "models":
        make_inputs()
        make_models()
    elif args[0] == "encode":
        encode(*args[1:])
    elif args[0] == "likelihood":
        likelihood(*args[1:])
    elif args[0] == "train":
        options = dict(a.split("=", 1) for a in args[2:])
        with open(options.pop("corpus"), encoding="utf-8") as f, open(args[1], "wb") as out:
            train(out, f.read().split("\n"), **{k: value(v) for k, v in options.items()})
    else:
        sys.exit(__doc__)
