#!/usr/bin/env python3
"""The same loss workload through Anlan and its peers, interleaved in one run: CPU seconds, wall, memory, agreement.

    python benches/peer/loss/compare.py WORKLOAD [--anlan target/release/anlan] [--samples 10,100] [--repeat 3]

WORKLOAD is a folder with ``npy/`` arrays (exposure, footprints, damage matrices, exact moments of every event), ``oasis/``
(the same for Oasis LMF) and ``expected.json``. Needs numpy and the ``anlan`` package; peers run where their package is
installed: ``pip install oasislmf`` (gulmc, evepy), ``pip install climada`` (ImpactCalc). Every program is a process of its
own; CPU seconds are those of all its children, start-up and reading of its inputs included.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np


def run(command, folder, **more):
    """CPU seconds, wall seconds and peak memory (MB, of the largest process) of a shell command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    probe = (
        "import resource,subprocess,sys;"
        "code=subprocess.run(sys.argv[1],shell=True,executable='/bin/bash').returncode;"
        "print('PEAK',resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,file=sys.stderr);sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, "set -o pipefail; " + command], cwd=folder, capture_output=True, text=True, **more
    )
    if done.returncode != 0:
        sys.exit(f"failed: {command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = int(done.stderr.rsplit("PEAK ", 1)[1].split()[0]) / 1024
    return cpu, wall, peak


def portfolio(load, folder, samples, rounds, sampled=True):
    """Portfolio files of the workload; the events are written once."""
    w = {k: np.load(os.path.join(load, "npy", k + ".npy")) for k in ("value", "vid", "mids", "lo", "hi", "prob")}
    events = os.path.join(folder, "w.events")
    if not os.path.exists(events):
        import anlan

        more = {k: np.load(os.path.join(load, "npy", k + ".npy")) for k in ("indptr", "pts", "bins", "rate")}
        anlan.write_events(
            events,
            {"depth_m": w["mids"][more["bins"]]},
            np.arange(len(more["rate"])),
            more["rate"],
            more["indptr"],
            more["pts"],
        )
        anlan.write_parquet(
            os.path.join(folder, "exposure.parquet"),
            {
                "item": np.arange(len(w["value"]), dtype=np.uint32),
                "place": np.arange(len(w["value"]), dtype=np.uint32),
                "class": [str(v) for v in w["vid"]],
                "value": w["value"].astype(np.float64),
                "unit": ["all"] * len(w["value"]),
            },
        )
        # Bins of intensity about their mids, in equal steps.
        step = float(w["mids"][1]) - float(w["mids"][0])
        edges = [round(i * step, 9) for i in range(len(w["mids"]) + 1)]
        bins = [[float(a), float(b)] for a, b in zip(w["lo"], w["hi"])]
        with open(os.path.join(folder, "v.toml"), "w") as f:
            for v, table in enumerate(w["prob"].astype(np.float64)):
                f.write(f'[[matrix]]\ncode = "{v}"\nmeasure = "depth_m"\nedges = {edges}\nbins = {bins}\n')
                f.write(f"probability = {table.tolist()}\n")
        np.savetxt(
            os.path.join(folder, "occurrence.csv"),
            np.column_stack([np.load(os.path.join(load, "npy", k + ".npy")) for k in ("occ_event", "occ_period")]),
            fmt="%d",
            delimiter=",",
            header="event,year",
            comments="",
        )
    name = f"p-{samples}-{rounds}-{sampled}.toml"
    with open(os.path.join(folder, name), "w") as f:
        f.write(
            f'name = "workload"\nevents = "w.events"\nexposure = "exposure.parquet"\nvulnerability = "v.toml"\n'
            f'occurrences = "occurrence.csv"\nyears = 10000\n'
            f"[sampling]\nsamples = {samples}\nstop = {{ rounds = {rounds} }}\n"
            f"[uncertainty.damage]\nsampled = {str(sampled).lower()}\n[report]\nunits = false\nclasses = false\n"
        )
        for v in range(len(w["prob"])):
            f.write(f'[[classes]]\ncode = "{v}"\nvulnerability = "{v}"\ncurrency = "USD"\nprice_year = 2020\n')
    return name


def told(name, runs, pairs, samples=None):
    cpu, wall, peak = (statistics.median(x) for x in zip(*runs))
    rate = f"{pairs / cpu / 1e6:8.2f} M pairs/CPU-s"
    if samples:
        rate += f" {pairs * samples / cpu / 1e6:8.1f} M samples/CPU-s"
    print(f"{name:32} CPU {cpu:8.2f} s  wall {wall:8.2f} s  {peak:6.0f} MB  {rate}", flush=True)
    return cpu, wall, peak


CLIMADA = """
import json, sys, time, numpy as np, scipy.sparse as sp, geopandas as gpd, pandas as pd
from climada.engine import ImpactCalc
from climada.entity import Exposures, ImpactFunc, ImpactFuncSet
from climada.hazard import Hazard, Centroids
d = sys.argv[1] + "/npy/"
w = {k: np.load(d + k + ".npy") for k in "xy value vid mids indptr pts bins mdr rate".split()}
n, e = len(w["value"]), len(w["rate"])
funcs = ImpactFuncSet([ImpactFunc("X", v + 1, np.concatenate([[0], w["mids"], [99]]),
    np.concatenate([[0], m, [m[-1]]]), np.ones(len(m) + 2)) for v, m in enumerate(w["mdr"])])
inten = sp.csr_matrix((w["mids"][w["bins"]].astype(float), w["pts"].astype(np.int32), w["indptr"]), (e, n))
haz = Hazard("X", intensity=inten, event_id=np.arange(1, e + 1), frequency=w["rate"], date=np.ones(e, int),
    event_name=[str(i) for i in range(e)], centroids=Centroids(lat=w["xy"][:, 1], lon=w["xy"][:, 0]))
exp = Exposures(gpd.GeoDataFrame(dict(value=w["value"].astype(float), impf_X=w["vid"] + 1, centr_X=np.arange(n)),
    geometry=gpd.points_from_xy(w["xy"][:, 0], w["xy"][:, 1]), crs=4326))
best = []
for _ in range(3):
    t = time.process_time()
    imp = ImpactCalc(exp, funcs, haz).impact(save_mat=False, assign_centroids=False)
    best.append(time.process_time() - t)
print(json.dumps(dict(aal=imp.aai_agg, cpu=sorted(best)[1])))
"""


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("workload")
    p.add_argument("--anlan", default="target/release/anlan")
    p.add_argument("--samples", default="10,100")
    p.add_argument("--repeat", type=int, default=3)
    a = p.parse_args()
    load, anlan = os.path.abspath(a.workload), os.path.abspath(a.anlan)
    expected = json.load(open(os.path.join(load, "expected.json")))
    pairs = expected["pairs"]
    mean = np.load(os.path.join(load, "npy", "elt_mean.npy"))
    sd = np.load(os.path.join(load, "npy", "elt_std.npy"))
    import anlan as package

    with tempfile.TemporaryDirectory() as folder:
        # Means, without sampling.
        name = portfolio(load, folder, 2, 1, sampled=False)
        command = f"{anlan} --quiet loss {name} --out out"
        ours = [run(command, folder) for _ in range(a.repeat)]
        table = package.read_parquet(os.path.join(folder, "out/loss/events.parquet"))
        found, spread = np.zeros(len(mean)), np.zeros(len(mean))
        np.add.at(found, table["event"].astype(int), table["mean"])
        np.add.at(spread, table["event"].astype(int), table["sd_independent"] ** 2)
        told("anlan, means (whole process)", ours, pairs)
        print(f"    event means off by {np.max(np.abs(found / mean - 1)):.1e}, deviations by "
              f"{np.max(np.abs(np.sqrt(spread) / sd - 1)):.1e} of themselves at most")
        try:
            done = subprocess.run([sys.executable, "-c", CLIMADA, load], capture_output=True, text=True, check=True)
            theirs = json.loads(done.stdout.strip().splitlines()[-1])
            print(f"climada ImpactCalc (impact alone)  CPU {theirs['cpu']:8.2f} s  {pairs / theirs['cpu'] / 1e6:8.2f} M pairs/CPU-s"
                  f"  AAL off by {abs(theirs['aal'] / expected['aal_mean'] - 1):.1e}")
        except (subprocess.CalledProcessError, json.JSONDecodeError):
            print("climada: not installed, left out")

        gulmc = shutil.which("gulmc", path=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])
        if gulmc is None:
            print("gulmc: not installed, left out")
        else:
            # The first run compiles.
            env = dict(os.environ, PATH=os.path.dirname(gulmc) + os.pathsep + os.environ["PATH"])
            run("evepy 1 1000 | gulmc -a0 -S 2 -o /dev/null", os.path.join(load, "oasis"), env=env)
        for samples in map(int, a.samples.split(",")):
            name = portfolio(load, folder, samples, 1)
            command = f"{anlan} --quiet loss {name} --out out"
            ours, theirs = [], []
            for _ in range(a.repeat):
                ours.append(run(command, folder))
                if gulmc:
                    theirs.append(run(f"evepy 1 1 | gulmc -a0 -S {samples} -o /dev/null", os.path.join(load, "oasis"), env=env))
            cpu, wall, peak = told(f"anlan, {samples} samples", ours, pairs, samples)
            if theirs:
                their_cpu, their_wall, their_peak = told(f"gulmc, {samples} samples", theirs, pairs, samples)
                print(f"    ratio: CPU {their_cpu / cpu:.1f}, wall {their_wall / wall:.1f}, memory {their_peak / peak:.1f}")


if __name__ == "__main__":
    main()
