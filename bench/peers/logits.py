"""What transformers makes of a folder with a model: {"folder", "tokens": [[...]]} in, {"class", "missing", "unexpected",
"logits": [row][position][vocabulary]} out, both JSON.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM


def main():
    query = json.load(sys.stdin)
    torch.set_num_threads(1)
    model, report = AutoModelForCausalLM.from_pretrained(query["folder"], output_loading_info=True, local_files_only=True)
    with torch.no_grad():
        logits = model.eval()(torch.tensor(query["tokens"])).logits
    answer = {
        "class": type(model).__name__,
        "missing": sorted(report["missing_keys"]),
        "unexpected": sorted(report["unexpected_keys"]),
        "logits": logits.float().tolist(),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
