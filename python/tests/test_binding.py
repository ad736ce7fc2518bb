"""The binding by itself: round trips, exceptions, and results against NumPy and paper."""

import pickle
import threading
import types

import numpy as np
import pytest
import shapely

import anlan

GRID = anlan.Grid(4549, 500000.0, 3200040.0, 10.0, 10.0, 4, 3)


def ramp(grid=GRID):
    return np.arange(grid.rows * grid.cols, dtype=np.float32).reshape(grid.shape)


def test_grid_tells_where_its_cells_lie():
    assert GRID.shape == (4, 3)
    assert GRID.transform == (10.0, 0.0, 500000.0, 0.0, -10.0, 3200040.0)
    assert GRID.bounds == (500000.0, 3200000.0, 500030.0, 3200040.0)
    assert anlan.Grid.from_transform(4549, GRID.transform, GRID.shape) == GRID
    assert pickle.loads(pickle.dumps(GRID)) == GRID
    assert eval(repr(GRID), {"Grid": anlan.Grid}) == GRID


@pytest.mark.parametrize("epsg", [4490, 4326, 4549, 32650])
def test_rasters_come_back_bit_for_bit(tmp_path, epsg):
    grid = GRID if epsg > 4490 else anlan.Grid(epsg, 119.0, 29.0, 1 / 1200, 1 / 1200, 300, 517)
    grid = anlan.Grid(epsg, grid.west, grid.north, grid.dx, grid.dy, grid.rows, grid.cols)
    array = np.random.default_rng(1).normal(size=grid.shape).astype(np.float32)
    array[0, 0] = np.nan
    anlan.write_raster(tmp_path / "a.tif", array, grid)
    back, back_grid = anlan.read_raster(tmp_path / "a.tif")
    assert back.dtype == np.float32
    assert back.tobytes() == array.tobytes()
    assert back_grid == grid
    info = anlan.raster_info(str(tmp_path / "a.tif"))
    assert (info["grid"], info["bands"], info["sample"]) == (grid, 1, "f32")
    assert np.isnan(info["nodata"])


def test_any_layout_and_type_is_taken():
    fortran = np.asfortranarray(ramp())
    for array in [fortran, ramp().astype(np.int16), ramp().astype(">f8"), ramp().tolist(), ramp()[::1]]:
        np.testing.assert_array_equal(anlan.fill_depressions(array, GRID), anlan.fill_depressions(ramp(), GRID))
    np.testing.assert_array_equal(anlan.resample(ramp()[::-1, ::-1], GRID, GRID, "nearest"), ramp()[::-1, ::-1])
    # The compiled half takes any strides too.
    np.testing.assert_array_equal(anlan._anlan.resample(fortran, GRID, GRID, "nearest"), ramp())


def test_a_data_array_stands_for_array_and_grid():
    def data_array(values, nodata=None):
        crs = types.SimpleNamespace(to_epsg=lambda: 4549)
        rio = types.SimpleNamespace(crs=crs, transform=lambda: (*GRID.transform, 0.0, 0.0, 1.0), nodata=nodata)
        return types.SimpleNamespace(values=values, rio=rio)

    np.testing.assert_array_equal(anlan.slope(data_array(ramp()[np.newaxis])), anlan.slope(ramp(), GRID))
    holed = anlan.fill_depressions(data_array(ramp().astype(np.int32), nodata=0))
    assert np.isnan(holed[0, 0]) and np.isnan(holed).sum() == 1


