#!/usr/bin/env python3
"""The same raster and zones through Anlan and its peers, interleaved in one run: CPU seconds, wall, memory, agreement.

    python benches/peer/zonal/compare.py [--anlan target/release/anlan] [--size 10000] [--grid 32] [--repeat 3] [--keep DIR]

Makes ``--size`` squared cells of 30 m (float32, tiles of 512, Deflate, predictor 3, some cells without data) and ``--grid``
squared zones of 400 vertices with wavy borders that they share, from a fixed seed. Zonal: count, sum, mean, max and stdev,
each cell by its covered share, beside exactextract (both strategies). Rasterize: labels by cell centre and all-touched,
beside GDAL (through rasterio), and a second layer of small polygons whose vertices lie on centres, corners and sides of cells.

Every program is a process of its own; memory is the peak of that process. Anlan is the whole command: starting up, reading
the zones from GeoJSON, and writing (a CSV; for rasterize a compressed GeoTIFF). Of the peers only the call itself counts:
importing and reading the zones does not, and rasterio leaves its labels in memory. CPU seconds are those of all threads.
"""

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

STATS = ["count", "sum", "mean", "max", "stdev"]
CELL, WEST, NORTH, NODATA = 30.0, 500_000.0, 4_000_000.0, -9999.0


def make(folder, size, grid, seed=11):
    """The raster r.tif, the zones zones.geojson and the hard cases hard.tif and hard.geojson."""
    import rasterio
    from rasterio.transform import from_origin

    rng = np.random.default_rng(seed)
    profile = dict(
        driver="GTiff", width=size, height=size, count=1, dtype="float32", crs="EPSG:32650", nodata=NODATA, tiled=True,
        blockxsize=512, blockysize=512, compress="deflate", predictor=3, transform=from_origin(WEST, NORTH, CELL, CELL),
    )
    x = np.arange(size)
    with rasterio.open(os.path.join(folder, "r.tif"), "w", **profile) as out:
        for first in range(0, size, 512):
            rows = min(512, size - first)
            y = np.arange(first, first + rows)[:, None]
            z = 3.0 * np.sin(x / 577.0 + 0.4) * np.cos(y / 419.0) + 0.1 * rng.random((rows, size))
            z = np.where(z < -2.5, NODATA, z).astype(np.float32)
            out.write(z, 1, window=rasterio.windows.Window(0, first, size, rows))

    def bend(u, v):
        """Moves a point of the lattice of zones; borders that neighbours share move together, and none crosses another: the
        derivatives stay below those of a fold."""
        du = sum(0.05 / 2**k * np.sin(2 * np.pi * (0.41 * 2**k * v + 0.13 * 2**k * u + 0.21 * k)) for k in range(4))
        dv = sum(0.05 / 2**k * np.cos(2 * np.pi * (0.37 * 2**k * u - 0.11 * 2**k * v + 0.57 * k)) for k in range(4))
        return u + du, v + dv

    t, one = np.arange(100) / 100.0, np.ones(100)
    rings = []
    for j in range(grid):
        for i in range(grid):
            u = np.concatenate([i + t, (i + 1) * one, i + 1 - t, i * one, [i]])
            v = np.concatenate([j * one, j + t, (j + 1) * one, j + 1 - t, [j]])
            u, v = bend(u, v)
            side = size * CELL / grid
            rings.append(np.stack([WEST + u * side, NORTH - v * side], 1).round(3))
    write_zones(os.path.join(folder, "zones.geojson"), rings)

    # Triangles to octagons, some of which cross themselves, of a cell size that no binary number holds, their vertices on
    # multiples of half a cell.
    cell, side, spots = 0.3, 24, 40
    profile.update(width=side * spots, height=side * spots, transform=from_origin(WEST, NORTH, cell, cell), dtype="uint8",
                   nodata=None, predictor=1)
    with rasterio.open(os.path.join(folder, "hard.tif"), "w", **profile) as out:
        out.write(np.zeros((side * spots, side * spots), np.uint8), 1)
    rings = []
    for n in range(spots * spots):
        angle = np.sort(rng.random(3 + n % 6)) * 2 * np.pi
        radius = rng.uniform(2, 11, angle.size)
        at = np.stack([n % spots * side + 12 + radius * np.cos(angle), n // spots * side + 12 + radius * np.sin(angle)], 1)
        at = np.round(at * 2) / 2
        at = np.vstack([at, at[:1]])
        rings.append(np.stack([WEST + at[:, 0] * cell, NORTH - at[:, 1] * cell], 1))
    write_zones(os.path.join(folder, "hard.geojson"), rings)


def write_zones(path, rings):
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32650"}}
    features = [
        {"type": "Feature", "properties": {"zone": n + 1}, "geometry": {"type": "Polygon", "coordinates": [ring.tolist()]}}
        for n, ring in enumerate(rings)
    ]
    with open(path, "w") as f:
        json.dump({"type": "FeatureCollection", "name": "zones", "crs": crs, "features": features}, f)


def features(folder, name):
    with open(os.path.join(folder, name)) as f:
        return json.load(f)["features"]


def measured(work):
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu, wall = used.ru_utime + used.ru_stime, time.monotonic()
    result = work()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print("REPORT " + json.dumps([used.ru_utime + used.ru_stime - cpu, time.monotonic() - wall]))
    return result


def exactextract(folder, strategy):
    from exactextract import exact_extract

    zones = features(folder, "zones.geojson")
    call = lambda: exact_extract(os.path.join(folder, "r.tif"), zones, STATS, include_cols="zone", strategy=strategy)  # noqa: E731
    found = {f["properties"]["zone"]: f["properties"] for f in measured(call)}
    # A statistic of a zone without data is None.
    table = [[np.nan if found[z][s] is None else found[z][s] for s in STATS] for z in range(1, len(zones) + 1)]
    np.save(os.path.join(folder, f"exactextract-{strategy}.npy"), np.array(table, float))


def gdal(folder, layer, like, all_touched):
    import rasterio
    from rasterio.features import rasterize

    shapes = [(f["geometry"], f["properties"]["zone"]) for f in features(folder, layer + ".geojson")]
    with rasterio.open(os.path.join(folder, like)) as raster:
        shape, transform = (raster.height, raster.width), raster.transform
    labels = measured(lambda: rasterize(shapes, shape, fill=0, transform=transform, dtype="int32", all_touched=all_touched))
    np.save(os.path.join(folder, f"gdal-{layer}-{all_touched}.npy"), labels)


def child(folder, name, size, grid):
    {
        # In a process of its own, since the peak of a process begins with what its parent held.
        "make": lambda: make(folder, size, grid),
        "exactextract feature-sequential": lambda: exactextract(folder, "feature-sequential"),
        "exactextract raster-sequential": lambda: exactextract(folder, "raster-sequential"),
        "gdal centre": lambda: gdal(folder, "zones", "r.tif", False),
        "gdal all-touched": lambda: gdal(folder, "zones", "r.tif", True),
        "gdal hard centre": lambda: gdal(folder, "hard", "hard.tif", False),
        "gdal hard all-touched": lambda: gdal(folder, "hard", "hard.tif", True),
    }[name]()


def process(command):
    """CPU seconds, wall seconds and peak memory, MB, of a command; CPU and wall by its own report where it makes one."""
    wall = time.monotonic()
    with tempfile.TemporaryFile("w+") as told:
        started = subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - wall
        told.seek(0)
        text = told.read()
    if started.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{text[-2000:]}")
    cpu = used.ru_utime + used.ru_stime
    if "REPORT " in text:
        cpu, wall = json.loads(text.rsplit("REPORT ", 1)[1])
    return cpu, wall, used.ru_maxrss / 1024


def commands(anlan, folder):
    path = lambda name: os.path.join(folder, name)  # noqa: E731
    peer = lambda name: [sys.executable, __file__, "--child", name, "--keep", folder]  # noqa: E731
    paint = lambda layer, like, *more: [  # noqa: E731
        anlan, "--quiet", "rasterize", path(layer + ".geojson"), "--like", path(like), "--value", "zone",
        "--out", path(f"anlan-{layer}-{bool(more)}.tif"), *more,
    ]
    zonal = [anlan, "--quiet", "zonal", path("r.tif"), path("zones.geojson"), "--out", path("anlan.csv"), "--stats", ",".join(STATS)]
    return {
        "zonal": {
            "anlan": zonal,
            "anlan, 1 thread": [*zonal, "--threads", "1"],
            "exactextract feature-sequential": peer("exactextract feature-sequential"),
            "exactextract raster-sequential": peer("exactextract raster-sequential"),
        },
        "rasterize by centre": {"anlan, with writing": paint("zones", "r.tif"), "gdal centre": peer("gdal centre")},
        "rasterize all-touched": {
            "anlan, with writing": paint("zones", "r.tif", "--all-touched"),
            "gdal all-touched": peer("gdal all-touched"),
        },
        "hard cases by centre": {"anlan": paint("hard", "hard.tif"), "gdal hard centre": peer("gdal hard centre")},
        "hard cases all-touched": {
            "anlan": paint("hard", "hard.tif", "--all-touched"),
            "gdal hard all-touched": peer("gdal hard all-touched"),
        },
    }


def agreement(folder):
    import rasterio

    with open(os.path.join(folder, "anlan.csv"), encoding="utf-8-sig") as f:
        rows = list(csv.DictReader(f))
    number = lambda text: float(text) if text else np.nan  # noqa: E731
    ours = np.array([[number(r[s]) for s in STATS] for r in rows])
    for strategy in ("feature-sequential", "raster-sequential"):
        theirs = np.load(os.path.join(folder, f"exactextract-{strategy}.npy"))
        scale = np.abs(theirs)
        # Sums and means may lie about zero, where a relative difference says nothing: it is taken of the spread there.
        count, stdev = theirs[:, 0], theirs[:, 4]
        scale[:, 1] = np.maximum(scale[:, 1], stdev * count)
        scale[:, 2] = np.maximum(scale[:, 2], stdev)
        off = np.abs(ours - theirs) / np.where(scale == 0, np.nan, scale)
        print(f"beside exactextract, {strategy}: greatest relative difference of {len(ours)} zones")
        print("    " + ", ".join(f"{s} {np.nanmax(off[:, i]):.1e}" for i, s in enumerate(STATS))
              + f"; zones with and without statistics differ in {int((np.isnan(ours) != np.isnan(theirs)).sum())}")
        area = np.array([polygon_cells(f) for f in features(folder, "zones.geojson")])
        # One missing cell of a zone is 1e-5 of it.
        full = (np.abs(ours[:, 0] / area - 1) < 1e-6) & (np.abs(theirs[:, 0] / area - 1) < 1e-6)
        print(f"    cells of {full.sum()} zones without gaps beside their area by the shoelace formula: anlan"
              f" {np.max(np.abs(ours[full, 0] / area[full] - 1)):.1e}, exactextract {np.max(np.abs(theirs[full, 0] / area[full] - 1)):.1e}")
    for layer in ("zones", "hard"):
        for all_touched in (False, True):
            with rasterio.open(os.path.join(folder, f"anlan-{layer}-{all_touched}.tif")) as r:
                labels = r.read(1)
            theirs = np.load(os.path.join(folder, f"gdal-{layer}-{all_touched}.npy"))
            rule = "all-touched" if all_touched else "by centre"
            print(f"labels of {layer} {rule}: {np.count_nonzero(labels != theirs):,} of {labels.size:,} cells differ from GDAL"
                  f" {rasterio.__gdal_version__} ({np.count_nonzero(theirs):,} painted)")


def polygon_cells(feature):
    """Area of a polygon in cells, about its first vertex against cancellation."""
    p = np.array(feature["geometry"]["coordinates"][0])
    p = p - p[0]
    return abs(np.sum(p[:-1, 0] * p[1:, 1] - p[1:, 0] * p[:-1, 1])) / 2 / CELL**2


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--anlan", default=os.path.join(os.path.dirname(__file__), "../../../target/release/anlan"))
    p.add_argument("--size", type=int, default=10_000)
    p.add_argument("--grid", type=int, default=32)
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--keep", help="folder for the files, made where they are not there")
    p.add_argument("--child", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.child:
        return child(a.keep, a.child, a.size, a.grid)
    with tempfile.TemporaryDirectory() as temporary:
        folder = a.keep or temporary
        os.makedirs(folder, exist_ok=True)
        if not os.path.exists(os.path.join(folder, "hard.geojson")):
            made = [sys.executable, __file__, "--child", "make", "--keep", folder, "--size", str(a.size), "--grid", str(a.grid)]
            subprocess.run(made, check=True)
        tasks = commands(os.path.abspath(a.anlan), folder)
        found = {}
        for turn in range(a.repeat):
            for task, programs in tasks.items():
                for name, command in programs.items():
                    if turn == 0 or "hard" not in task:
                        found.setdefault((task, name), []).append(process(command))
        print(f"{a.size} x {a.size} cells, {a.grid**2} zones; median of {a.repeat}")
        print(f"{'':58}{'CPU s':>8}{'wall s':>8}{'memory':>10}")
        for (task, name), runs in found.items():
            cpu, wall, memory = (statistics.median(x) for x in zip(*runs))
            print(f"{task:24}  {name:32}{cpu:8.2f}{wall:8.2f}{memory:7.0f} MB")
        agreement(folder)


if __name__ == "__main__":
    main()
