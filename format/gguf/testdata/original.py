# Writes what the Python package gguf makes of blocks, numbers and files, beside itself:
#
#   blocks.txt   type, a block, the float32 numbers it stands for (hex, little-endian)
#   numbers.txt  type, float32 numbers, the bytes they are quantised to
#   hashes.txt   the same for many blocks: type, direction, count, SHA-256 of the output
#   files.txt    name: a whole file, hex; the parts of a split one carry its own names
#   values.txt   what the package reads in those files
#
# Needs gguf==0.19.0 and numpy. Run: python3 original.py [folder]
import hashlib
import importlib.metadata
import pathlib
import struct
import sys
import tempfile

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T

assert importlib.metadata.version("gguf") == "0.19.0"
here = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__)
here = here if here.is_dir() else here.parent

READ = [T.F32, T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K, T.IQ4_NL]
WRITE = [T.F32, T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_1]
# Where a block has float16 numbers.
HALVES = {T.F16: [0], T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q2_K: [80, 82], T.Q3_K: [108],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0]}


def random_bytes(n, seed):
    """The upper bytes of a 64-bit linear congruential generator's states."""
    a, c, x, out = 6364136223846793005, 1442695040888963407, seed, bytearray()
    for _ in range(n):
        x = (x * a + c) % 2**64
        out.append(x >> 56)
    return np.frombuffer(bytes(out), dtype=np.uint8).copy()


def blocks(t, count, seed):
    """Random blocks whose float16 and float32 numbers are finite."""
    size = GGML_QUANT_SIZES[t][1]
    data = random_bytes(count * size, seed).reshape(count, size)
    for at in HALVES.get(t, []):
        data[:, at + 1] = np.where(data[:, at + 1] & 0x7C == 0x7C, data[:, at + 1] & 0xBF, data[:, at + 1])
    if t in (T.F32, T.BF16):
        data[:, -1] &= 0xBF
    return data


def numbers(count, seed):
    """Random numbers: blocks of 32 of different sizes, some with ties, some zero."""
    raw = random_bytes(2 * count, seed).view(np.int16).astype(np.float32) / np.float32(32768)
    raw = raw.reshape(-1, 32)
    rows = np.arange(raw.shape[0])
    scale = np.ldexp(np.float32(1), rows % 24 - 16).astype(np.float32)
    out = raw * scale[:, None]
    out[rows % 7 == 3] = np.round(out[rows % 7 == 3] * 4) / 4
    out[rows % 11 == 5] = 0
    return out.astype(np.float32) + np.float32(0)  # no -0: numpy's min of both zeros is either


def hexes(a):
    return a.tobytes().hex()


with open(here / "blocks.txt", "w") as f:
    for t in READ:
        for row in blocks(t, 32 if GGML_QUANT_SIZES[t][0] == 1 else 4 if GGML_QUANT_SIZES[t][0] == 32 else 2, 1):
            print(t.name, hexes(row), hexes(gguf.quants.dequantize(row.reshape(1, -1), t)), file=f)

with open(here / "numbers.txt", "w") as f:
    for t in WRITE:
        for row in numbers(32 * 6, 2):
            print(t.name, hexes(row), hexes(gguf.quants.quantize(row.reshape(1, -1), t)), file=f)

with open(here / "hashes.txt", "w") as f:
    for t in READ:
        out = gguf.quants.dequantize(blocks(t, 512, 3), t)
        print(t.name, "dequantize", 512, hashlib.sha256(out.tobytes()).hexdigest(), file=f)
    for t in WRITE:
        out = gguf.quants.quantize(numbers(32 * 512, 4), t)
        print(t.name, "quantize", 512, hashlib.sha256(out.tobytes()).hexdigest(), file=f)


def every_kind(path):
    w = gguf.GGUFWriter(path, "llama")
    w.add_uint8("a.uint8", 200)
    w.add_int8("a.int8", -100)
    w.add_uint16("a.uint16", 60000)
    w.add_int16("a.int16", -30000)
    w.add_uint32("a.uint32", 4000000000)
    w.add_int32("a.int32", -2000000000)
    w.add_uint64("a.uint64", 2**64 - 1)
    w.add_int64("a.int64", -(2**63))
    w.add_float32("a.float32", 0.1)
    w.add_float64("a.float64", 0.1)
    w.add_bool("a.bool", True)
    w.add_string("a.string", "gr\u00fc\u00df\u0000e")
    w.add_array("a.strings", ["", "x", "\u2581y"])
    w.add_array("a.int32s", [1, -2, 3])
    w.add_array("a.float32s", [0.5, -1.5])
    w.add_array("a.bools", [True, False])
    w.add_array("a.bytes", b"\x00\xff")
    w.add_tensor("one", np.float32([1.5]))
    w.add_tensor("two.weight", np.arange(6, dtype=np.float32).reshape(2, 3))
    w.add_tensor("half", np.arange(4, dtype=np.float16).reshape(2, 2))
    w.add_tensor("q8", gguf.quants.quantize(np.arange(64, dtype=np.float32).reshape(2, 32), T.Q8_0), raw_dtype=T.Q8_0)
    w.add_tensor("deep", np.arange(24, dtype=np.float32).reshape(2, 3, 4))
    return w


def aligned(path):
    w = gguf.GGUFWriter(path, "gpt2")
    w.add_custom_alignment(64)
    w.add_tensor("a", np.float32([1, 2, 3]))
    w.add_tensor("b", np.float32([4]))
    return w


def split(path):
    w = gguf.GGUFWriter(path, "llama", split_max_tensors=2)
    for i in range(5):
        w.add_tensor(f"t{i}", np.full((2, 2), i, dtype=np.float32))
    return w


def split_header(path):
    w = gguf.GGUFWriter(path, "llama", split_max_tensors=1, small_first_shard=True)
    for i in range(2):
        w.add_tensor(f"t{i}", np.full((2, 2), i, dtype=np.float32))
    return w


def empty(path):
    return gguf.GGUFWriter(path, "llama")


def describe(f, path):
    r = gguf.GGUFReader(path)
    for field in r.fields.values():
        if not field.name.startswith("GGUF."):
            kinds = [t.name.lower() for t in field.types]
            value = field.contents()
            value = value if isinstance(value, list) else [value]
            texts = [v.encode().hex() if isinstance(v, str) else str(int(v)) if isinstance(v, (bool, int)) else struct.pack("<d", v).hex() for v in value]
            print("  meta", field.name, " of ".join(kinds), " ".join(texts), file=f)
    for t in r.tensors:
        print("  tensor", t.name, t.tensor_type.name, [int(d) for d in reversed(t.shape)], hexes(gguf.quants.dequantize(t.data, t.tensor_type)), file=f)


with tempfile.TemporaryDirectory() as d, open(here / "files.txt", "w") as files, open(here / "values.txt", "w") as values:
    for make in (every_kind, aligned, split, split_header, empty):
        w = make(pathlib.Path(d) / (make.__name__ + ".gguf"))
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()
    for path in sorted(pathlib.Path(d).iterdir()):
        print(path.name + ":", path.read_bytes().hex(), file=files)
        print(path.name, file=values)
        describe(values, path)