def test_faults_are_exceptions(tmp_path):
    with pytest.raises(anlan.InputError) as caught:
        anlan.read_raster(tmp_path / "missing.tif")
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, anlan.AnlanError)
    (fault,) = caught.value.faults
    assert fault["file"].endswith("missing.tif") and fault["found"] == "no such file"
    assert set(fault) == {"file", "place", "found", "expected", "remedy"}
    copy = pickle.loads(pickle.dumps(caught.value))
    assert copy.faults == caught.value.faults

    (tmp_path / "broken.tif").write_bytes(b"II*\0broken")
    anlan.write_raster(tmp_path / "a.tif", ramp(), GRID)
    anlan.write_geopackage(tmp_path / "a.gpkg", "a", ["n"], [[1]], [shapely.to_wkb(shapely.Point(500000, 3200000))], 4549)
    (tmp_path / "b.gpkg").write_text("nothing")
    (tmp_path / "b.parquet").write_text("nothing")
    point = shapely.to_wkb(shapely.Point(0, 0))
    faulty = [
        lambda: anlan.Grid(2154, 0, 0, 1, 1, 1, 1),
        lambda: anlan.Grid(4549, 0, 0, -1, 1, 1, 1),
        lambda: anlan.Grid.from_transform(4549, (1, 0, 0, 0, 1, 0), (2, 2)),
        lambda: anlan.Grid.from_transform(4549, (1, 0.1, 0, 0, -1, 0), (2, 2)),
        lambda: anlan.read_raster(tmp_path / "broken.tif"),
        lambda: anlan.read_raster(tmp_path / "a.tif", 2),
        lambda: anlan.raster_info(tmp_path / "missing.tif"),
        lambda: anlan.slope(ramp().T, GRID),
        lambda: anlan.slope(ramp()),
        lambda: anlan.slope(np.zeros(3), GRID),
        lambda: anlan.slope(ramp(), GRID, edge="round"),
        lambda: anlan.resample(ramp(), GRID, GRID, "cubic"),
        lambda: anlan.zonal(ramp(), GRID, [b"\x01\x02"]),
        lambda: anlan.zonal(ramp(), GRID, [b""]),
        lambda: anlan.zonal(ramp(), GRID, [point]),
        lambda: anlan.read_vector(tmp_path / "b.gpkg"),
        lambda: anlan.read_vector(tmp_path / "a.gpkg", "other"),
        lambda: anlan.read_vector(tmp_path / "missing.geojson"),
        lambda: anlan.write_geopackage(tmp_path / "c.gpkg", "a", ["n"], [[1, 2]], [point], 4490),
        lambda: anlan.write_geopackage(tmp_path / "c.gpkg", "a", ["n"], [[1]], [b"x"], 4490),
        lambda: anlan.write_geopackage(tmp_path / "c.gpkg", "a", ["n"], [[1]], [point], 9999),
        lambda: anlan.read_parquet(tmp_path / "b.parquet"),
        lambda: anlan.write_parquet(tmp_path / "c.parquet", {"a": [1, 2]}),
        lambda: anlan.write_parquet(tmp_path / "c.parquet", {"a": ["x"], "b": ["x", "y"]}),
    ]
    for i, call in enumerate(faulty):
        try:
            call()
        except anlan.InputError as e:
            assert e.faults and str(e), i
        else:
            pytest.fail(f"case {i} raised nothing")
    assert not (tmp_path / "c.gpkg").exists() and not (tmp_path / "c.parquet").exists()
    with pytest.raises((anlan.InputError, OSError)):
        anlan.write_raster(tmp_path / "no folder" / "a.tif", ramp(), GRID)


def test_a_plane_has_its_slope_and_shade():
    # 1 m in 10 m to the east: atan(0.1); lit from the north-west at 45 degrees.
    grid = anlan.Grid(4549, 500000.0, 3200000.0, 10.0, 10.0, 20, 20)
    plane = np.broadcast_to(np.arange(20, dtype=np.float32), grid.shape)
    inner = anlan.slope(plane, grid)[1:-1, 1:-1]
    np.testing.assert_allclose(inner, np.degrees(np.arctan(0.1)), rtol=1e-6)
    assert np.isnan(anlan.slope(plane, grid, edge="nodata")[0]).all()
    # Normal (-0.1, 0, 1) / |n|, light (-0.5, 0.5, 0.7071): GDAL scales the cosine to 1 + 254 cos.
    cosine = (0.1 * 0.5 + np.sqrt(0.5)) / np.sqrt(1.01)
    np.testing.assert_allclose(anlan.hillshade(plane, grid)[1:-1, 1:-1], 1 + 254 * cosine, rtol=1e-5)


def test_a_pit_is_filled_to_its_rim():
    grid = anlan.Grid(4549, 500000.0, 3200000.0, 10.0, 10.0, 5, 5)
    dem = np.full(grid.shape, 5, np.float32)
    dem[2, 2], dem[0, 2], dem[1, 2] = 1, 3, 3
    before = dem.copy()
    filled = anlan.fill_depressions(dem, grid)
    expected = before.copy()
    expected[2, 2] = 3
    np.testing.assert_array_equal(filled, expected)
    np.testing.assert_array_equal(dem, before)


