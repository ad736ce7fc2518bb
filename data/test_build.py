"""Checks of the committed showcase data: python -m pytest data/test_build.py (needs requirements.txt).

Everything runs from the committed files; only `test_same_as_shared_cut` needs the shared data
(ANLAN_SHARED_DATA, default ../shared/data beside the checkout) and says so when it skips.
"""

import csv
import hashlib
import importlib.util
import json
import os
import tomllib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("ANLAN_SHARED_DATA", HERE.parents[1] / "shared" / "data"))
REGIONS = ["zhejiang", "jinhua"]
RASTERS = ["dem_30s", "landcover_igbp_3min", "era5_t2m_monthly", "era5_tp_monthly", "itu_rain_rate_001pct"]


def rows(path):
    with open(HERE / path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def features(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))["features"]


def shape(feature):
    return shapely.from_geojson(json.dumps(feature["geometry"]))


def raster(path):
    with rasterio.open(path) as source:
        return source.read(masked=True), source.transform, source.crs, source.units


def people(table):
    """Population by code; the row without a code under ''."""
    return {r["区划代码"]: int(r["常住人口"]) for r in table}


@pytest.mark.parametrize("region", REGIONS)
def test_files_are_those_of_provenance(region):
    listed = tomllib.loads((HERE / region / "PROVENANCE.toml").read_text(encoding="utf-8"))
    files = {name: entry for name, entry in listed.items() if isinstance(entry, dict)}
    assert sorted(files) == sorted(p.name for p in (HERE / region).iterdir() if p.name not in ("PROVENANCE.toml", "project.toml"))
    for name, entry in files.items():
        assert hashlib.sha256((HERE / region / name).read_bytes()).hexdigest() == entry["sha256"], name
        assert entry["kind"] in ("real", "typed", "derived") and entry["unit"] and entry["transformation"]
        if entry["kind"] == "real":
            assert entry["package"] and entry["version"] and len(entry["package_sha256"]) == 64 and entry["licence"]


def test_committed_size():
    assert sum(p.stat().st_size for r in REGIONS for p in (HERE / r).iterdir()) < 3_000_000


def test_province_sums():
    table = rows("zhejiang/census.csv")
    total = people(table)
    assert total["330000"] == 64_567_588
    prefectures = [r["区划代码"] for r in table if r["上级代码"] == "330000"]
    assert len(prefectures) == 11 and sum(total[c] for c in prefectures) == total["330000"]
    for row in table:
        for parts in (
            ["男性人口", "女性人口"],
            ["城镇人口", "乡村人口"],
            ["0-14岁人口", "15-64岁人口", "65岁及以上人口"],
        ):
            assert sum(int(row[k]) for k in parts) == int(row["常住人口"]), (row["名称"], parts)


def test_real_defects_are_kept():
    """What a checker has to find in zhejiang/census.csv."""
    table, drawn = (
        rows("zhejiang/census.csv"),
        {f["properties"]["code"] for f in features(HERE / "zhejiang/county.geojson")},
    )
    short = {}
    for prefecture in (r for r in table if r["上级代码"] == "330000"):
        coded = [r for r in table if r["上级代码"] == prefecture["区划代码"] and r["区划代码"]]
        short[prefecture["名称"]] = int(prefecture["常住人口"]) - sum(int(r["常住人口"]) for r in coded)
    assert {k: v for k, v in short.items() if v} == {"温州市": 249_343}
    assert [r["名称"] for r in table if not r["区划代码"]] == ["温州经济技术开发区"]
    listed = {r["区划代码"] for r in table if r["区划代码"] and not r["区划代码"].endswith("00")}
    assert listed - drawn == {"330103", "330104"} and drawn - listed == {"330113", "330114"}


def test_crosswalk_closes():
    table, cross = rows("zhejiang/census.csv"), rows("zhejiang/crosswalk.csv")
    drawn = {f["properties"]["code"] for f in features(HERE / "zhejiang/county.geojson")}
    shares, after = defaultdict(float), defaultdict(int)
    for row in cross:
        shares[row["from_code"]] += float(row["share"])
        after[row["to_code"]] += int(row["people"])
        assert row["source"] and row["status"] in ("read", "derived", "unverified")
    assert all(abs(s - 1) < 1e-7 for s in shares.values())
    # districts of 2021 as the bulletin of Hangzhou gives them (西湖区 with its scenic area)
    published = {
        "330102": 1_323_467,
        "330105": 1_120_985,
        "330106": 1_089_229 + 23_763,
        "330109": 2_011_699,
        "330110": 1_226_673,
        "330113": 1_175_841,
        "330114": 769_150,
    }
    assert {c: after[c] for c in published} == published
    for code, count in people([r for r in table if r["上级代码"] not in ("", "330000")]).items():
        if code not in shares:
            after[code] += count
    assert set(after) == drawn and sum(after.values()) == 64_567_588


