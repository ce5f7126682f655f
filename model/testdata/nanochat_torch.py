"""A tiny NanoChatForCausalLM: model.name decoder, vocab_size 96, d_model 48, n_layers 2, n_heads 4, n_kv_heads 2, ffn_mult 4,
max_seq_len 32, rotary_theta 10000, tie_embeddings false, bias false, norm rmsnorm, norm_gain false, layer_norm_eps 1e-6,
activation relu2, qk_norm true, embed_norm true, logit_softcap 15. It rotates the other way: its query and key weights
have the second half of each head negated.
"""

from transformers import NanoChatConfig, NanoChatForCausalLM
from transformers.models.nanochat.modeling_nanochat import NanoChatRMSNorm

import torch_common as common

common.exact_norms(NanoChatRMSNorm)


def build():
    config = NanoChatConfig(
        vocab_size=common.VOCAB,
        hidden_size=common.WIDTH,
        intermediate_size=4 * common.WIDTH,
        num_hidden_layers=common.LAYERS,
        num_attention_heads=common.HEADS,
        num_key_value_heads=2,
        hidden_act="relu2",
        max_position_embeddings=common.TOKENS,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        final_logit_softcapping=15.0,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
        attn_implementation="sdpa",
    )
    return NanoChatForCausalLM(config)


def layout():
    parts = {
        "embed.weight": [("model.embed_tokens.weight", common.same)],
        "head.weight": [("lm_head.weight", common.same)],
    }
    turned = common.turned(common.WIDTH // common.HEADS)
    for i in range(common.LAYERS):
        ours, theirs = f"layers.{i}.", f"model.layers.{i}."
        parts[ours + "attn.qkv.weight"] = [
            (theirs + "self_attn.q_proj.weight", turned),
            (theirs + "self_attn.k_proj.weight", turned),
            (theirs + "self_attn.v_proj.weight", common.same),
        ]
        for a, b in {"attn.out": "self_attn.o_proj", "mlp.up": "mlp.fc1", "mlp.down": "mlp.fc2"}.items():
            parts[f"{ours}{a}.weight"] = [(f"{theirs}{b}.weight", common.same)]
    return common.Layout(parts)


if __name__ == "__main__":
    common.main(build, layout())
