#!/usr/bin/env python3
"""The same floods through Anlan and its peers, interleaved in one run: CPU seconds, wall, memory, agreement.

    python benches/peer/flood/compare.py [--only rain,dam,mild,wide] [--programs anlan-inertial,itzi] [--repeat 3] [--threads 1]

Cells of 10 m, closed walls:

- ``rain``: 1000 x 1000, 50 mm/h for 1800 s on dry power-law hills over a valley, n 0.05.
- ``dam``: 1000 x 1000, flat, water 10 m deep in the west and 1 m in the east, 20 s, n 0.03.
- ``mild``: the same with 2 m and 0.2 m, 80 s.
- ``wide``: 4000 x 4000, 50 mm/h for 300 s on hills of the same kind.

Peers run where they are installed: ``pip install -r benches/peer/flood/requirements.txt``; those that are not are left out
with a word. ``anlan`` is this tree's: ``maturin develop --release`` in ``python/``. Every program is a process of its own, on
``--threads`` threads. Counted are CPU seconds (of all threads) and wall seconds of the run: for a peer its time steps alone,
for us the whole call, setting up and gathering results included. Memory is the peak of the process, inputs included.
``Mcs/CPU s`` are million cells times steps per CPU second (of second order: full steps of two stages). Depths at the end are
compared over the cells whose depth has changed by more than 1 cm in either.

What is not alike: ANUGA solves on triangles, four to a square of 20 m, so that there are as many as cells, and is compared
by means over those squares; it gets no rain here (some 2000 steps). itzi, landlab and our ``inertial`` leave advection
out: peers are held against ours of their kind, and in dam breaks ``inertial`` against ``fv2``. itzi and landlab step at most
5 and 10 s while the ground is dry, we 30 s (rain falls every 10 s). landlab wets the ground by 0.01 mm; it is left out of
``wide``, for which it needs more than the memory of a common machine.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

CELL_M = 10.0
MM_H = 1e-3 / 3600


def hills(side, seed=42):
    """Power-law hills of 15 m standard deviation on a valley that falls to the south, float32."""
    rng = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(side)[:, np.newaxis], np.fft.rfftfreq(side))
    wave[0, 0] = np.inf
    rough = np.fft.irfft2(wave**-2.2 * np.exp(2j * np.pi * rng.random(wave.shape)), s=(side, side))
    rough = 15 * (rough - rough.mean()) / rough.std()
    y, x = np.mgrid[0:side, 0:side] * CELL_M
    length = side * CELL_M
    z = rough + 0.002 * (length - y) + 0.01 * np.abs(x - length / 2)
    return (z - z.min()).astype(np.float32)


def dam(side, west_m, east_m):
    depth = np.where(np.arange(side) < side // 2, west_m, east_m).astype(np.float32)
    return np.zeros((side, side), np.float32), np.tile(depth, (side, 1))


INERTIAL = ["anlan-inertial", "itzi", "landlab"]
VOLUMES = ["anlan-fv1", "anlan-fv2", "anuga-DE0", "anuga-DE1"]
# The first program is the reference of the others, but for peers without advection.
CASES = {
    "rain": dict(side=1000, end_s=1800.0, rain_mm_h=50.0, manning=0.05, programs=INERTIAL + ["anlan-fv1"]),
    "dam": dict(side=1000, end_s=20.0, depths_m=(10.0, 1.0), manning=0.03, programs=["anlan-fv2", *INERTIAL, *VOLUMES]),
    "mild": dict(side=1000, end_s=80.0, depths_m=(2.0, 0.2), manning=0.03, programs=["anlan-fv2", *INERTIAL]),
    "wide": dict(side=4000, end_s=300.0, rain_mm_h=50.0, manning=0.05, programs=["anlan-inertial", "itzi"]),
}
MODULES = {"anlan": "anlan", "itzi": "itzi_core", "landlab": "landlab", "anuga": "anuga"}
PACKAGES = {"itzi": "itzi-core"}


class Clock:
    """CPU and wall seconds from its making on."""

    def __init__(self):
        self.start = self.used(), time.monotonic()

    def used(self):
        both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(r.ru_utime + r.ru_stime for r in both)

    def report(self, depth, steps, cell_steps):
        cpu, wall = self.used() - self.start[0], time.monotonic() - self.start[1]
        return depth, dict(cpu=cpu, wall=wall, steps=steps, cell_steps=cell_steps)


def anlan(scheme, bed, depth, case, threads):
    import anlan

    grid = anlan.Grid(4549, 500000.0, 3300000.0, CELL_M, CELL_M, *bed.shape)
    clock = Clock()
    run = anlan.flood(
        bed,
        grid,
        duration_s=case["end_s"],
        manning=case["manning"],
        scheme=scheme,
        rain=case.get("rain_mm_h"),
        initial_depth=depth,
        threads=threads,
    )
    # Our own count has the walls around the grid in it.
    return clock.report(run["depth_m"], run["steps"], min(run["cell_steps"], run["steps"] * bed.size))


def itzi(_, bed, depth, case, threads):
    from datetime import datetime, timedelta

    import itzi_core as i
    from itzi_core.providers.memory_input import MemoryRasterInputProvider

    rows, cols = bed.shape
    start = datetime(2000, 1, 1)
    end = start + timedelta(seconds=case["end_s"])
    domain = i.DomainData(
        north=rows * CELL_M, south=0.0, east=cols * CELL_M, west=0.0, rows=rows, cols=cols, crs_wkt=""
    )
    arrays = {"ground_elevation": bed, "friction": np.full(bed.shape, case["manning"], np.float32)}
    if depth is not None:
        arrays["water_depth"] = depth
    if "rain_mm_h" in case:
        arrays["rainfall_rate"] = np.full(bed.shape, case["rain_mm_h"], np.float32)
    config = i.SimulationConfig(
        start_time=start,
        end_time=end,
        record_step=end - start,
        temporal_type=i.TemporalType.RELATIVE,
        input_map_names={key: key for key in arrays},
        output_map_names={},
        surface_flow_parameters=i.SurfaceFlowParameters(),
    )
    provider = MemoryRasterInputProvider(
        dict(domain_data=domain, simulation_start_time=start, simulation_end_time=end, static_arrays=arrays)
    )
    run = i.SimulationBuilder(config, np.zeros(bed.shape, bool)).with_input_provider(provider).build().initialize()
    clock, steps = Clock(), 0
    while run.sim_time < run.end_time:
        run.update()
        steps += 1
    return clock.report(np.array(run.get_array("water_depth")), steps, steps * bed.size)


def landlab(_, bed, depth, case, threads):
    from landlab import RasterModelGrid
    from landlab.components import OverlandFlow

    # Closed nodes around the cells; their rows begin in the south.
    grid = RasterModelGrid(tuple(n + 2 for n in bed.shape), xy_spacing=CELL_M)
    grid.set_closed_boundaries_at_grid_edges(True, True, True, True)
    wide = np.pad(bed[::-1].astype(float), 1, mode="edge")
    grid.add_field("topographic__elevation", wide.ravel(), at="node")
    water = grid.add_zeros("surface_water__depth", at="node")
    if depth is not None:
        water[:] = np.pad(depth[::-1].astype(float), 1).ravel()
    rain = case.get("rain_mm_h", 0.0) * MM_H
    flow = OverlandFlow(grid, mannings_n=case["manning"], rainfall_intensity=rain)
    clock, now, steps = Clock(), 0.0, 0
    while now < case["end_s"]:
        dt = min(flow.calc_time_step(), 10.0, case["end_s"] - now)
        flow.overland_flow(dt=dt)
        now += dt
        steps += 1
    found = grid.at_node["surface_water__depth"].reshape(wide.shape)[1:-1, 1:-1][::-1]
    return clock.report(found, steps, steps * bed.size)


def anuga(algorithm, bed, depth, case, threads):
    import anuga

    rows, cols = bed.shape
    length = (cols * CELL_M, rows * CELL_M)
    domain = anuga.rectangular_cross_domain(cols // 2, rows // 2, len1=length[0], len2=length[1])
    domain.set_name("flood")
    domain.set_store(False)
    domain.set_quantities_to_be_stored(None)
    domain.set_flow_algorithm(algorithm)
    x, y = domain.get_centroid_coordinates().T
    square = (y // (2 * CELL_M)).astype(int) * (cols // 2) + (x // (2 * CELL_M)).astype(int)
    cell = (rows - 1 - (y // CELL_M).astype(int), (x // CELL_M).astype(int))
    domain.set_quantity("elevation", bed[cell].astype(float), location="centroids")
    domain.set_quantity("friction", case["manning"])
    domain.set_quantity("stage", (bed + depth)[cell].astype(float), location="centroids")
    wall = anuga.Reflective_boundary(domain)
    domain.set_boundary(dict.fromkeys(("left", "right", "top", "bottom"), wall))
    clock = Clock()
    for _ in domain.evolve(yieldstep=case["end_s"], finaltime=case["end_s"]):
        pass
    steps = domain.number_of_steps
    stage, z = (domain.quantities[q].centroid_values for q in ("stage", "elevation"))
    sums = np.bincount(square, weights=stage - z, minlength=bed.size // 4)
    found = sums.reshape(rows // 2, cols // 2)[::-1] / 4
    return clock.report(found, steps, steps * len(x))


RUNNERS = {"anlan": anlan, "itzi": itzi, "landlab": landlab, "anuga": anuga}


def child(program, name, folder, threads):
    """One program, in this process; the depths go to the folder, the report to standard output."""
    family, _, variant = program.partition("-")
    depth = os.path.join(folder, f"{name}-depth.npy")
    depth = np.load(depth) if os.path.exists(depth) else None
    bed = np.load(os.path.join(folder, f"{name}-bed.npy"))
    found, report = RUNNERS[family](variant, bed, depth, CASES[name], threads)
    report["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.save(os.path.join(folder, f"{name}-{program}.npy"), np.asarray(found, np.float32))
    print("REPORT " + json.dumps(report))


def run(program, name, folder, threads):
    """Report of a process; a text where it failed."""
    command = [sys.executable, os.path.abspath(__file__), "--child", program, name, "--folder", folder]
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    env = dict(os.environ, **dict.fromkeys(names, str(threads)))
    done = subprocess.run(
        [*command, "--threads", str(threads)], cwd=folder, env=env, capture_output=True, text=True, timeout=3600
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        return lines[-1][:160] if lines else f"ended with {done.returncode}"
    return json.loads(done.stdout.rsplit("REPORT ", 1)[1])


def depths(name, program, folder):
    return np.load(os.path.join(folder, f"{name}-{program}.npy")).astype(np.float64)


def agreement(found, ours, first):
    """Over the cells whose depth either has changed by more than 1 cm: RMSE and mean of the difference, m, and the share
    that agree to 1 cm."""
    if found.shape != ours.shape:
        ours, first = (a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2).mean(axis=(1, 3)) for a in (ours, first))
    wet = np.maximum(np.abs(found - first), np.abs(ours - first)) > 0.01
    off = (found - ours)[wet]
    return np.sqrt(np.mean(off**2)), off.mean(), np.mean(np.abs(off) <= 0.01)


def reference(program, case):
    """The program of ours that another is held against."""
    return "anlan-inertial" if program in ("itzi", "landlab") else case["programs"][0]


def table(name, programs, reports, folder):
    case = CASES[name]
    first = depths(name, "depth", folder) if "depths_m" in case else np.zeros((case["side"], case["side"]))
    good = {p: [r for r in reports[p] if isinstance(r, dict)] for p in programs}
    middle = {p: {key: statistics.median(r[key] for r in runs) for key in runs[0]} for p, runs in good.items() if runs}
    print(f"\n### {name}: {case['side']} x {case['side']} cells, {case['end_s']:.0f} s\n")
    print("| program | steps | CPU s | wall s | Mcs/CPU s | peak MB | deepest m | held against | CPU to it | RMSE mm | bias mm | within 1 cm |")
    print("| --- |" + " --- |" * 11)
    for program in programs:
        if program not in middle:
            print(f"| {program} | {reports[program][0]} |" + " |" * 10)
            continue
        m, depth, to = middle[program], depths(name, program, folder), reference(program, case)
        cells = [
            program,
            f"{m['steps']:.0f}",
            f"{m['cpu']:.2f}",
            f"{m['wall']:.2f}",
            f"{m['cell_steps'] / m['cpu'] / 1e6:.1f}",
            f"{m['memory']:.0f}",
            f"{depth.max():.3f}",
        ]
        if to == program or to not in middle:
            cells += ["-"] * 5
        else:
            rmse, bias, share = agreement(depth, depths(name, to, folder), first)
            cells += [to, f"{m['cpu'] / middle[to]['cpu']:.1f}", f"{1e3 * rmse:.2f}", f"{1e3 * bias:+.3f}", f"{100 * share:.1f} %"]
        print("| " + " | ".join(cells) + " |")
    sys.stdout.flush()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default=",".join(CASES), help="cases")
    p.add_argument("--programs", help="programs; all of each case by default")
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    p.add_argument("--folder", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.child:
        return child(*a.child, a.folder, a.threads)
    there = set()
    for family, module in MODULES.items():
        if importlib.util.find_spec(module):
            there.add(family)
            print(f"{family} {importlib.metadata.version(PACKAGES.get(family, family))}")
        else:
            print(f"{family}: not installed, left out")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {a.threads} thread(s), median of {a.repeat}")
    for name in a.only.split(","):
        case = CASES[name]
        wanted = a.programs.split(",") if a.programs else case["programs"]
        programs = [q for q in dict.fromkeys(case["programs"]) if q in wanted and q.partition("-")[0] in there]
        with tempfile.TemporaryDirectory() as folder:
            if "depths_m" in case:
                bed, depth = dam(case["side"], *case["depths_m"])
                np.save(os.path.join(folder, f"{name}-depth.npy"), depth)
            else:
                bed = hills(case["side"])
            np.save(os.path.join(folder, f"{name}-bed.npy"), bed)
            reports = {program: [] for program in programs}
            for _ in range(a.repeat):
                for program in programs:
                    # What failed once is not tried again.
                    if not any(isinstance(r, str) for r in reports[program]):
                        reports[program].append(run(program, name, folder, a.threads))
            table(name, programs, reports, folder)


if __name__ == "__main__":
    main()
