#!/usr/bin/env python3
"""The same DEM through Anlan and its peers, interleaved in one run: CPU seconds, wall, memory, agreement.

    python benches/peer/hydrology/compare.py [--dem DEM.npy] [--size 4000] [--cell 10] [--repeat 3] [--only anlan,pyflwdir]

Depressions filled, D8 directions, contributing cells, drainage of 1,000 cells or more, height above it. Without ``--dem``
(float32, rows x columns, cells of ``--cell`` metres) a rough valley of ``--size`` squared cells is made from a fixed seed.

Needs numpy and the ``anlan`` package; peers run where they are installed: ``pip install whitebox-workflows pyflwdir
py-richdem==2.2.0rc3``. Every program is a process of its own. Reading the DEM, starting up and, for numba, compiling (a run
on a small DEM beforehand) are not counted; CPU seconds are those of all threads, memory is the peak above what the process
held when the DEM was there, results included.

Fill depths are compared cell by cell. Flats may drain in more ways than one, so contributing cells and heights are compared
on *our* directions, handed to pyflwdir.
"""

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

DRAINAGE_CELLS = 1000
STEPS = ["fill", "directions", "accumulation", "HAND"]


def rough_valley(size, cell_m, seed=7):
    """Power-law hills of 15 m standard deviation on a valley that falls to the south, float32."""
    rng = np.random.default_rng(seed)
    wave = np.hypot(np.fft.fftfreq(size)[:, np.newaxis], np.fft.rfftfreq(size))
    wave[0, 0] = np.inf
    hills = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) * wave**-2.2, s=(size, size))
    north_m = cell_m * np.arange(size)[::-1, np.newaxis]
    aside_m = cell_m * np.abs(np.arange(size) - size / 2)
    z = 15.0 * hills / hills.std() + 0.002 * north_m + 0.01 * aside_m
    return (z - z.min()).astype(np.float32)


class Watch:
    """CPU and wall seconds of each step, and the peak of memory over all."""

    def __init__(self):
        self.steps = {}
        # Starts the peak anew.
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
        self.base = memory_mb("VmRSS")

    def __call__(self, step, work):
        cpu, wall = cpu_s(), time.monotonic()
        result = work()
        self.steps[step] = (cpu_s() - cpu, time.monotonic() - wall)
        return result

    def report(self):
        return {"steps": self.steps, "memory": memory_mb("VmHWM") - self.base}


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_mb(field):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(field)) / 1024


def anlan(dem, cell_m, keep):
    import anlan

    grid = anlan.Grid(4549, 500000.0, 3300000.0, cell_m, cell_m, *dem.shape)
    watch = Watch()
    filled = watch("fill", lambda: anlan.fill_depressions(dem, grid))
    directions = watch("directions", lambda: anlan.flow_direction(filled, grid))
    cells = watch("accumulation", lambda: anlan.flow_accumulation(directions, grid))
    height = watch("HAND", lambda: anlan.hand(filled, directions, cells >= DRAINAGE_CELLS, grid))
    report = watch.report()
    keep(filled=filled, directions=directions, cells=cells, height=height)
    return report


def whitebox(dem, cell_m, keep):
    import whitebox_workflows as w

    tools = w.WbEnvironment()
    tools.verbose = False
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dem.dat")
        np.where(np.isnan(dem), np.float32(-9999), dem).tofile(path)
        with open(os.path.join(folder, "dem.hdr"), "w") as f:
            f.write(
                f"ENVI\nsamples = {dem.shape[1]}\nlines = {dem.shape[0]}\nbands = 1\nheader offset = 0\n"
                f"file type = ENVI Standard\ndata type = 4\ninterleave = bsq\nbyte order = 0\ndata ignore value = -9999\n"
                f"map info = {{Arbitrary, 1, 1, 0, {cell_m * dem.shape[0]}, {cell_m}, {cell_m}}}\n"
            )
        there = tools.read_raster(path)
        # Rasters that were read stay on disk and are read again by every tool; results of tools stay in memory.
        raster = tools.raster.max(input1=there, input2=there)
    watch = Watch()
    # Their D8 needs flats with a small gradient, which filling adds unless told otherwise.
    filled = watch("fill", lambda: tools.hydrology.fill_depressions(dem=raster))
    pointer = watch("directions", lambda: tools.hydrology.d8_pointer(dem=filled))
    cells = watch(
        "accumulation",
        lambda: tools.hydrology.d8_flow_accum(input=pointer, out_type="cells", input_is_pointer=True),
    )

    def height():
        streams = tools.streams.extract_streams(flow_accumulation=cells, threshold=float(DRAINAGE_CELLS))
        return tools.hydrology.elevation_above_stream(dem=filled, streams=streams)

    watch("HAND", height)
    report = watch.report()
    level = tools.hydrology.fill_depressions(dem=raster, fix_flats=False)
    # Their slower method, whose levels are right where those of the other are too high.
    slow = tools.hydrology.fill_depressions_wang_and_liu(dem=raster, fix_flats=False)
    keep(filled=level.to_numpy().reshape(dem.shape), filled_wang_liu=slow.to_numpy().reshape(dem.shape))
    return report


def pyflwdir(dem, cell_m, keep):
    import pyflwdir as p
    from affine import Affine

    transform = Affine(cell_m, 0.0, 0.0, 0.0, -cell_m, cell_m * dem.shape[0])

    def chain(dem, watch):
        filled, d8 = watch("fill", lambda: p.fill_depressions(dem, nodata=-9999.0))
        flow = watch("directions", lambda: p.from_array(d8, ftype="d8", transform=transform))
        cells = watch("accumulation", lambda: flow.upstream_area("cell"))
        watch("HAND", lambda: flow.hand(cells >= DRAINAGE_CELLS, filled))
        return filled

    chain(rough_valley(64, cell_m), Watch())
    watch = Watch()
    filled = chain(dem, watch)
    report = watch.report()
    keep(filled=filled)
    return report


