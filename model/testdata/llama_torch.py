"""A tiny LlamaForCausalLM: model.name decoder, vocab_size 96, d_model 48, n_layers 2, n_heads 4, n_kv_heads 2, ffn_mult 2.5,
max_seq_len 32, rotary_theta 10000, tie_embeddings true, bias false, norm rmsnorm, norm_gain true, layer_norm_eps 1e-5,
activation swiglu, qk_norm false, embed_norm false, logit_softcap 0.
"""

from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaRMSNorm

import torch_common as common

common.exact_norms(LlamaRMSNorm)


def build():
    config = LlamaConfig(
        vocab_size=common.VOCAB,
        hidden_size=common.WIDTH,
        intermediate_size=120,
        num_hidden_layers=common.LAYERS,
        num_attention_heads=common.HEADS,
        num_key_value_heads=2,
        hidden_act="silu",
        max_position_embeddings=common.TOKENS,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config)


def layout():
    parts = {
        "embed.weight": [("model.embed_tokens.weight", common.same)],
        "norm.weight": [("model.norm.weight", common.same)],
    }
    for i in range(common.LAYERS):
        ours, theirs = f"layers.{i}.", f"model.layers.{i}."
        stacks = {
            "norm1": ["input_layernorm"],
            "norm2": ["post_attention_layernorm"],
            "attn.qkv": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
            "attn.out": ["self_attn.o_proj"],
            "mlp.up": ["mlp.gate_proj", "mlp.up_proj"],
            "mlp.down": ["mlp.down_proj"],
        }
        for a, b in stacks.items():
            parts[f"{ours}{a}.weight"] = [(f"{theirs}{x}.weight", common.same) for x in b]
    return common.Layout(parts)


if __name__ == "__main__":
    common.main(build, layout())
