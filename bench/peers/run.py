"""Pairs codexml with torch in one run: bench/peers/python bench/peers/run.py gemm|step [options].

Both sides take turns, so that a machine that changes its speed changes it for both. Prints the ratios of the medians
and writes bench/results/<date>-<topic>-<tier>.json with what made the figures.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

GEMMS = ["1024x768x768", "1024x3072x768", "1024x768x3072", "2048x2048x2048", "1024x50304x768", "256x768x768"]
STEPS = [(2, 512, "float32"), (2, 512, "bfloat16"), (4, 64, "float32"), (4, 64, "bfloat16")]


def output(*command):
    return subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout


def last_json(*command):
    """The JSON object that a command leaves last on standard output."""
    text = output(*command)
    return json.JSONDecoder().raw_decode(text[text.rindex("\n{") + 1 if "\n{" in text else text.index("{") :])[0]


def torch_side(script, *args):
    return last_json(sys.executable, os.path.join(HERE, script), *map(str, args))


def gemm_cases(args):
    for shape in args.shapes.split(","):
        for form in args.forms.split(","):
            for dtype in args.dtypes.split(","):
                yield {"m_n_k": shape, "trans": form, "dtype": dtype}


def gemm_ours(codexml, case, args):
    m, n, k = case["m_n_k"].split("x")
    command = ["bench", "gemm", "--m", m, "--n", n, "--k", k, "--trans", case["trans"], "--dtype", case["dtype"]]
    report = last_json(codexml, *command, "--threads", str(args.threads), "--json")
    (result,) = report["results"]
    return {"value": result["gflops"], "peak": report["peak_gflops"]}


def gemm_theirs(case, args):
    command = ["--shapes", case["m_n_k"], "--forms", case["trans"], "--dtypes", case["dtype"]]
    report = torch_side("gemm.py", *command, "--threads", args.threads, "--seconds", args.seconds)
    (result,) = report["results"]
    return {"value": result["gflops"], "best": result["best"]}


def step_cases(args):
    for batch, seq, dtype in STEPS:
        if dtype in args.dtypes.split(","):
            yield {"model": "gpt2-124m", "batch": batch, "seq": seq, "dtype": dtype}


def step_ours(codexml, case, args):
    command = ["bench", "step"]
    for key, value in case.items():
        command += [f"--{key}", str(value)]
    report = last_json(codexml, *command, "--threads", str(args.threads), "--json")
    return {"value": report["tokens_per_s"]} | {k: report[k] for k in ("step_s", "mfu", "peak_rss_bytes", "allocs_per_step")}


def step_theirs(case, args):
    options = ["--batch", case["batch"], "--seq", case["seq"], "--dtype", case["dtype"], "--threads", args.threads]
    report = torch_side("step_gpt2.py", "--model", args.torch_model, "--steps", args.steps, *options)
    return {"value": report["tokens_per_s"]} | {k: report[k] for k in ("step_s", "peak_rss_bytes", "model")}


TOPICS = {
    "gemm": (gemm_cases, gemm_ours, gemm_theirs, "GFLOP/s"),
    "step": (step_cases, step_ours, step_theirs, "tokens/s"),
}


def compare(case, ours, theirs, rounds):
    """Rounds in turn; which side begins changes too."""
    runs = {"codexml": [], "torch": []}
    for i in range(rounds):
        sides = [("codexml", ours), ("torch", theirs)]
        for name, run in sides if i % 2 == 0 else reversed(sides):
            runs[name].append(run())
    medians = {name: statistics.median(r["value"] for r in all) for name, all in runs.items()}
    return {"case": case, "ratio": medians["codexml"] / medians["torch"], "median": medians, "runs": runs}


def machine(codexml):
    """What made the figures."""
    import torch
    import transformers

    doctor = last_json(codexml, "doctor", "--json")
    return {
        "commit": output("git", "rev-parse", "HEAD").strip(),
        "dirty": bool(output("git", "status", "--porcelain").strip()),
        "cpu": doctor["cpu"]["model"],
        "cores": doctor["cpu"]["usable"],
        "tier": doctor["cpu"]["tier"],
        "versions": {
            "go": output("go", "env", "GOVERSION").strip(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topic", choices=TOPICS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--shapes", default=",".join(GEMMS), help="gemm: MxNxK, separated by commas")
    parser.add_argument("--forms", default="nn,nt,tn", help="gemm")
    parser.add_argument("--seconds", type=float, default=10, help="gemm: torch's time for one product in one round")
    parser.add_argument("--steps", type=int, default=5, help="step: torch's timed steps in one round")
    parser.add_argument("--torch-model", choices=["plain", "transformers"], default="plain", help="step")
    parser.add_argument("--codexml", help="the program to measure; built from this tree if not given")
    parser.add_argument("--no-save", action="store_true", help="print only")
    return parser.parse_args()


def main():
    args = parse()
    cases, ours, theirs, unit = TOPICS[args.topic]
    with tempfile.TemporaryDirectory() as folder:
        codexml = args.codexml or os.path.join(folder, "codexml")
        if not args.codexml:
            output("go", "build", "-o", codexml, "./cmd/codexml")
        report = {"topic": args.topic, "date": datetime.date.today().isoformat(), "unit": unit, "threads": args.threads}
        report |= machine(codexml) | {"rows": []}
        print(f"{report['cpu']}, tier {report['tier']}, {args.threads} threads, {unit}")
        for case in cases(args):
            row = compare(case, lambda: ours(codexml, case, args), lambda: theirs(case, args), args.rounds)
            report["rows"].append(row)
            name = " ".join(map(str, case.values()))
            medians = row["median"]
            print(f"{name:40} codexml {medians['codexml']:8.1f}  torch {medians['torch']:8.1f}  ratio {row['ratio']:.2f}", flush=True)
    if not args.no_save:
        path = os.path.join(ROOT, "bench", "results", f"{report['date']}-{args.topic}-{report['tier']}.json")
        with open(path, "w") as f:
            json.dump(report, f, indent=1)
            f.write("\n")
        print("wrote", os.path.relpath(path, ROOT))


if __name__ == "__main__":
    main()
