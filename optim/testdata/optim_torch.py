"""Weights after 20 steps of torch's optimisers, on 64 weights and gradients made by formula.

A row NAME/STEP holds the weights after that many steps, computed in float64; NAME_float32 the last ones of torch's
float32 run. Muon's is torch.optim.Muon with the cast to bfloat16 inside its Newton-Schulz iteration replaced by one to
float64. Writes optim_torch.txt; with --check it compares with that file instead.
"""

import inspect
import os
import sys

import torch

COUNT, STEPS = 64, 20

CASES = {
    "adamw": (torch.optim.AdamW, dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01), (8, 8)),
    "adamw_strong": (torch.optim.AdamW, dict(lr=1e-2, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1), (8, 8)),
    "adamw_clipped": (torch.optim.AdamW, dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01), (8, 8)),
    "sgd": (torch.optim.SGD, dict(lr=1e-2), (8, 8)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, weight_decay=0.01), (8, 8)),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, weight_decay=0.01, nesterov=True), (8, 8)),
    "muon_square": (torch.optim.Muon, dict(lr=0.02, weight_decay=0.1), (8, 8)),
    "muon_wide": (torch.optim.Muon, dict(lr=0.02, weight_decay=0), (4, 16)),
    "muon_tall": (torch.optim.Muon, dict(lr=0.02, weight_decay=0.1), (16, 4)),
}


def uniform(n, salt, scale):
    """(mix(i*2654435761 + salt) / 2^32 - 0.5) * scale, rounded to float32."""
    h = (torch.arange(n, dtype=torch.int64) * 2654435761 + salt) & 0xFFFFFFFF
    h = ((h ^ h >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    h = ((h ^ h >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    h = h ^ h >> 16
    return ((h.double() / 2**32 - 0.5) * scale).float()


def exact_muon():
    import torch.optim._muon as muon

    source = inspect.getsource(muon._zeropower_via_newtonschulz)
    assert source.count("torch.bfloat16") == 1
    exec(source.replace("torch.bfloat16", "torch.float64"), muon.__dict__)


def run(name, dtype):
    method, options, shape = CASES[name]
    w = torch.nn.Parameter((1 + uniform(COUNT, 1, 1)).to(dtype).reshape(shape))
    optimizer = method([w], **options)
    rows = {}
    for step in range(STEPS):
        w.grad = uniform(COUNT, 1000 + step, 2).to(dtype).reshape(shape)
        if name == "adamw_clipped":
            torch.nn.utils.clip_grad_norm_([w], 1.0)
        optimizer.step()
        rows[step + 1] = w.detach().flatten().tolist()
    return rows


def figures():
    lines = ["# " + line for line in __doc__.strip().splitlines()]
    lines.append("# torch " + torch.__version__.split("+")[0])
    put = lambda name, values: lines.append(" ".join([name] + [f"{x:.12g}" for x in values]))
    for name in CASES:
        rows = run(name, torch.float64)
        for step in (1, 2, 5, STEPS):
            put(f"{name}/{step}", rows[step])
        if not name.startswith("muon"):
            put(f"{name}_float32", run(name, torch.float32)[STEPS])
    return "\n".join(lines) + "\n"


def check(path, text):
    """Figures of float64 hold on any machine to 1e-9, those of float32 to 1e-6."""
    read = lambda text: {r.split()[0]: [float(x) for x in r.split()[1:]] for r in text.splitlines() if not r.startswith("#")}
    with open(path) as f:
        want, got = read(f.read()), read(text)
    assert want.keys() == got.keys(), f"{path}: other rows than this script writes"
    for name, values in want.items():
        tolerance = 1e-6 if name.endswith("_float32") else 1e-9
        for g, w in zip(got[name], values, strict=True):
            assert abs(g - w) <= tolerance * abs(w), f"{path}: {name}: got {g}, want {w}"
    print(f"{os.path.basename(path)}: {len(want)} rows as torch computes them")


if __name__ == "__main__":
    torch.set_num_threads(1)
    exact_muon()
    path = os.path.splitext(os.path.abspath(__file__))[0] + ".txt"
    if "--check" in sys.argv[1:]:
        check(path, figures())
    else:
        with open(path, "w") as f:
            f.write(figures())