def richdem(dem, cell_m, keep):
    import richdem as rd

    watch = Watch()
    raster = rd.rdarray(dem, no_data=-9999.0)
    raster.geotransform = (0.0, cell_m, 0.0, 0.0, 0.0, -cell_m)
    filled = watch("fill", lambda: rd.fill_depressions(raster))
    level = np.array(filled)
    # Directions come with the accumulation; only flats are settled before.
    watch("directions", lambda: rd.resolve_flats(filled, in_place=True))
    watch("accumulation", lambda: rd.flow_accumulation(filled, method="D8"))
    report = watch.report()
    keep(filled=level)
    return report


PROGRAMS = {"anlan": anlan, "whitebox": whitebox, "pyflwdir": pyflwdir, "richdem": richdem}
MODULES = {"whitebox": "whitebox_workflows"}


def child(name, dem, cell_m, folder):
    """One program over the DEM, in this process; the report goes to standard output."""

    def keep(**arrays):
        if folder:
            for key, values in arrays.items():
                np.save(os.path.join(folder, f"{name}-{key}.npy"), np.asarray(values))

    report = PROGRAMS[name](np.load(dem), cell_m, keep)
    print("REPORT " + json.dumps(report))


def run(name, dem, cell_m, folder):
    command = [sys.executable, __file__, "--dem", dem, "--cell", str(cell_m), "--child", name, "--folder", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.rsplit("REPORT ", 1)[1])


def agreement(names, dem, cell_m, folder):
    z = np.load(dem).astype(np.float64)

    def load(name):
        return np.load(os.path.join(folder, name + ".npy"))

    ours = load("anlan-filled")
    depth = ours - z
    print(f"fill depth: mean {depth.mean():.6f} m, {np.count_nonzero(depth > 0):,} cells raised")
    for file in sorted(os.listdir(folder)):
        name = file.removesuffix(".npy").replace("-filled", "")
        if "-filled" in file and name != "anlan":
            off = np.abs(np.load(os.path.join(folder, file)).astype(np.float64) - ours)
            print(f"    {name:20} {np.count_nonzero(off > 0):,} cells differ, {np.count_nonzero(off > 1e-3):,} by more than a millimetre,"
                  f" by {off.max():.1e} m at most")
    if "pyflwdir" in names:
        import pyflwdir as p

        code = load("anlan-directions")
        d8 = np.where(code < 8, np.left_shift(1, code & 7), np.where(code == 255, 0, 247)).astype(np.uint8)
        flow = p.from_array(d8, ftype="d8")
        cells, height = load("anlan-cells"), load("anlan-height")
        theirs = flow.upstream_area("cell")
        print(f"our directions in pyflwdir: contributing cells differ in {np.count_nonzero(theirs != cells):,} cells", end="")
        theirs = flow.hand(cells >= DRAINAGE_CELLS, ours)
        met = ~np.isnan(height)
        off = np.abs(theirs[met].astype(np.float64) - height[met])
        print(f", HAND in {np.count_nonzero(off > 0):,} of {met.sum():,} that meet drainage, by {off.max():.1e} m at most")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dem")
    p.add_argument("--size", type=int, default=4000)
    p.add_argument("--cell", type=float, default=10.0)
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--only", default=",".join(PROGRAMS))
    p.add_argument("--child", help=argparse.SUPPRESS)
    p.add_argument("--folder", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.child:
        return child(a.child, a.dem, a.cell, a.folder)
    names = []
    for name in a.only.split(","):
        if importlib.util.find_spec(MODULES.get(name, name)):
            names.append(name)
        else:
            print(f"{name}: not installed, left out")
    with tempfile.TemporaryDirectory() as folder:
        dem = os.path.abspath(a.dem) if a.dem else os.path.join(folder, "dem.npy")
        if not a.dem:
            np.save(dem, rough_valley(a.size, a.cell))
        reports = {name: [] for name in names}
        for turn in range(a.repeat):
            for name in names:
                reports[name].append(run(name, dem, a.cell, folder if turn == 0 else ""))
        print(f"median of {a.repeat}; CPU seconds (wall seconds)")
        print(f"{'':10}" + "".join(f"{s:>16}" for s in STEPS) + f"{'all':>16}{'memory':>10}   CPU, memory to ours")
        ours = None
        for name in names:
            cells, total = [], []
            for step in STEPS:
                found = [r["steps"][step] for r in reports[name] if step in r["steps"]]
                middle = [statistics.median(x) for x in zip(*found)]
                cells.append(f"{middle[0]:7.2f} ({middle[1]:6.2f})" if found else "-")
            for r in reports[name]:
                total.append([sum(x) for x in zip(*r["steps"].values())])
            cpu, wall = (statistics.median(x) for x in zip(*total))
            memory = statistics.median(r["memory"] for r in reports[name])
            ours = ours or (cpu, memory)
            print(
                f"{name:10}" + "".join(f"{c:>16}" for c in cells) + f"{cpu:7.2f} ({wall:6.2f})".rjust(16)
                + f"{memory:7.0f} MB   {cpu / ours[0]:.1f}, {memory / ours[1]:.1f}"
            )
        if "anlan" in names:
            agreement(names, dem, a.cell, folder)


if __name__ == "__main__":
    main()
