"""Files shared with GDAL (rasterio, pyogrio) and Arrow, both ways."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyogrio.raw
import pytest
import rasterio
import shapely
from rasterio.transform import Affine

import anlan

# NumPy's names, and ours.
NAMES = {
    "uint8": "u8",
    "int16": "i16",
    "uint16": "u16",
    "int32": "i32",
    "uint32": "u32",
    "float32": "f32",
    "float64": "f64",
}
TYPES = list(NAMES)
SYSTEMS = {
    4490: Affine(1 / 1200, 0, 119.2, 0, -1 / 1200, 29.7),
    4549: Affine(12.5, 0, 480000.0, 0, -12.5, 3280000.0),
    32650: Affine(30, 0, 700000.0, 0, -30, 3250000.0),
}
SHAPE = (75, 131)


def sample(dtype, shape=SHAPE):
    """Values over the whole range of the type, smooth enough for predictors to matter."""
    rng = np.random.default_rng(7)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return (np.cumsum(rng.normal(size=shape), axis=1) * 100).astype(kind)
    info = np.iinfo(kind)
    return rng.integers(info.min, info.max, size=shape, dtype=kind, endpoint=True)


def write(path, bands, epsg, **options):
    bands = bands.reshape((-1, *bands.shape[-2:]))
    profile = dict(driver="GTiff", count=bands.shape[0], height=bands.shape[1], width=bands.shape[2], dtype=bands.dtype)
    with rasterio.open(path, "w", crs=f"EPSG:{epsg}", transform=SYSTEMS[epsg], **profile, **options) as f:
        f.write(bands)


def as_f32(values, nodata=None):
    out = values.astype(np.float32)
    if nodata is not None:
        out[values == nodata] = np.nan
    return out


def valid(dtype, compress, predictor):
    # Predictors need a compression; 3 is for floats; GDAL takes 2 for floats of 32 and 64 bits too.
    return predictor == 1 or (compress != "none" and (predictor == 2 or np.dtype(dtype).kind == "f"))


CASES = [
    case
    for case in itertools.product(TYPES, ["none", "deflate", "lzw", "zstd"], [1, 2, 3], [True, False])
    if valid(*case[:3])
]


@pytest.mark.parametrize("dtype,compress,predictor,tiled", CASES)
def test_rasters_of_gdal_are_read_bit_for_bit(tmp_path, dtype, compress, predictor, tiled):
    values = sample(dtype)
    options = dict(compress=compress)
    if compress != "none":
        options["predictor"] = predictor
    options |= dict(tiled=True, blockxsize=64, blockysize=32) if tiled else dict(blockysize=16)
    write(tmp_path / "a.tif", values, 4549, **options)
    with rasterio.open(tmp_path / "a.tif") as f:
        assert f.profile["tiled"] == tiled
    back, grid = anlan.read_raster(tmp_path / "a.tif")
    assert back.tobytes() == as_f32(values).tobytes()
    assert grid.epsg == 4549 and grid.transform == tuple(SYSTEMS[4549])[:6]
    info = anlan.raster_info(tmp_path / "a.tif")
    assert info["compression"] == compress
    assert info["sample"] == NAMES[dtype]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("epsg", SYSTEMS)
def test_systems_and_no_data_of_gdal_are_understood(tmp_path, dtype, epsg):
    values = sample(dtype)
    nodata = {"f": -9999.0, "u": 0, "i": -9999}[np.dtype(dtype).kind]
    values[3, 5:9] = nodata
    write(tmp_path / "a.tif", values, epsg, nodata=nodata, compress="deflate")
    back, grid = anlan.read_raster(tmp_path / "a.tif")
    assert np.isnan(back[3, 5:9]).all()
    np.testing.assert_array_equal(back, as_f32(values, nodata))
    assert grid.epsg == epsg
    np.testing.assert_allclose(grid.transform, tuple(SYSTEMS[epsg])[:6], rtol=1e-15)
    assert anlan.raster_info(tmp_path / "a.tif")["nodata"] == nodata


@pytest.mark.parametrize("interleave", ["pixel", "band"])
@pytest.mark.parametrize("tiled", [True, False])
@pytest.mark.parametrize("options", [{}, {"BIGTIFF": "YES"}, {"ENDIANNESS": "BIG"}])
def test_bands_and_containers_of_gdal_are_read(tmp_path, interleave, tiled, options):
    bands = np.stack([sample("int16"), sample("int16")[::-1], sample("int16").T.reshape(SHAPE)])
    blocks = dict(tiled=True, blockxsize=64, blockysize=64) if tiled else {}
    write(tmp_path / "a.tif", bands, 4490, interleave=interleave, compress="lzw", predictor=2, **blocks, **options)
    assert anlan.raster_info(tmp_path / "a.tif")["bands"] == 3
    for i in range(3):
        np.testing.assert_array_equal(anlan.read_raster(tmp_path / "a.tif", i + 1)[0], as_f32(bands[i]))


@pytest.mark.parametrize("epsg", SYSTEMS)
def test_pixels_that_are_points_lie_where_gdal_puts_them(tmp_path, epsg):
    write(tmp_path / "a.tif", sample("int16"), epsg)
    with rasterio.open(tmp_path / "a.tif", "r+") as f:
        f.update_tags(AREA_OR_POINT="Point")
    with rasterio.open(tmp_path / "a.tif") as f:
        assert f.tags()["AREA_OR_POINT"] == "Point"
        np.testing.assert_allclose(anlan.read_raster(tmp_path / "a.tif")[1].transform, tuple(f.transform)[:6], rtol=1e-12)


def test_extreme_and_nan_no_data_are_understood(tmp_path):
    values = sample("float32")
    values[0, 0] = np.nan
    write(tmp_path / "a.tif", values, 4490, nodata=np.nan)
    np.testing.assert_array_equal(anlan.read_raster(tmp_path / "a.tif")[0], values)
    lowest = np.finfo(np.float32).min
    values[0, 0] = lowest
    write(tmp_path / "b.tif", values, 4490, nodata=float(lowest))
    back, _ = anlan.read_raster(tmp_path / "b.tif")
    assert np.isnan(back[0, 0]) and np.isnan(back).sum() == 1


@pytest.mark.parametrize("epsg", SYSTEMS)
@pytest.mark.parametrize("shape", [(1, 1), (75, 131), (256, 512), (300, 700)])
def test_gdal_reads_our_rasters(tmp_path, epsg, shape):
    values = sample("float32", shape)
    values[0, 0] = np.nan
    t = SYSTEMS[epsg]
    grid = anlan.Grid.from_transform(epsg, tuple(t)[:6], shape)
    tags = {"ANLAN_UNITS": "m", "ANLAN_NOTE": "水深 <年> & \"百\""}
    anlan.write_raster(tmp_path / "a.tif", values, grid, tags)
    with rasterio.open(tmp_path / "a.tif") as f:
        assert f.crs.to_epsg() == epsg
        assert f.transform.almost_equals(t, 1e-15)
        assert f.dtypes == ("float32",) and np.isnan(f.nodata)
        assert f.read(1).tobytes() == values.tobytes()
        assert {k: v for k, v in f.tags().items() if k.startswith("ANLAN")} == tags


def layer():
    square = shapely.Polygon([(119.1, 29.1), (119.3, 29.1), (119.3, 29.3), (119.1, 29.3)])
    holed = shapely.MultiPolygon(
        [
            shapely.Polygon(
                [(119.5, 29.1), (119.9, 29.1), (119.9, 29.5), (119.5, 29.5)],
                [[(119.6, 29.2), (119.7, 29.2), (119.7, 29.3), (119.6, 29.3)]],
            ),
            shapely.box(120.0, 29.0, 120.1, 29.0000000001),
        ]
    )
    return [square, holed]


COLUMNS = ["code", "名称", "share"]
ROWS = [(330702, "婺城区", 0.25), (330703, "金东区", 1 / 3)]


@pytest.mark.parametrize("epsg", [4490, 4326])
def test_gdal_reads_our_geopackages(tmp_path, epsg):
    path = tmp_path / "a.gpkg"
    anlan.write_geopackage(path, "units", COLUMNS, ROWS, shapely.to_wkb(layer()), epsg)
    meta, _, geometry, fields = pyogrio.raw.read(path, layer="units")
    assert meta["crs"] == f"EPSG:{epsg}"
    assert list(meta["fields"]) == COLUMNS
    assert [tuple(row) for row in zip(*fields)] == ROWS
    back = shapely.from_wkb(geometry)
    # Coordinates to the last bit; GDAL turns single polygons of a mixed layer into what the layer declares.
    assert all(shapely.equals_exact(a, b, 0) for a, b in zip(back, layer()))
    info = pyogrio.read_info(path, force_total_bounds=True)
    np.testing.assert_array_equal(info["total_bounds"], shapely.total_bounds(layer()))


def test_missing_values_and_empty_layers_are_read_by_gdal(tmp_path):
    rows = [(None, None, None), (1, "x", float("nan"))]
    anlan.write_geopackage(tmp_path / "a.gpkg", "u", COLUMNS, rows, shapely.to_wkb(layer()), 4490)
    back = anlan.read_vector(tmp_path / "a.gpkg")
    assert back["rows"][0] == (None, None, None)
    _, _, _, fields = pyogrio.raw.read(tmp_path / "a.gpkg")
    assert fields[1].tolist() == [None, "x"] and np.isnan(fields[2].astype(float)).all()
    anlan.write_geopackage(tmp_path / "b.gpkg", "u", COLUMNS, [], [], 4490)
    assert pyogrio.read_info(tmp_path / "b.gpkg")["features"] == 0
    with pytest.raises(anlan.InputError, match="no features"):
        anlan.read_vector(tmp_path / "b.gpkg")


def write_vector(path, epsg, driver, shapes=None, **options):
    shapes = layer() if shapes is None else shapes
    pyogrio.raw.write(
        path,
        geometry=np.array(shapely.to_wkb(shapes), dtype=object),
        field_data=[np.array(c, dtype=object if isinstance(c[0], str) else None) for c in zip(*ROWS)],
        fields=COLUMNS,
        crs=f"EPSG:{epsg}",
        driver=driver,
        geometry_type=options.pop("geometry_type", "Unknown"),
        **options,
    )


@pytest.mark.parametrize("epsg", [4490, 4326])
def test_geopackages_of_gdal_are_read(tmp_path, epsg):
    write_vector(tmp_path / "a.gpkg", epsg, "GPKG", layer="units")
    back = anlan.read_vector(tmp_path / "a.gpkg", "units")
    assert back["epsg"] == epsg and back["columns"] == COLUMNS and back["rows"] == ROWS
    assert shapely.from_wkb(back["wkb"]).tolist() == layer()


@pytest.mark.parametrize("epsg", [4549, 4528, 32650])
def test_projected_geopackages_keep_east_before_north(tmp_path, epsg):
    east = 40_500_000 if epsg == 4528 else 500_000
    shapes = [shapely.box(east, 3_200_000, east + 1000, 3_200_500), shapely.box(east, 3_300_000, east + 10, 3_300_005)]
    write_vector(tmp_path / "a.gpkg", epsg, "GPKG", shapes)
    back = anlan.read_vector(tmp_path / "a.gpkg")
    assert back["epsg"] == epsg and shapely.from_wkb(back["wkb"]).tolist() == shapes
    anlan.write_geopackage(tmp_path / "b.gpkg", "u", back["columns"], back["rows"], back["wkb"], back["epsg"])
    meta, _, geometry, _ = pyogrio.raw.read(tmp_path / "b.gpkg")
    assert meta["crs"] == f"EPSG:{epsg}" and shapely.from_wkb(geometry).tolist() == shapes


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
@pytest.mark.parametrize("cpg", [True, False])
@pytest.mark.parametrize("epsg", [4490, 4549])
def test_shapefiles_are_read_in_chinese(tmp_path, encoding, cpg, epsg):
    shapes = layer()
    if epsg == 4549:
        shapes = [shapely.box(500_000, 3_200_000, 501_000, 3_200_500), shapely.box(500_000, 3_300_000, 500_010, 3_300_005)]
    path = tmp_path / "区划.shp"
    write_vector(path, epsg, "ESRI Shapefile", shapes, geometry_type="Polygon", encoding=encoding)
    if not cpg:
        path.with_suffix(".cpg").unlink()
        if encoding == "GBK":
            assert "婺城区".encode("gbk") in path.with_suffix(".dbf").read_bytes()
    back = anlan.read_vector(path)
    assert back["epsg"] == epsg
    found = dict(zip(back["columns"], zip(*back["rows"])))
    assert set(found) == set(COLUMNS)
    assert found["名称"] == ("婺城区", "金东区") and found["code"] == (330702, 330703)
    # GDAL writes reals with 15 decimals into a dBASE field.
    np.testing.assert_allclose(found["share"], [0.25, 1 / 3], rtol=1e-14)
    for a, b in zip(shapely.from_wkb(back["wkb"]), shapes):
        # Rings start and turn as the format wants; the set of points is the same.
        assert shapely.equals(a, b) and sorted(set(map(tuple, shapely.get_coordinates(a)))) == sorted(
            set(map(tuple, shapely.get_coordinates(b)))
        )


def test_geojson_of_gdal_is_read(tmp_path):
    write_vector(tmp_path / "a.geojson", 4326, "GeoJSON")
    back = anlan.read_vector(tmp_path / "a.geojson")
    assert back["epsg"] == 4326 and back["rows"] == ROWS
    assert all(shapely.equals(a, b) for a, b in zip(shapely.from_wkb(back["wkb"]), layer()[:1]))


def table():
    return {
        "event": np.array([0, 7, 2**32 - 1], np.uint32),
        "key": np.array([0, 7, 2**64 - 1], np.uint64),
        "year": np.array([-5, 0, 2**40]),
        "depth_m": np.array([0.1, -0.0, 3.5], np.float32),
        "loss_yuan": np.array([1e300, 0.1, 2.0]),
        "county": ["婺城区", "", "Lanxi"],
    }


def test_arrow_reads_our_parquet(tmp_path):
    anlan.write_parquet(tmp_path / "a.parquet", table())
    back = pq.read_table(tmp_path / "a.parquet")
    types = [pa.uint32(), pa.uint64(), pa.int64(), pa.float32(), pa.float64(), pa.string()]
    assert back.schema.names == list(table()) and back.schema.types == types
    for name, values in table().items():
        assert back[name].to_pylist() == list(values)


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("dictionary", [True, False])
def test_parquet_of_arrow_is_read(tmp_path, compression, nullable, dictionary):
    arrays = [pa.array(v) for v in table().values()]
    schema = pa.schema([pa.field(n, a.type, nullable) for n, a in zip(table(), arrays)])
    written = pa.Table.from_arrays(arrays, schema=schema)
    pq.write_table(written, tmp_path / "a.parquet", compression=compression, use_dictionary=dictionary, row_group_size=2)
    back = anlan.read_parquet(tmp_path / "a.parquet")
    for name, values in table().items():
        assert list(back[name]) == list(values), name


def test_parquet_is_kept_or_refused_but_never_changed(tmp_path):
    pq.write_table(pa.table({"i32": pa.array([-1, 2], pa.int32())}), tmp_path / "a.parquet")
    back = anlan.read_parquet(tmp_path / "a.parquet")["i32"]
    assert back.dtype == np.int64 and back.tolist() == [-1, 2]
    refused = {
        "gap": pa.array([1.0, None]),
        "hole": pa.array(["a", None]),
        "truth": pa.array([True, False]),
        "list": pa.array([[1], [2, 3]]),
    }
    for name, column in refused.items():
        pq.write_table(pa.table({"first": [0] * len(column), name: column}), tmp_path / "a.parquet")
        with pytest.raises(anlan.InputError) as caught:
            anlan.read_parquet(tmp_path / "a.parquet")
        assert name in caught.value.faults[0]["place"] or name == "list"
