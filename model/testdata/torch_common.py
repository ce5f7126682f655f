"""What the scripts of this folder share: weights that need no file, the layout
of codexml's parameters in torch's, and the figures that are written.

A script builds a tiny model of transformers, fills it by formula, trains it and
writes <script>.txt; with --check it compares with that file instead. README.md
beside this file describes the formula and the rows.
"""

import argparse
import math
import os
import re
import sys

import torch
import transformers

BATCHES, ROWS, TOKENS, STEPS = 4, 4, 32, 50
VOCAB, WIDTH, LAYERS, HEADS = 96, 48, 2, 4


def fnv1a(text):
    """FNV-1a, 32 bits: the salt of a parameter's name."""
    h = 2166136261
    for byte in text.encode():
        h = (h ^ byte) * 16777619 & 0xFFFFFFFF
    return h


def uniform(n, salt, scale):
    """(mix(i*2654435761 + salt) / 2^32 - 0.5) * scale, rounded to float32."""
    h = (torch.arange(n, dtype=torch.int64) * 2654435761 + salt) & 0xFFFFFFFF
    h = ((h ^ h >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    h = ((h ^ h >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    h = h ^ h >> 16
    return ((h.double() / 2**32 - 0.5) * scale).float()


def initial(name, shape):
    """The weights of parameter name, float32."""
    n = math.prod(shape)
    if len(shape) == 2:
        return uniform(n, fnv1a(name), 0.4).reshape(shape)
    if name.endswith(".bias"):
        return uniform(n, fnv1a(name), 0.1)
    return 1 + uniform(n, fnv1a(name), 0.2)


def batches():
    """Token streams [BATCHES, ROWS, TOKENS + 1]; inputs and targets overlap."""
    x = uniform(BATCHES * ROWS * (TOKENS + 1), fnv1a("tokens"), 1.0).double() + 0.5
    return (x * VOCAB).long().clamp(max=VOCAB - 1).reshape(BATCHES, ROWS, TOKENS + 1)


def same(t):
    return t


def transposed(t):
    """[in, out] of a Conv1D and [out, in] of codexml, either way."""
    return t.t()


def turned(head_dim):
    """Negates the second half of every head's rows, either way."""

    def turn(t):
        t = t.clone().reshape(-1, head_dim, t.shape[-1])
        t[:, head_dim // 2 :] *= -1
        return t.reshape(-1, t.shape[-1])

    return turn


class Layout:
    """codexml's parameters by name: each a stack of torch's, each part passed
    through a function that is its own inverse."""

    def __init__(self, parts):
        self.parts = parts  # name -> [(torch name, function)]

    def read(self, name, tensors):
        return torch.cat([f(tensors[t]) for t, f in self.parts[name]])

    def write(self, name, value, tensors):
        at = 0
        for t, f in self.parts[name]:
            rows = f(tensors[t]).shape[0]
            tensors[t].copy_(f(value[at : at + rows]))
            at += rows
        assert at == len(value)


def fill(model, layout):
    tensors = dict(model.named_parameters())
    used = {t for parts in layout.parts.values() for t, _ in parts}
    assert used == set(tensors), used ^ set(tensors)
    with torch.no_grad():
        for name in layout.parts:
            shape = tuple(layout.read(name, tensors).shape)
            layout.write(name, initial(name, shape).to(next(iter(tensors.values())).dtype), tensors)


def train(model, layout, put):
    """The figures of a run; put(row, numbers) writes one."""
    fill(model, layout)
    model.eval()  # no dropout anywhere; eval says so twice
    streams = batches()
    params = dict(model.named_parameters())
    for batch in range(BATCHES):
        for row in range(ROWS):
            put(f"tokens/{batch}/{row}", streams[batch, row])
    with torch.no_grad():
        logits = model(streams[0, :, :-1]).logits
    for row, position in [(0, 0), (0, 1), (1, 15), (3, TOKENS - 1)]:
        put(f"logits/{row}/{position}", logits[row, position])
    decayed = [p for p in params.values() if p.ndim >= 2]
    plain = [p for p in params.values() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    losses, norms = [], []
    for step in range(STEPS):
        stream = streams[step % BATCHES]
        logits = model(stream[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCAB), stream[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            grads = {name: p.grad for name, p in params.items()}
            for name in layout.parts:
                g = layout.read(name, grads)
                put(f"grad/{name}", torch.cat([g.double().norm().reshape(1), g.flatten()[:16]]))
        norms.append(torch.nn.utils.clip_grad_norm_(params.values(), 1.0).item())
        optimizer.step()
        losses.append(loss.item())
    put("loss", losses)
    put("norm", norms)
    tensors = {name: p.detach() for name, p in params.items()}
    for name in layout.parts:
        # A bias of the keys moves every score of a row alike: its gradient is rounding noise, which AdamW blows up.
        if not name.endswith("attn.qkv.bias"):
            w = layout.read(name, tensors).double()
            put(f"final/{name}", [w.sum().item(), w.square().sum().item()])


def exact_norms(*classes):
    """transformers computes RMSNorm in float32 whatever the model's type: here in the model's own."""

    def forward(self, x):
        eps = getattr(self, "variance_epsilon", getattr(self, "eps", None))
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
        return self.weight * x if hasattr(self, "weight") else x

    for c in classes:
        c.forward = forward


def figures(build, layout, about):
    """The file's text: everything in float64, and the losses of a float32 run to see how far rounding goes."""
    lines = [f"# {line}" for line in about]
    lines.append(f"# torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}; see README.md")

    def put(name, values):
        numbers = [x.item() if torch.is_tensor(x) else x for x in values]
        lines.append(" ".join([name] + [str(x) if isinstance(x, int) else f"{x:.10g}" for x in numbers]))

    train(build().double(), layout, put)
    rows = {}
    train(build(), layout, rows.__setitem__)
    put("loss_float32", rows["loss"])
    return "\n".join(lines) + "\n"


def read(text):
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {row[0]: [float(x) for x in row[1:]] for row in rows}


def check(path, text):
    """Float64 figures hold on any machine to 1e-7, those of float32 to 1e-4."""
    with open(path) as f:
        want, got = read(f.read()), read(text)
    assert want.keys() == got.keys(), f"{path}: other rows than this script writes: {sorted(want.keys() ^ got.keys())}"
    for name, values in want.items():
        tolerance = 1e-4 if name.endswith("_float32") else 1e-7
        assert len(values) == len(got[name]), f"{path}: {name}: {len(values)} numbers, want {len(got[name])}"
        for g, w in zip(got[name], values):
            assert abs(g - w) <= tolerance * (1 + abs(w)), f"{path}: {name}: got {g}, want {w}"
    print(f"{os.path.basename(path)}: {len(want)} rows as torch computes them")


def main(build, layout):
    script = sys.modules["__main__"]
    parser = argparse.ArgumentParser(description=script.__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    path = re.sub(r"\.py$", ".txt", os.path.abspath(script.__file__))
    text = figures(build, layout, script.__doc__.strip().splitlines())
    if args.check:
        check(path, text)
    else:
        with open(path, "w") as f:
            f.write(text)
