# Reads GGUF files with the Python package gguf. Standard input: a JSON list of paths; standard
# output: for each a list of {name, type, shape (outermost first), sha256 of the float32 numbers}.
import hashlib
import json
import sys

import gguf
import numpy as np

out = []
for path in json.load(sys.stdin):
    out.append([
        {
            "name": t.name,
            "type": t.tensor_type.name,
            "shape": [int(d) for d in reversed(t.shape)],
            "sha256": hashlib.sha256(np.ascontiguousarray(gguf.quants.dequantize(t.data, t.tensor_type), dtype=np.float32).tobytes()).hexdigest(),
        }
        for t in gguf.GGUFReader(path).tensors
    ])
json.dump(out, sys.stdout)
