# Writes accepted.txt, refused.txt and written.txt beside itself: what the original
# implementation reads, refuses and writes. Needs safetensors==0.8.0, torch==2.x
# (only for element types), numpy. Run: python3 interop.py
import json
import pathlib
import struct

import safetensors
import torch
from safetensors.torch import save

assert safetensors.__version__ == "0.8.0", safetensors.__version__
here = pathlib.Path(__file__).parent


def raw(header, data=0, length=None):
    body = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(body) if length is None else length) + body + bytes(range(data))


def one(dtype="F32", shape="[1]", offsets="[0,4]", name="a", more=""):
    return '"%s":{"dtype":"%s","shape":%s,"data_offsets":%s%s}' % (name, dtype, shape, offsets, more)


cases = {
    "empty file": b"",
    "seven bytes": b"\0" * 7,
    "no header": raw(""),
    "no tensors": raw("{}"),
    "data without tensors": raw("{}", 1),
    "one": raw("{" + one() + "}", 4),
    "scalar": raw("{" + one(shape="[]") + "}", 4),
    "unaligned header": raw("{" + one() + "} ", 4),
    "space before": raw(" {" + one() + "}", 4),
    "tab and line feed after": raw("{" + one() + "}\n\t", 4),
    "zero byte after": raw("{" + one() + "}\0", 4),
    "unknown field": raw("{" + one(more=',"x":[{"y":null}]') + "}", 4),
    "field twice": raw("{" + one(more=',"dtype":"F32"') + "}", 4),
    "no shape": raw('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4),
    "no dtype": raw('{"a":{"shape":[1],"data_offsets":[0,4]}}', 4),
    "no offsets": raw('{"a":{"dtype":"F32","shape":[1]}}', 4),
    "not an object": raw("[]"),
    "tensor is null": raw('{"a":null}'),
    "float dimension": raw("{" + one(shape="[1.0]") + "}", 4),
    "negative dimension": raw("{" + one(shape="[-1]") + "}", 4),
    "string dimension": raw("{" + one(shape='["1"]') + "}", 4),
    "unknown dtype": raw("{" + one(dtype="F31") + "}", 4),
    "lower case dtype": raw("{" + one(dtype="f32") + "}", 4),
    "one offset": raw("{" + one(offsets="[0]") + "}", 4),
    "three offsets": raw("{" + one(offsets="[0,4,8]") + "}", 4),
    "backward offsets": raw("{" + one(offsets="[4,0]") + "}", 4),
    "data too short": raw("{" + one() + "}", 3),
    "data too long": raw("{" + one() + "}", 5),
    "hole at the start": raw("{" + one(offsets="[4,8]") + "}", 8),
    "hole between": raw("{" + one() + "," + one(name="b", offsets="[8,12]") + "}", 12),
    "overlap": raw("{" + one(shape="[2]", offsets="[0,8]") + "," + one(name="b", offsets="[4,8]") + "}", 8),
    "same place": raw("{" + one() + "," + one(name="b") + "}", 4),
    "backward order": raw("{" + one(name="b", offsets="[4,8]") + "," + one() + "}", 8),
    "name twice": raw("{" + one() + "," + one(offsets="[4,8]") + "}", 8),
    "size mismatch": raw("{" + one(shape="[2]") + "}", 4),
    "empty tensor": raw("{" + one(shape="[0,3]", offsets="[0,0]") + "}"),
    "empty tensors": raw("{" + one(shape="[0]", offsets="[0,0]") + "," + one(name="b") + "," + one(name="c", shape="[0]", offsets="[4,4]") + "}", 4),
    "product overflows": raw("{" + one(shape="[4294967296,4294967296]") + "}", 4),
    "product overflows to the size": raw("{" + one(shape="[9223372036854775809,4]", dtype="U8") + "}", 4),
    "bits overflow": raw("{" + one(shape="[4611686018427387905]") + "}", 4),
    "half a byte": raw("{" + one(dtype="F4", shape="[3]", offsets="[0,1]") + "}", 1),
    "four bits": raw("{" + one(dtype="F4", shape="[4]", offsets="[0,2]") + "}", 2),
    "six bits": raw("{" + one(dtype="F6_E2M3", shape="[4]", offsets="[0,3]") + "}", 3),
    "metadata": raw('{"__metadata__":{"x":"1","\\u00e9":"\\n"},' + one() + "}", 4),
    "metadata at the end": raw("{" + one() + ',"__metadata__":{}}', 4),
    "metadata null": raw('{"__metadata__":null}'),
    "metadata number": raw('{"__metadata__":{"x":1}}'),
    "metadata list": raw('{"__metadata__":[]}'),
    "metadata twice": raw('{"__metadata__":{},"__metadata__":{}}'),
    "escaped name": raw('{"\\u0061\\ud83d\\ude00":{"\\u0064type":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
    "invalid UTF-8": raw(b'{"\xff":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
    "lone surrogate": raw('{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
    "control character": raw('{"\n":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
    "trailing comma": raw("{" + one() + ",}", 4),
    "two objects": raw("{}{}"),
    "length too large": raw("{}", length=3),
    "length over the limit": raw("{}", length=100_000_001),
    "length negative": raw("{}", length=2**64 - 1),
    "truncated header": raw("{" + one(), 4),
}
for dtype, size in [("BOOL", 1), ("F4", 0.5), ("F6_E2M3", 0.75), ("F6_E3M2", 0.75), ("U8", 1), ("I8", 1), ("F8_E5M2", 1), ("F8_E4M3", 1), ("F8_E8M0", 1), ("F8_E4M3FNUZ", 1),
                    ("F8_E5M2FNUZ", 1), ("I16", 2), ("U16", 2), ("F16", 2), ("BF16", 2), ("I32", 4), ("U32", 4), ("F32", 4), ("C64", 8), ("F64", 8), ("I64", 8), ("U64", 8)]:
    n = int(4 * size)
    cases["type " + dtype] = raw("{" + one(dtype=dtype, shape="[2,2]", offsets="[0,%d]" % n) + "}", n)

accepted, refused = [], []
for name, data in cases.items():
    try:
        safetensors.deserialize(data)
        accepted.append((name, data))
    except safetensors.SafetensorError:
        refused.append((name, data))

names = ["bool", "float4_e2m1fn_x2", "uint8", "int8", "float8_e5m2", "float8_e4m3fn", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz", "int16", "uint16", "float16",
         "bfloat16", "int32", "uint32", "float32", "complex64", "float64", "int64", "uint64"]
types = {n: torch.tensor([0, 1] * 8, dtype=torch.bool) if n == "bool" else torch.arange(16, dtype=torch.uint8).view(getattr(torch, n)) for n in names}
small = {"b": torch.tensor([[1.5, -2, 3], [4, 5, 6]]), "a": torch.tensor([0.25, 1], dtype=torch.float16), "c": torch.tensor(7.0), "B": torch.zeros(0, 4)}
written = [
    ("nothing", save({})),
    ("small", save(small, metadata={"format": "pt"})),
    ("every type", save(types)),
    ("names", save({n: torch.tensor([i]) for i, n in enumerate(["x.10", "x.2", "X", "\u00e9\U0001f600", 'q"\\/', "\t\x01\x7f", ""])}, metadata={"k\n": "v\u2028"})),
]
for file, rows in [("accepted.txt", accepted), ("refused.txt", refused), ("written.txt", written)]:
    (here / file).write_text("".join("%s: %s\n" % (name, data.hex()) for name, data in rows))
