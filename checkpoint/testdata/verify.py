# Verifies a checkpoint folder without codexml: reads its tensors with the original
# safetensors package and recomputes every digest. Needs safetensors==0.8.0, numpy.
# Run: python3 verify.py FOLDER; without an argument it unpacks store.golden.
import hashlib
import json
import pathlib
import sys
import tempfile

from safetensors import safe_open

if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1])
else:
    root = pathlib.Path(tempfile.mkdtemp())
    for part in (pathlib.Path(__file__).parent / "store.golden").read_text().split("-- ")[1:]:
        name, text = part.split(" --\n", 1)
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes.fromhex(text.strip()) if name.endswith(".safetensors") else text.encode())
    folder = root / "step-12"

meta = json.loads((folder / "meta.json").read_text())
canonical = lambda v: json.dumps(v, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
digest = lambda b: hashlib.sha256(b).hexdigest()

assert digest(canonical({k: v for k, v in meta.items() if k != "digest"})) == meta["digest"], "digest"
if "config_snapshot" in meta:
    assert digest(canonical(meta["config_snapshot"])) == meta["config_hash"], "config_hash"
for record in meta["files"]:
    data = (folder / record["file"]).read_bytes()
    assert len(data) == record["bytes"] and digest(data) == record["sha256"], record["file"]
    with safe_open(folder / record["file"], "np") as f:
        assert f.metadata() == {"format": "pt"}
        assert sorted(f.keys()) == [t["name"] for t in record["tensors"]], record["file"]
        for t in record["tensors"]:
            value = f.get_tensor(t["name"])
            assert list(value.shape) == t["shape"] and digest(value.astype("<f4").tobytes()) == t["sha256"], t["name"]
print("equal:", meta["digest"])
