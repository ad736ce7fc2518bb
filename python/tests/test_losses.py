"""Event sets from arrays and portfolios through the loss engine."""

import csv

import anlan
import numpy as np
import pytest

PORTFOLIO = """
name = "two houses"
events = "e.events"
exposure = "exposure.csv"
vulnerability = "v.toml"
years = 100
classes = [{ code = "house", vulnerability = "line", currency = "CNY", price_year = 2020 }]
"""

CURVE = """
[[curve]]
code = "line"
measure = "depth_m"
intensity = [0.0, 2.0]
mdd = [0.0, 1.0]
"""


def case(folder, **more):
    depth = np.array([0.5, 1.0, 2.0])
    anlan.write_events(folder / "e.events", {"depth_m": depth}, [7, 9], [0.1, 0.02], [0, 1, 3], [0, 0, 1], **more)
    (folder / "exposure.csv").write_text("item,place,class,value,unit\n1,0,house,100,330702\n2,1,house,200,330703\n")
    (folder / "v.toml").write_text(CURVE)
    (folder / "p.toml").write_text(PORTFOLIO)
    return folder / "p.toml"


@pytest.mark.parametrize("double", [False, True])
def test_losses_by_hand(tmp_path, double):
    made = anlan.losses(case(tmp_path, double=double), out=tmp_path / "out", threads=1)
    table = anlan.read_parquet(made / "events.parquet")
    assert table["event"].tolist() == [7, 9, 9]
    assert table["mean"].tolist() == [25.0, 50.0, 200.0]
    with open(made / "average.csv", encoding="utf-8-sig") as f:
        total = next(csv.DictReader(f))
    assert float(total["average_annual_mean"]) == pytest.approx(0.1 * 25 + 0.02 * 250, rel=1e-15)


def test_rows_must_fit(tmp_path):
    with pytest.raises(anlan.InputError) as error:
        anlan.write_events(tmp_path / "e.events", {"depth_m": [1.0]}, [1], [0.1], [0, 2], [0])
    assert "first_row" in str(error.value)
    with pytest.raises(anlan.InputError):
        case(tmp_path, probability=[1.0, 0.5, 1.0])
    assert not (tmp_path / "e.events").exists()