def test_jinhua_sum():
    table = rows("jinhua/census.csv")
    assert len(table) == 10
    total = people(table)
    assert total.pop("330700") == 7_050_683 == sum(total.values())


@pytest.mark.parametrize("region", REGIONS)
def test_gdp_splits_add_up(region):
    table = rows(f"{region}/census.csv")
    for prefecture in (r for r in table if r["上级代码"] == "330000"):
        parts = [round(100 * float(r["GDP_亿元"])) for r in table if r["上级代码"] == prefecture["区划代码"]]
        assert sum(parts) == round(100 * float(prefecture["GDP_亿元"]))


@pytest.mark.parametrize("region, counties, prefectures", [("zhejiang", 90, 11), ("jinhua", 9, 1)])
def test_borders(region, counties, prefectures):
    for name, count in [("county", counties), ("prefecture", prefectures)]:
        units = features(HERE / region / f"{name}.geojson")
        codes = [f["properties"]["code"] for f in units]
        assert len(units) == count and codes == sorted(set(codes)) and all(len(c) == 6 for c in codes)
        for unit in units:
            assert shape(unit).is_valid and set(unit["properties"]) == {"code", "name", "parent"}
    county, prefecture = (
        shapely.union_all([shape(f) for f in features(HERE / region / f"{n}.geojson")])
        for n in ("county", "prefecture")
    )
    assert county.symmetric_difference(prefecture).area < 0.002 * county.area


@pytest.mark.parametrize("region", REGIONS)
def test_rasters(region):
    cell = {"dem_30s": 1 / 120, "landcover_igbp_3min": 0.05, "itu_rain_rate_001pct": 0.125}
    west, south, east, north = shapely.union_all([shape(f) for f in features(HERE / region / "county.geojson")]).bounds
    for name in RASTERS:
        data, transform, crs, _ = raster(HERE / region / f"{name}.tif")
        assert (
            crs.to_epsg() == 4326 and transform.a == pytest.approx(cell.get(name, 0.25)) and transform.e == -transform.a
        )
        right, bottom = transform @ (data.shape[2], data.shape[1])
        assert transform.c < west and transform.f > north and right > east and bottom < south, f"{name} does not cover"
    height, *_, unit = raster(HERE / region / "dem_30s.tif")
    assert height.dtype == np.int16 and -20 <= height.min() and 1400 < height.max() <= 1795 and unit == ("m",)
    warmth, *_, unit = raster(HERE / region / "era5_t2m_monthly.tif")
    assert warmth.shape[0] == 12 and -5 < warmth.min() and warmth.max() < 35 and set(unit) == {"degC"}
    rain, *_, unit = raster(HERE / region / "era5_tp_monthly.tif")
    year = rain.sum(axis=0)
    assert rain.shape[0] == 12 and 1000 < year.min() and year.max() < 3000 and set(unit) == {"mm/month"}
    rate, *_ = raster(HERE / region / "itu_rain_rate_001pct.tif")
    assert 40 < rate.min() and rate.max() < 90
    cover, *_ = raster(HERE / region / "landcover_igbp_3min.tif")
    assert cover.dtype == np.uint8 and cover.max() <= 16


def test_jinhua_is_a_window_of_zhejiang():
    for name in RASTERS:
        large, at, *_ = raster(HERE / f"zhejiang/{name}.tif")
        small, to, *_ = raster(HERE / f"jinhua/{name}.tif")
        col, row = (round(v) for v in ~at @ (to.c, to.f))
        window = large[:, row : row + small.shape[1], col : col + small.shape[2]]
        assert np.array_equal(window.filled(), small.filled()), name


def test_points_and_rivers_lie_in_the_box():
    for region in REGIONS:
        box = tomllib.loads((HERE / region / "PROVENANCE.toml").read_text(encoding="utf-8"))["box"]
        inside = shapely.box(*box).buffer(1e-5)
        for name in ("stations.csv", "places.csv"):
            table = rows(f"{region}/{name}")
            assert table and all(inside.covers(shapely.Point(float(r["lon"]), float(r["lat"]))) for r in table)
        lines = features(HERE / region / "rivers.geojson")
        assert lines and all(inside.covers(shape(f)) for f in lines)


