"""Matrix products in torch: GFLOP/s by shape, form and dtype, as one JSON object.

C is M x N, the chain is K long. nn: A[M,K] B[K,N]; nt: A[M,K] B[N,K]^T; tn: A[K,M]^T B[K,N].
"""

import argparse
import json
import statistics
import time

import torch

SHAPES = "1024x768x768,1024x3072x768,1024x768x3072,2048x2048x2048,1024x50304x768,256x768x768"


def product(form, m, n, k, dtype):
    a = torch.randn(k, m) if form == "tn" else torch.randn(m, k)
    b = torch.randn(n, k) if form == "nt" else torch.randn(k, n)
    a, b, c = a.to(dtype), b.to(dtype), torch.empty(m, n, dtype=dtype)
    if form == "tn":
        a = a.t()
    if form == "nt":
        b = b.t()
    return lambda: torch.matmul(a, b, out=c)


def measure(form, m, n, k, dtype, repeat, seconds):
    """Seconds of each run after a warm-up: repeat of them, fewer where they take too long, at least 3."""
    run = product(form, m, n, k, dtype)
    run()
    times, started = [], time.perf_counter()
    while len(times) < repeat and (len(times) < 3 or time.perf_counter() - started < seconds):
        t = time.perf_counter()
        run()
        times.append(time.perf_counter() - t)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", default=SHAPES, help="MxNxK, separated by commas")
    parser.add_argument("--forms", default="nn,nt,tn")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=20, help="at most about this long for one product")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    results = []
    for shape in args.shapes.split(","):
        m, n, k = map(int, shape.split("x"))
        for form in args.forms.split(","):
            for dtype in args.dtypes.split(","):
                times = measure(form, m, n, k, getattr(torch, dtype), args.repeat, args.seconds)
                flops = 2 * m * n * k / 1e9
                figures = {"gflops": flops / statistics.median(times), "best": flops / min(times), "runs": len(times)}
                results.append({"m": m, "n": n, "k": k, "dtype": dtype, "trans": form} | figures)
    print(json.dumps({"torch": torch.__version__, "threads": args.threads, "results": results}))


if __name__ == "__main__":
    main()
