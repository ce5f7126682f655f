"""Random models of transformers, and what it makes of them: {"configs": {name: config.json}, "folder"} in, {name: {"folder",
"tokens", "logits", "loss", "gradients": {tensor: [norm, ...]}, "prompt", "greedy", "margins"}} out, both JSON. Weights are
transformers' own, made larger so that rounding shows.
"""

import json
import os
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

ROWS, TOKENS, NEW = 2, 48, 16


def make(name, settings, folder):
    torch.manual_seed(len(name))
    settings = {k: v for k, v in settings.items() if not (k in ("dtype", "architectures") and v is None)}
    config = AutoConfig.for_model(**settings)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * (0.15 if p.ndim > 1 else 0.1))
    folder = os.path.join(folder, name)
    model.save_pretrained(folder)
    tokens = torch.randint(0, config.vocab_size, (ROWS, TOKENS + 1))
    logits = model(tokens[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, config.vocab_size), tokens[:, 1:].reshape(-1))
    loss.backward()
    gradients = {n: [p.grad.double().norm().item()] + p.grad.flatten()[:8].tolist() for n, p in model.named_parameters()}
    ids, margins = tokens[0, :12].tolist(), []
    with torch.no_grad():
        for _ in range(NEW):
            best = model(torch.tensor([ids])).logits[0, -1].topk(2)
            ids.append(int(best.indices[0]))
            margins.append(float(best.values[0] - best.values[1]))
    return {
        "folder": folder,
        "tokens": tokens.tolist(),
        "logits": logits.flatten().tolist(),
        "loss": loss.item(),
        "gradients": gradients,
        "prompt": ids[:12],
        "greedy": ids[12:],
        "margins": margins,
    }


def main():
    torch.set_num_threads(1)
    query = json.load(sys.stdin)
    print(json.dumps({name: make(name, settings, query["folder"]) for name, settings in query["configs"].items()}))


if __name__ == "__main__":
    main()