def test_typed_tables_name_their_sources():
    for name in ("disasters_zhejiang.csv", "gdp2020_zhejiang.csv", "storm_formula.csv"):
        for row in rows(f"typed/{name}"):
            assert row.get("source") or row.get("来源"), row
            assert (row.get("status") or row.get("状态")) in ("read", "unverified"), row


@pytest.mark.parametrize("region, count, inside", [("jinhua", 11, 5), ("zhejiang", 21, 21)])
def test_disasters_are_those_of_the_region(region, count, inside):
    typed, here = rows("typed/disasters_zhejiang.csv"), rows(f"{region}/disasters.csv")
    assert len(here) == count and all(row in typed for row in here)
    prefix = "3307" if region == "jinhua" else "33"
    assert sum(row["code"].startswith(prefix) for row in here) == inside
    assert all(row["code"].startswith(prefix) or row["code"] == "330000" for row in here)


def test_no_hosts_or_machine_paths():
    for path in [HERE / "build.py", HERE / "requirements.txt", *(HERE / r / "PROVENANCE.toml" for r in REGIONS)]:
        text = path.read_text(encoding="utf-8")
        for bad in ("http" + "://", "https" + "://", "/" + "work/", "/" + "tmp/", "/" + "root/"):
            assert bad not in text, f"{path.name}: {bad}"


def test_shares_use_the_largest_remainder():
    spec = importlib.util.spec_from_file_location("build", HERE / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert build.share_out(10, [1, 1, 1]) == [4, 3, 3]
    assert build.share_out(100, [5, 0, 95]) == [5, 0, 95]


def test_same_as_shared_cut():
    """The independent cut of the same packages, where it is there: rasters and tables equal, borders equal."""
    other = SHARED / "region" / "zhejiang"
    if not other.is_dir():
        pytest.skip(f"no shared cut at {other}: set ANLAN_SHARED_DATA to compare with it")
    for name in RASTERS:
        ours, at, *_ = raster(HERE / f"zhejiang/{name}.tif")
        theirs, to, *_ = raster(other / f"{name}.tif")
        assert at.almost_equals(to, 1e-9) and np.array_equal(ours.filled(), theirs.filled()), name
    for name, key in [("county", "district_adcode"), ("prefecture", "city_adcode")]:
        ours = {f["properties"]["code"]: shape(f) for f in features(HERE / f"zhejiang/{name}.geojson")}
        theirs = {str(f["properties"][key]): shape(f) for f in features(other / f"{name}.geojson")}
        assert ours.keys() == theirs.keys()
        assert max(ours[c].symmetric_difference(theirs[c]).area for c in ours) == 0
    assert (HERE / "zhejiang/stations.csv").read_bytes() == (other / "stations.csv").read_bytes()
    assert (HERE / "zhejiang/places.csv").read_bytes() == (other / "places_geonames.csv").read_bytes()
    # theirs runs on to the edge of the bins and has no level 0 (river-lakes): compare lengths inside the box
    box, length, expected = shapely.box(117.9, 26.9, 123.1, 31.3), defaultdict(float), defaultdict(float)
    for f in features(HERE / "zhejiang/rivers.geojson"):
        length[f["properties"]["level"]] += shape(f).length
    for f in features(other / "rivers_gshhg.geojson"):
        expected[f["properties"]["gshhg_river_level"]] += shape(f).intersection(box).length
    assert all(abs(length[level] - e) < 1e-4 for level, e in expected.items())
    theirs = {r["区划代码"][:6]: r for r in csv.DictReader(open(other / "census2020.csv", encoding="utf-8-sig"))}
    for row in rows("zhejiang/census.csv"):
        twin = theirs[row["区划代码"]]
        for ours_key, key in [
            ("常住人口", "人口数_合计"),
            ("城镇人口", "城镇人口"),
            ("家庭户数", "家庭户数"),
            ("平均每户住房间数", "平均每户住房间数"),
            ("人均住房建筑面积", "人均住房建筑面积"),
            ("总就业(长表)", "各种行业人口总计"),
        ]:
            assert float(row[ours_key]) == float(twin[key]), (row["名称"], key)
        assert 100 * int(row["0-14岁人口"]) / int(row["常住人口"]) == pytest.approx(
            float(twin["人口比重_0-14岁"]), abs=0.006
        )
        assert 100 * int(row["65岁及以上人口"]) / int(row["常住人口"]) == pytest.approx(
            float(twin["人口比重_65岁及以上"]), abs=0.006
        )
