# Writes files.txt beside itself: what torch saves, as hex, and the tensors in it; and
# refused.txt, what must not be opened. Needs torch==2.15.0. Run: python3 original.py
import collections
import io
import os
import pathlib
import pickle

import torch

assert torch.__version__.startswith("2.15.0")
here = pathlib.Path(__file__).parent


def saved(x, **options):
    out = io.BytesIO()
    torch.save(x, out, **options)
    return out.getvalue()


a = torch.arange(6, dtype=torch.float32).reshape(2, 3)
shared = torch.arange(12, dtype=torch.float32)
module = torch.nn.Linear(3, 2)
with torch.no_grad():
    module.weight.copy_(a)
    module.bias.copy_(torch.tensor([7.0, 8.0]))
files = {
    "types": {str(t).split(".")[1]: torch.tensor([[1, 0], [1, 1]], dtype=t)
              for t in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)},
    "views": {"whole": shared, "part": shared[4:8], "matrix": shared.reshape(3, 4), "columns": shared.reshape(3, 4)[:, 1:3], "turned": a.t(), "scalar": torch.tensor(3.5),
              "empty": torch.zeros(0, 4)},
    "module": module.state_dict(),
    "parameters": dict(module.named_parameters()),
    "checkpoint": {"epoch": 3, "loss": 0.5, "done": True, "name": "x", "none": None, "state_dict": collections.OrderedDict(w=a), "sizes": a.size()},
}
with open(here / "files.txt", "w") as f:
    for name, x in files.items():
        for protocol in (2, 4):
            print("file", f"{name}-{protocol}", saved(x, pickle_protocol=protocol).hex(), file=f)
        tensors = x["state_dict"] if name == "checkpoint" else x
        for key in sorted(tensors):
            t = tensors[key].detach()
            print("tensor", key, t.dtype, list(t.shape), t.contiguous().view(torch.uint8).numpy().tobytes().hex() if t.numel() and t.dim() else
                  t.reshape(-1).view(torch.uint8).numpy().tobytes().hex() if t.numel() else "", file=f)


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


with open(here / "refused.txt", "w") as f:
    for name, want, x in (
        ("runs a command", "posix.system", saved({"w": Evil()})),
        ("a class", "torch.nn.modules.linear.Linear", saved(module)),
        ("before 1.6", "before version 1.6", saved({"w": a}, _use_new_zipfile_serialization=False)),
        ("expanded", "must be saved as its clone", saved({"w": torch.zeros(1).expand(1000)})),
        ("a list", "no dict of tensors", saved([a])),
        ("two models", "several dicts", saved({"a": {"w": a}, "b": {"w": a}})),
        ("no tensors", "no tensors", saved({"a": 1})),
        ("complex", "torch.ComplexFloatStorage", saved({"w": torch.zeros(2, dtype=torch.complex64)})),
        ("eight bits", "torch._utils._rebuild_tensor_v3", saved({"w": torch.zeros(2, dtype=torch.float8_e4m3fn)})),
        ("no archive", "no zip archive", pickle.dumps({"a": 1})),
    ):
        print(f"{name}|{want}|{x.hex()}", file=f)