def test_water_runs_down_a_plane():
    # Falls by 2 m a cell to the south: every column by itself.
    grid = anlan.Grid(4549, 500000.0, 3200000.0, 10.0, 10.0, 6, 4)
    dem = np.repeat(20 - 2 * np.arange(6, dtype=np.float32), 4).reshape(grid.shape)
    directions = anlan.flow_direction(anlan.fill_depressions(dem, grid), grid)
    assert directions.dtype == np.uint8
    assert (directions[:5] == 2).all() and (directions[5] == 255).all()
    rows = np.arange(6, dtype=np.float32)[:, np.newaxis]
    accumulation = anlan.flow_accumulation(directions, grid)
    np.testing.assert_array_equal(accumulation, np.broadcast_to(rows + 1, grid.shape))
    np.testing.assert_array_equal(anlan.flow_accumulation(directions.astype(int), grid, dem * 0 + 2), 2 * accumulation)
    height = anlan.hand(dem, directions, accumulation == 4, grid)
    np.testing.assert_array_equal(height[:4], np.broadcast_to(6 - 2 * rows[:4], (4, 4)))
    assert np.isnan(height[4:]).all()


def test_directions_off_the_grid_are_named():
    codes = np.full(GRID.shape, 255, np.uint8)
    codes[3, 1] = 3
    with pytest.raises(anlan.InputError, match="row 3, column 1"):
        anlan.flow_accumulation(codes, GRID)
    with pytest.raises(anlan.InputError, match="0 to 255"):
        anlan.flow_accumulation(codes.astype(float) + 0.5, GRID)


def test_zones_weigh_cells_by_their_share():
    # On paper: values 0..11 in 4 x 3 cells; the second zone takes the left half of column 0, the third lies outside.
    west, south, east, north = GRID.bounds
    zones = [
        shapely.box(west, south, east, north),
        shapely.box(west, south, west + 5, north),
        shapely.box(west - 100, south, west - 50, north),
        shapely.MultiPolygon([shapely.box(west, north - 10, west + 10, north), shapely.box(east - 10, south, east, south + 10)]),
    ]
    stats = anlan.zonal(ramp(), GRID, [shapely.to_wkb(z) for z in zones])
    np.testing.assert_allclose(stats["count"], [12, 2, 0, 2])
    np.testing.assert_allclose(stats["sum"], [66, (0 + 3 + 6 + 9) / 2, 0, 11])
    np.testing.assert_allclose(stats["mean"], [5.5, 4.5, np.nan, 5.5])
    np.testing.assert_allclose(stats["min"], [0, 0, np.nan, 0])
    np.testing.assert_allclose(stats["max"], [11, 9, np.nan, 11])
    np.testing.assert_allclose(stats["stdev"], [ramp().std(), np.std([0, 3, 6, 9]), np.nan, 5.5], rtol=1e-6)
    holed = ramp()
    holed[1, 1] = np.nan
    (total,) = anlan.zonal(holed, GRID, [shapely.to_wkb(zones[0])])["sum"]
    assert total == np.nansum(holed)
    (volume,) = anlan.zonal(ramp(), GRID, [shapely.to_wkb(zones[0])], area_weighted=True)["sum"]
    assert volume == 6600.0
    assert all(len(v) == 0 for v in anlan.zonal(ramp(), GRID, []).values())


def test_zones_agree_with_shapely_on_slanted_edges():
    grid = anlan.Grid(4549, 0.0, 20.0, 1.0, 1.0, 20, 20)
    values = np.random.default_rng(2).random(grid.shape).astype(np.float32)
    zone = shapely.Polygon([(1.3, 2.1), (17.9, 5.5), (12.2, 18.4), (6.6, 9.1)], [[(9, 7), (11, 7), (10, 9.5)]])
    shares = np.array(
        [[shapely.box(c, 19 - r, c + 1, 20 - r).intersection(zone).area for c in range(20)] for r in range(20)]
    )
    stats = anlan.zonal(values, grid, [shapely.to_wkb(zone)])
    np.testing.assert_allclose(stats["count"][0], zone.area, rtol=1e-6)
    np.testing.assert_allclose(stats["sum"][0], (shares * values).sum(), rtol=1e-6)


