"""The flood solver on arrays: still water, a dam break, balances, and what is refused."""

import threading
import time

import anlan
import numpy as np
import pytest
import rioxarray  # noqa: F401
import xarray as xr

G = 9.81
GRID = anlan.Grid(4549, 500000.0, 3200400.0, 10.0, 10.0, 40, 60)
SHARED = ["initial_m3", "inflow_m3", "rain_m3", "infiltrated_m3", "outflow_m3", "stored_m3", "balance_error"]


def hills():
    rows, cols = np.mgrid[0:40, 0:60]
    return (np.sin(rows / 5) + np.cos(cols / 7) - 0.01 * cols).astype(np.float32)


def data_array(values, grid=GRID):
    x = grid.west + grid.dx * (np.arange(grid.cols) + 0.5)
    y = grid.north - grid.dy * (np.arange(grid.rows) + 0.5)
    array = xr.DataArray(values[np.newaxis], {"band": [1], "y": y, "x": x}, ("band", "y", "x"))
    return array.rio.write_crs(grid.epsg)


@pytest.mark.parametrize("scheme", ["inertial", "fv1", "fv2", "auto"])
def test_a_lake_stays_at_rest(scheme):
    # Heights in eighths of a metre, which float32 holds exactly: nothing moves.
    bed = np.round(8 * hills()) / 8
    lake = np.maximum(1 - bed, 0)
    run = anlan.flood(bed, GRID, duration_s=600, manning=0.03, initial_depth=lake, scheme=scheme)
    np.testing.assert_array_equal(run["depth_m"], lake)
    assert run["max_velocity_m_s"].max() == 0
    assert run["balance_error"] == 0 and run["stored_m3"] == pytest.approx(100 * lake.sum(dtype=np.float64))
    assert run["scheme"] == ("inertial" if scheme == "auto" else scheme)


@pytest.mark.parametrize("scheme", ["fv1", "fv2", "auto"])
def test_a_dam_breaks_as_ritter_says(scheme):
    grid = anlan.Grid(4549, 500000.0, 3200000.0, 1.0, 1.0, 3, 800)
    x = np.arange(800) + 0.5 - 400
    depth = np.broadcast_to(np.where(x < 0, 10.0, 0.0), grid.shape)
    run = anlan.flood(np.zeros(grid.shape), grid, duration_s=15, manning=1e-6, initial_depth=depth, scheme=scheme)
    c, s = np.sqrt(G * 10), x / 15
    exact = np.where(s < -c, 10, np.where(s < 2 * c, (2 * c - s) ** 2 / (9 * G), 0))
    assert np.abs(run["depth_m"] - exact).mean() < 0.02 * 10
    assert abs(run["balance_error"]) < 1e-6
    assert run["scheme"] == ("fv1" if scheme == "fv1" else "fv2")


def test_rain_soil_and_inflow_add_up():
    north = np.zeros(GRID.shape, bool)
    north[0, 5:9] = True
    run = anlan.flood(
        hills(),
        GRID,
        duration_s=1800,
        manning=np.full(GRID.shape, 0.04),
        rain=(600, [30, 60]),
        infiltration=5,
        inflows=[
            {"cells": north, "discharge_m3_s": 2},
            {"xy": [(500305.0, 3200205.0)], "discharge_m3_s": (300, [1, 0, 3])},
        ],
        edge="free",
        flooded_m=0.1,
    )
    area = 40 * 60 * 100
    assert run["rain_m3"] == pytest.approx(area * 0.015, rel=1e-6)
    assert run["inflow_m3"] == pytest.approx(2 * 1800 + 300 * 4, rel=1e-6)
    assert 0 < run["infiltrated_m3"] < area * 0.0025 * 1.000001 and run["outflow_m3"] > 0
    assert abs(run["balance_error"]) < 1e-6
    assert run["stored_m3"] == pytest.approx(100 * run["depth_m"].sum(dtype=np.float64), rel=1e-6)
    flooded = run["max_depth_m"] >= 0.1
    np.testing.assert_array_equal(np.isfinite(run["arrival_s"]), flooded)
    np.testing.assert_array_equal(run["duration_s"] > 0, flooded)
    assert run["steps"] > 0 and run["cell_steps"] > 0


