"""A tiny GPT2LMHeadModel: model.name gpt2, vocab_size 96, d_model 48, n_layers 2, n_heads 4, max_seq_len 32,
activation gelu_tanh, layer_norm_eps 1e-5, init as README.md says.
"""

from transformers import GPT2Config, GPT2LMHeadModel

import torch_common as common


def build():
    config = GPT2Config(
        vocab_size=common.VOCAB,
        n_positions=common.TOKENS,
        n_embd=common.WIDTH,
        n_layer=common.LAYERS,
        n_head=common.HEADS,
        activation_function="gelu_new",
        layer_norm_epsilon=1e-5,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="sdpa",
    )
    return GPT2LMHeadModel(config)


def layout():
    parts = {
        "embed.weight": [("transformer.wte.weight", common.same)],
        "positions.weight": [("transformer.wpe.weight", common.same)],
        "norm.weight": [("transformer.ln_f.weight", common.same)],
        "norm.bias": [("transformer.ln_f.bias", common.same)],
    }
    linears = {"attn.qkv": "attn.c_attn", "attn.out": "attn.c_proj", "mlp.up": "mlp.c_fc", "mlp.down": "mlp.c_proj"}
    for i in range(common.LAYERS):
        ours, theirs = f"layers.{i}.", f"transformer.h.{i}."
        for a, b in {"norm1": "ln_1", "norm2": "ln_2", **linears}.items():
            turn = common.transposed if a in linears else common.same
            parts[f"{ours}{a}.weight"] = [(f"{theirs}{b}.weight", turn)]
            parts[f"{ours}{a}.bias"] = [(f"{theirs}{b}.bias", common.same)]
    return common.Layout(parts)


if __name__ == "__main__":
    common.main(build, layout())