def test_zones_of_files_weights_and_classes(tmp_path):
    values = np.arange(12, dtype=np.float32).reshape(GRID.shape) // 4
    anlan.write_raster(tmp_path / "v.tif", values, GRID)
    anlan.write_raster(tmp_path / "w.tif", values + 1, GRID)
    west, south, east, north = GRID.bounds
    zones = [shapely.box(west, south, east, north), shapely.box(west, south, west + 5, north)]
    options = dict(quantiles=[0.25, 0.5], classes=True)
    of_array = anlan.zonal(values, GRID, zones, weights=values + 1, **options)
    of_file = anlan.zonal(tmp_path / "v.tif", None, zones, weights=tmp_path / "w.tif", **options)
    for name, column in of_array.items():
        for a, b in zip(column.values(), of_file[name].values()) if name == "classes" else [(column, of_file[name])]:
            np.testing.assert_array_equal(a, b)
    # On paper: 0, 1 and 2 four times each, weights 1, 2 and 3.
    assert (of_file["variety"][0], of_file["majority"][0], of_file["minority"][0]) == (3, 2, 0)
    assert (of_file["weight"][0], of_file["weighted_sum"][0]) == (24, 4 * (0 + 2 + 6))
    assert of_file["q50"][0] == 1
    assert list(of_file["classes"]["zone"][:3]) == [0, 0, 0]
    assert list(of_file["classes"]["cells"][:3]) == [4, 4, 4]
    with pytest.raises(anlan.InputError, match="quantiles"):
        anlan.zonal(values, GRID, zones, quantiles=[25])
    with pytest.raises(anlan.InputError, match="beside a file"):
        anlan.zonal(tmp_path / "v.tif", GRID, zones)


def test_polygons_are_painted():
    west, south, east, north = GRID.bounds
    zones = [shapely.box(west, south, west + 10, north), shapely.box(west + 12, north - 14, west + 18, north)]
    np.testing.assert_array_equal(anlan.rasterize(zones, GRID), [[1, 2, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]])
    touched = anlan.rasterize([shapely.to_wkb(z) for z in zones], GRID, [7, 8], all_touched=True, background=5)
    np.testing.assert_array_equal(touched, [[7, 8, 5], [7, 8, 5], [7, 5, 5], [7, 5, 5]])
    with pytest.raises(anlan.InputError, match="values for 2 polygons"):
        anlan.rasterize(zones, GRID, [1])


def test_resampling_keeps_totals():
    fine = anlan.Grid(4549, 500000.0, 3200000.0, 10.0, 10.0, 40, 60)
    coarse = anlan.Grid(4549, 500000.0, 3200000.0, 50.0, 50.0, 8, 12)
    people = np.random.default_rng(3).random(fine.shape).astype(np.float32)
    blocks = people.reshape(8, 5, 12, 5)
    np.testing.assert_allclose(anlan.resample(people, fine, coarse, "sum"), blocks.sum((1, 3)), rtol=1e-5)
    np.testing.assert_allclose(anlan.resample(people, fine, coarse, "average"), blocks.mean((1, 3)), rtol=1e-5)
    np.testing.assert_array_equal(anlan.resample(people, fine, coarse, "nearest"), people[2::5, 2::5])


def test_tables_come_back(tmp_path):
    columns = {
        "event_u32": np.array([0, 1, 2**32 - 1], np.uint32),
        "id_u64": np.array([0, 1, 2**64 - 1], np.uint64),
        "year_i64": np.array([-(2**63), 0, 2**63 - 1]),
        "depth_m": np.array([0.1, np.nan, -0.0], np.float32),
        "loss_yuan": np.array([1e300, 0.1, np.inf]),
        "county": ["婺城区", "", "Lanxi"],
    }
    anlan.write_parquet(tmp_path / "a.parquet", columns)
    back = anlan.read_parquet(tmp_path / "a.parquet")
    assert list(back) == list(columns)
    for name, values in columns.items():
        if isinstance(values, list):
            assert back[name] == values
        else:
            assert back[name].dtype == values.dtype and back[name].tobytes() == values.tobytes()


def test_other_threads_run_meanwhile():
    # A thread counts while the main thread computes; with the interpreter held it could not count at all.
    grid = anlan.Grid(4549, 0.0, 0.0, 10.0, 10.0, 1500, 1500)
    dem = np.random.default_rng(4).random(grid.shape).astype(np.float32)
    count, stop = [0], threading.Event()

    def tick():
        while not stop.wait(0.001):
            count[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    anlan._anlan.fill_depressions(dem, grid)
    stop.set()
    thread.join()
    assert count[0] > 2


def test_a_run_refuses_a_project_that_is_not_there(tmp_path):
    with pytest.raises(anlan.InputError):
        anlan.run(tmp_path / "missing.toml")
    with pytest.raises(anlan.InputError):
        anlan.run(tmp_path / "missing.toml", threads=0)
    assert list(tmp_path.iterdir()) == []