def test_rain_in_space_is_rain_in_time():
    frames = np.full((2, *GRID.shape), 40, np.float32)
    frames[1] = 80
    common = dict(duration_s=1200, manning=0.05)
    even = anlan.flood(hills(), GRID, rain=(600, [40, 80]), **common)
    by_cell = anlan.flood(hills(), GRID, rain=(600, frames), **common)
    np.testing.assert_allclose(by_cell["depth_m"], even["depth_m"], atol=1e-6)
    constant = anlan.flood(hills(), GRID, rain=frames[0], **common)
    assert constant["rain_m3"] == pytest.approx(2400 * 100 * 0.04 / 3, rel=1e-6)


def test_a_tide_fills_a_harbour():
    bed = np.full(GRID.shape, -2, np.float32)
    west = [(row, 0) for row in range(40)]
    tide = {"cells": west, "level_m": ([0, 1800, 20000], [-1.0, 0.5, 0.5])}
    # Rough, so that the swing that the tide's sudden end leaves (60 mm in 480 s) has died away.
    run = anlan.flood(bed, GRID, duration_s=9000, manning=0.2, initial_depth=1, levels=[tide])
    np.testing.assert_allclose(run["depth_m"], 2.5, atol=0.002)
    assert run["outflow_m3"] == pytest.approx(-1.5 * 240000, rel=0.002) and abs(run["balance_error"]) < 1e-6


@pytest.mark.parametrize("scheme", ["inertial", "fv2"])
def test_threads_do_not_matter(scheme):
    grid = anlan.Grid(4549, 500000.0, 3200000.0, 10.0, 10.0, 160, 240)
    bed = np.kron(hills(), np.ones((4, 4)))
    runs = [
        anlan.flood(bed, grid, duration_s=600, manning=0.03, rain=80, edge="free", scheme=scheme, threads=threads)
        for threads in (1, 2)
    ]
    for name, value in runs[0].items():
        other = runs[1][name]
        assert value.tobytes() == other.tobytes() if isinstance(value, np.ndarray) else value == other, name


def test_a_data_array_gives_a_dataset(tmp_path):
    bed = hills()
    bed[:, :3] = np.nan
    common = dict(duration_s=600, rain=50)
    plain = anlan.flood(bed, GRID, manning=0.03, edge="free", **common)
    n = data_array(np.where(np.isnan(bed), np.nan, 0.03))
    found = anlan.flood(data_array(bed), manning=n, edge="free", **common)
    assert found["max_depth_m"].dims == ("y", "x") and set(found.coords) == {"x", "y", "spatial_ref"}
    assert found.rio.crs.to_epsg() == 4549 and found["max_hazard_m2_s"].attrs["units"] == "m2 s-1"
    for name, value in plain.items():
        np.testing.assert_array_equal(found[name] if isinstance(value, np.ndarray) else found.attrs[name], value)
    assert set(SHARED) <= set(found.attrs) and "max_depth_m" not in found.attrs
    assert np.isnan(found["depth_m"].values[:, :3]).all() and np.isfinite(found["depth_m"].values[:, 3:]).all()
    # Water leaves over cells without a bed, unless the edge is closed.
    assert anlan.flood(bed, GRID, manning=0.03, **common)["outflow_m3"] == 0 < plain["outflow_m3"]


def test_progress_is_told_and_can_end_a_run():
    common = dict(manning=0.03, initial_depth=1 + hills().clip(0), threads=1)
    told = []
    anlan.flood(hills(), GRID, duration_s=60, progress=told.append, **common)
    assert told[-1] == 60 and told == sorted(told)

    def give_up(time_s):
        raise RuntimeError(f"after {time_s} s")

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="after"):
        anlan.flood(hills(), GRID, duration_s=1e7, progress=give_up, **common)
    assert time.monotonic() - started < 30


