"""Tiny models of every architecture that codexml opens, as transformers computes them: models/NAME.json is the config.json,
models/NAME.txt has logits, loss, gradients and greedy tokens. README.md beside this file describes the rows.
"""

import argparse
import json
import os

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

import torch_common as common

ROWS, TOKENS, NEW = 2, 40, 12
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")

SIZES = dict(vocab_size=96, hidden_size=32, intermediate_size=52, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64)
SPECIALS = dict(bos_token_id=None, eos_token_id=None, pad_token_id=None)


def rope(kind, **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10000.0, **more}}


CASES = {
    "gpt2": dict(model_type="gpt2", vocab_size=96, n_positions=64, n_embd=32, n_layer=2, n_head=4, n_inner=80),
    "llama": dict(model_type="llama", **SIZES),
    "llama-tied-bias": dict(model_type="llama", **SIZES, tie_word_embeddings=True, attention_bias=True, mlp_bias=True, head_dim=12),
    "llama-linear": dict(model_type="llama", **SIZES, **rope("linear", factor=4.0)),
    "llama-dynamic": dict(model_type="llama", **SIZES, **rope("dynamic", factor=2.0)),
    "llama-llama3": dict(
        model_type="llama", **SIZES, **rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=24)
    ),
    "llama-yarn": dict(model_type="llama", **SIZES, **rope("yarn", factor=4.0, original_max_position_embeddings=16)),
    "mistral": dict(model_type="mistral", **SIZES, head_dim=12, sliding_window=7),
    "qwen2": dict(model_type="qwen2", **SIZES, use_sliding_window=True, sliding_window=9, max_window_layers=2),
    "qwen3": dict(model_type="qwen3", **SIZES, head_dim=12, tie_word_embeddings=True),
    "gemma2": dict(
        model_type="gemma2", **SIZES, head_dim=12, query_pre_attn_scalar=20, sliding_window=6, attn_logit_softcapping=5.0, final_logit_softcapping=3.0
    ),
    "gemma3": dict(
        model_type="gemma3_text",
        **{**SIZES, "num_hidden_layers": 4},
        head_dim=12,
        query_pre_attn_scalar=20,
        sliding_window=6,
        layer_types=["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"],
        rope_parameters={
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        },
    ),
}


def fill(model):
    """Every weight by the formula of its own name; Gemma stores gains less 1."""
    less = 1 if model.config.model_type.startswith("gemma") else 0
    with torch.no_grad():
        for name, p in model.named_parameters():
            value = common.initial(name, tuple(p.shape))
            if p.ndim == 1 and not name.endswith(".bias"):
                value -= less
            p.copy_(value)


def greedy(model, ids):
    """NEW further tokens, without a cache."""
    ids = list(ids)
    for _ in range(NEW):
        ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[-NEW:]


def figures(settings):
    config = AutoConfig.for_model(**{**SPECIALS, **settings})
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    fill(model)
    lines = [f"# torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}; see README.md"]

    def put(name, values):
        numbers = [x.item() if torch.is_tensor(x) else x for x in values]
        lines.append(" ".join([name] + [str(x) if isinstance(x, int) else f"{x:.9g}" for x in numbers]))

    x = common.uniform(ROWS * (TOKENS + 1), common.fnv1a("tokens"), 1.0).double() + 0.5
    streams = (x * 96).long().clamp(max=95).reshape(ROWS, TOKENS + 1)
    for row in range(ROWS):
        put(f"tokens/{row}", streams[row])
    logits = model(streams[:, :-1]).logits
    for row, position in [(0, 0), (0, 1), (1, 17), (1, TOKENS - 1)]:
        put(f"logits/{row}/{position}", logits[row, position])
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, 96), streams[:, 1:].reshape(-1))
    loss.backward()
    put("loss", [loss])
    for name, p in model.named_parameters():
        put(f"grad/{name}", torch.cat([p.grad.double().norm().reshape(1), p.grad.flatten()[:6]]))
    with torch.no_grad():
        put("greedy", greedy(model, streams[0, :20].tolist()))
    raw = {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if k != "transformers_version"}
    return json.dumps(raw, indent=1, sort_keys=True) + "\n", "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead of writing them")
    args = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for name, settings in CASES.items():
        config, text = figures(settings)
        path = os.path.join(FOLDER, name)
        if args.check:
            with open(path + ".json") as f:
                assert f.read() == config, f"{path}.json: another configuration than this script writes"
            check(path + ".txt", text)
            continue
        for suffix, content in [(".json", config), (".txt", text)]:
            with open(path + suffix, "w") as f:
                f.write(content)


def check(path, text):
    with open(path) as f:
        want, got = common.read(f.read()), common.read(text)
    assert want.keys() == got.keys(), f"{path}: other rows than this script writes"
    for row, values in want.items():
        assert len(values) == len(got[row]), f"{path}: {row}: {len(got[row])} numbers, want {len(values)}"
        for g, w in zip(got[row], values):
            assert abs(g - w) <= 1e-4 * (1 + abs(w)), f"{path}: {row}: got {g}, want {w}"
    print(f"{os.path.basename(path)}: {len(want)} rows as torch computes them")


if __name__ == "__main__":
    main()
