"""What transformers makes of folders with models: a list of {"folder", "tokens": [[...]]} in, a list of {"class", "missing",
"unexpected", "logits": [row][position][vocabulary]} out, both JSON.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM


def answer(query):
    model, report = AutoModelForCausalLM.from_pretrained(query["folder"], output_loading_info=True, local_files_only=True)
    with torch.no_grad():
        logits = model.eval()(torch.tensor(query["tokens"])).logits
    return {
        "class": type(model).__name__,
        "missing": sorted(report["missing_keys"]),
        "unexpected": sorted(report["unexpected_keys"]),
        "logits": logits.float().tolist(),
    }


def main():
    torch.set_num_threads(1)
    print(json.dumps([answer(query) for query in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
