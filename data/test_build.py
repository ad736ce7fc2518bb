"""Checks the committed showcase data; needs pytest only (rasters are checked by hash)."""

import csv
import hashlib
import json
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("region", ["zhejiang", "jinhua"])
def test_files_are_those_of_the_provenance(region):
    provenance = tomllib.loads((HERE / region / "PROVENANCE.toml").read_text(encoding="utf-8"))
    files = {p.name for p in (HERE / region).iterdir()} - {"PROVENANCE.toml", "project.toml", "projects"}
    assert files == set(provenance)
    for name, entry in provenance.items():
        assert hashlib.sha256((HERE / region / name).read_bytes()).hexdigest() == entry["sha256"], name


def census(region):
    with open(HERE / region / "census.csv", encoding="utf-8-sig") as source:
        return {row["区划代码"]: int(row["常住人口"]) for row in csv.DictReader(source)}


def test_sums_of_the_census():
    zhejiang = census("zhejiang")
    prefectures = {c: n for c, n in zhejiang.items() if c.endswith("00") and not c.endswith("0000")}
    assert sum(prefectures.values()) == zhejiang["330000"] == 64_567_588
    short = {
        p: n - sum(m for c, m in zhejiang.items() if c.startswith(p[:4]) and c != p) for p, n in prefectures.items()
    }
    assert {p: d for p, d in short.items() if d} == {"330300": 249_343}
    jinhua = census("jinhua")
    assert sum(n for c, n in jinhua.items() if c != "330700") == jinhua["330700"] == 7_050_683


def test_borders():
    for region, count in [("zhejiang", 90), ("jinhua", 9)]:
        collection = json.loads((HERE / region / "county.geojson").read_text(encoding="utf-8"))
        codes = [f["properties"]["code"] for f in collection["features"]]
        assert len(codes) == count and codes == sorted(set(codes))