def test_others_run_meanwhile_and_signals_are_heard():
    import signal

    beats = []

    def interrupt():
        for _ in range(10):
            time.sleep(0.02)
            beats.append(1)
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        anlan.flood(hills(), GRID, duration_s=1e7, manning=0.03, initial_depth=1)
    thread.join()
    assert len(beats) == 10


FLAT = np.zeros(GRID.shape, np.float32)
FAULTS = [
    (dict(duration_s=0), "duration_s"),
    (dict(manning=0), "manning"),
    (dict(manning="rough"), "manning"),
    (dict(manning=np.full((3, 3), 0.03)), "manning"),
    (dict(manning=np.where(np.arange(60) == 7, -1, 0.03) + FLAT), "row 0, column 7"),
    (dict(manning=data_array(FLAT + 0.03, anlan.Grid(4549, 0.0, 0.0, 10.0, 10.0, 40, 60))), "manning"),
    (dict(scheme="fast"), "scheme"),
    (dict(edge="open"), "edge"),
    (dict(threads=0), "threads"),
    (dict(flooded_m=-1), "flooded_m"),
    (dict(rain=-1), "rain"),
    (dict(rain=np.nan), "rain"),
    (dict(rain=[1, 2, 3]), "rain"),
    (dict(rain=np.ones(3)), "rain"),
    (dict(rain=(0, [1])), "rain, step_s"),
    (dict(rain=(60, [])), "rain"),
    (dict(rain=(60, [1, -2])), "rain, step 1"),
    (dict(rain=(60, np.ones((2, 3, 3)))), "rain, step 0"),
    (dict(infiltration=-FLAT - 1), "infiltration"),
    (dict(initial_depth=np.inf), "initial_depth"),
    (dict(inflows=[{"cells": [(0, 0)]}]), r"inflows\[0\]"),
    (dict(inflows=[{"cells": [(0, 60)], "discharge_m3_s": 1}]), r"inflows\[0\].*\(0, 60\)"),
    (dict(inflows=[{"xy": [(0, 0)], "discharge_m3_s": 1}]), "off the grid"),
    (dict(inflows=[{"cells": FLAT > 0, "discharge_m3_s": 1}]), "cells"),
    (dict(inflows=[{"cells": [(0.5, 1)], "discharge_m3_s": 1}]), "cells"),
    (dict(inflows=[{"cells": [(0, 0)], "discharge_m3_s": -1}]), "discharge_m3_s"),
    (dict(levels=[{"cells": [(5, 5)], "level_m": 1}]), "edge"),
    (dict(levels=[{"cells": [(0, 0)], "level_m": ([1, 0], [1, 1])}]), "level_m"),
    (dict(levels=[{"cells": [(0, 0)], "level_m": np.nan}]), "level_m"),
]


@pytest.mark.parametrize("arguments,named", FAULTS)
def test_faults_are_named(arguments, named):
    with pytest.raises(anlan.InputError, match=named) as caught:
        anlan.flood(FLAT, GRID, **(dict(duration_s=60, manning=0.03) | arguments))
    (fault,) = caught.value.faults
    assert fault["found"] and fault["expected"] and fault["remedy"]


def test_grids_and_gaps_are_refused():
    degrees = anlan.Grid(4490, 119.0, 29.0, 0.001, 0.001, 40, 60)
    with pytest.raises(anlan.InputError, match="square cells"):
        anlan.flood(FLAT, degrees, duration_s=60, manning=0.03)
    bed = FLAT.copy()
    bed[3, 4] = np.nan
    with pytest.raises(anlan.InputError, match="row 3, column 4"):
        anlan.flood(bed, GRID, duration_s=60, manning=0.03, inflows=[{"cells": [(3, 4)], "discharge_m3_s": 1}])
