"""Trains WordPiece and WordLevel with the original (tokenizers 0.23.3) on corpus.txt; writes the
pieces. The original numbers characters with a prefix in the order of a hash table, and breaks
ties by these numbers: the pieces of WordPiece are written as a sorted set, and 140 is a size at
which repeated runs of the original agree."""

import json

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

SPECIALS = ["[PAD]", "[UNK]", "[BOS]", "[EOS]"]


def train(model, trainer, pre, normalizer):
    t = Tokenizer(model)
    t.pre_tokenizer = pre
    if normalizer:
        t.normalizer = normalizer
    text = open("corpus.txt", encoding="utf-8").read()
    t.train_from_iterator([text], trainer)
    return t.get_vocab()


wp = train(models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(vocab_size=140, special_tokens=SPECIALS, show_progress=False),
           pre_tokenizers.BertPreTokenizer(), normalizers.BertNormalizer())
wl = train(models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer(vocab_size=40, min_frequency=2, special_tokens=SPECIALS, show_progress=False),
           pre_tokenizers.Whitespace(), None)
with open("pieces.json", "w", encoding="ascii") as f:
    json.dump({"wordpiece": sorted(wp), "wordlevel": sorted(wl, key=wl.get)}, f, indent=1)
    f.write("\n")
