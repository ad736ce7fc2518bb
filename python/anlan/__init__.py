"""Anlan (安澜): natural-hazard risk census and simulation.

Rasters are NumPy arrays ``float32[rows, cols]``, row 0 in the north, NaN where there is no data; a :class:`Grid` says where
the cells lie. Wherever an array and its grid are wanted, an ``xarray.DataArray`` with a ``.rio`` accessor stands for both.
Bad input raises :class:`InputError`, whose ``faults`` say file, place, value found, value expected and remedy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from . import _anlan
from ._anlan import Grid
from ._arrays import _cells, _fault, _plane
from ._errors import AnlanError, InputError
from ._flood import flood
from ._zonal import rasterize, zonal

__all__ = [
    "AnlanError",
    "Grid",
    "InputError",
    "fill_depressions",
    "fit_frequency",
    "flood",
    "flow_accumulation",
    "flow_direction",
    "hand",
    "hillshade",
    "losses",
    "quality",
    "raster_info",
    "rasterize",
    "read_parquet",
    "read_raster",
    "read_vector",
    "resample",
    "run",
    "slope",
    "write_events",
    "write_geopackage",
    "write_parquet",
    "write_raster",
    "zonal",
]


def read_raster(path: str | os.PathLike[str], band: int = 1) -> tuple[np.ndarray, Grid]:
    """One band (from 1) of a GeoTIFF as ``float32[rows, cols]`` and its grid; no-data is NaN."""
    return _anlan.read_raster(path, band)


def write_raster(
    path: str | os.PathLike[str], array: Any, grid: Grid | None = None, tags: Mapping[str, str] | None = None
) -> None:
    """Writes ``float32[rows, cols]`` as a tiled, compressed GeoTIFF; NaN is its no-data, ``tags`` its metadata.

    Values of other types are converted to float32.
    """
    array, grid = _cells(array, grid)
    _anlan.write_raster(path, array, grid, None if tags is None else dict(tags))


def raster_info(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a GeoTIFF holds: ``grid``, ``bands``, ``sample`` (e.g. ``"f32"``), ``nodata`` and ``compression``."""
    return _anlan.raster_info(path)


def slope(array: Any, grid: Grid | None = None, *, edge: str = "replicate") -> np.ndarray:
    """Slope in degrees (Horn 1981) of elevations in m, ``float32[rows, cols]``.

    ``edge``: ``"replicate"`` gives every cell with data a value, ``"nodata"`` leaves the outermost ring and cells beside
    missing ones NaN.
    """
    return _anlan.slope(*_cells(array, grid), edge)


def hillshade(
    array: Any,
    grid: Grid | None = None,
    *,
    azimuth_deg: float = 315.0,
    altitude_deg: float = 45.0,
    z_factor: float = 1.0,
    edge: str = "replicate",
) -> np.ndarray:
    """Shaded relief of elevations in m, scaled as GDAL scales it (1 to 255), ``float32[rows, cols]``."""
    return _anlan.hillshade(*_cells(array, grid), azimuth_deg, altitude_deg, z_factor, edge)


def fill_depressions(array: Any, grid: Grid | None = None) -> np.ndarray:
    """Elevations in m with every depression raised to the level at which it spills over, ``float32[rows, cols]``."""
    return _anlan.fill_depressions(*_cells(array, grid))


def flow_direction(array: Any, grid: Grid | None = None) -> np.ndarray:
    """D8 directions over filled elevations in m, ``uint8[rows, cols]``: 0 to 7 are E, SE, S, SW, W, NW, N, NE; 255 where
    water leaves the map (or a pit that was not filled), 254 without data. Flats drain towards their way out."""
    return _anlan.flow_direction(*_cells(array, grid))


def flow_accumulation(directions: Any, grid: Grid, weights: Any = None) -> np.ndarray:
    """Cells that drain through each cell, itself included, or the sum of ``weights`` over them, ``float32[rows, cols]``.

    ``directions`` as of :func:`flow_direction`. NaN without data, and where water goes in circles.
    """
    weights = None if weights is None else np.ascontiguousarray(_plane(weights))
    return _anlan.flow_accumulation(_bytes(directions, "directions"), grid, weights)


def hand(array: Any, directions: Any, drainage: Any, grid: Grid | None = None) -> np.ndarray:
    """Height in m above the drainage cell (``drainage`` not 0) that each cell's water reaches first, ``float32[rows, cols]``.

    ``array`` holds the filled elevations that ``directions`` came from. NaN where the water meets no drainage.
    """
    array, grid = _cells(array, grid)
    drainage = np.asarray(getattr(drainage, "values", drainage)) != 0
    return _anlan.hand(array, _bytes(directions, "directions"), _bytes(drainage, "drainage"), grid)


def _bytes(array: Any, name: str) -> np.ndarray:
    """Codes 0 to 255 as uint8[rows, cols]."""
    values = np.asarray(getattr(array, "values", array))
    if values.ndim != 2:
        raise _fault(name, f"shape {values.shape}", "[rows, cols]", "choose one band")
    if values.dtype not in (np.uint8, np.bool_):
        codes = values.astype(np.uint8)
        if not np.array_equal(codes, values):
            raise _fault(name, f"values of {values.dtype} outside 0..255", "codes 0 to 255", "see flow_direction")
        values = codes
    return np.ascontiguousarray(values).view(np.uint8)


def resample(array: Any, grid: Grid | None, target_grid: Grid, method: str = "bilinear") -> np.ndarray:
    """The array on another grid, also in another system, ``float32[target rows, target cols]``.

    ``method``: ``"nearest"``, ``"bilinear"``, ``"average"`` or ``"sum"`` (keeps totals, for people or buildings per cell).
    """
    return _anlan.resample(*_cells(array, grid), target_grid, method)


def read_vector(path: str | os.PathLike[str], layer: str | None = None) -> dict[str, Any]:
    """A layer of a GeoPackage, GeoJSON or Shapefile (UTF-8 or GBK).

    Gives ``columns`` (names), ``rows`` (one tuple per feature), ``wkb`` (one geometry per feature, x before y) and
    ``epsg``. ``layer`` names a table of a GeoPackage; the first where None.
    """
    return _anlan.read_vector(path, layer)


def write_geopackage(
    path: str | os.PathLike[str],
    layer: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    wkb: Iterable[bytes],
    epsg: int,
) -> None:
    """Writes features as a GeoPackage of one layer; values are None, str, int or float."""
    _anlan.write_geopackage(path, layer, list(columns), [list(r) for r in rows], [bytes(w) for w in wkb], epsg)


def read_parquet(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Columns of a flat Parquet file, e.g. an event loss table: arrays by name, lists of str for text."""
    return _anlan.read_parquet(path)


def write_parquet(path: str | os.PathLike[str], columns: Mapping[str, Any]) -> None:
    """Writes columns of one length: arrays of uint32, uint64, int64, float32 or float64, or lists of str."""
    _anlan.write_parquet(path, dict(columns))


def run(
    project: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    only: Sequence[str] | None = None,
    threads: int | None = None,
    seed: int | None = None,
    progress: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Runs a project file; finished tasks whose inputs and options are unchanged are kept.

    ``out`` is the output folder (``out`` beside the project file where None), ``only`` the stages to run, ``threads`` their
    number (results do not depend on it), ``seed`` stands in for the project's. ``progress`` is called with dicts of
    ``event`` (``started``, ``kept``, ``step``, ``warning``, ``finished``), ``task`` and ``done`` (0 to 1), ``note``,
    ``text`` or ``seconds``.

    Gives ``out`` (path), ``ran`` and ``kept`` (names of tasks) and ``tasks`` (manifests of all finished tasks).
    """
    return _anlan.run(project, out, None if only is None else list(only), threads, seed, progress)


def write_events(
    path: str | os.PathLike[str],
    measures: Mapping[str, Any],
    event: Any,
    rate_per_year: Any,
    first_row: Any,
    place: Any,
    *,
    double: bool = False,
    probability: Any = None,
    spread: Any = None,
    note: str = "",
) -> None:
    """Writes an event-set file (事件集) from arrays, as a CSR matrix has them.

    ``measures`` maps names with units (``"depth_m"``) to intensities, one per row; rows ``first_row[i]`` to
    ``first_row[i + 1]`` belong to event ``i``, ascending by ``place``. ``double`` keeps intensities as f64.
    ``probability``: a place may come several times in an event, each with its probability, adding up to one.
    ``spread``: standard deviation of the logarithm of the intensity.
    """
    real = lambda a: np.ascontiguousarray(a, np.float64)  # noqa: E731
    _anlan.write_events(
        path,
        list(measures),
        np.ascontiguousarray(event, np.uint64),
        real(rate_per_year),
        np.ascontiguousarray(first_row, np.int64),
        np.ascontiguousarray(place, np.uint32),
        [real(v) for v in measures.values()],
        double,
        None if probability is None else real(probability),
        None if spread is None else real(spread),
        note,
    )


def losses(
    portfolio: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    threads: int | None = None,
) -> Any:
    """Runs a portfolio file through the loss engine and gives the folder of its tables.

    ``events.parquet``, ``periods.parquet``, ``years.parquet`` (event, period and year loss tables) are read by
    :func:`read_parquet`; ``average.csv`` and ``curves.csv`` hold the average annual loss and the exceedance curves.
    """
    return _anlan.losses(portfolio, out, seed, threads)


def fit_frequency(
    values: Any,
    distribution: str = "pearson3",
    method: str | None = None,
    *,
    return_periods: Sequence[float] = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0),
    confidence: float = 0.9,
    replicates: int = 1000,
    seed: int = 1,
    cs_cv: float | None = None,
    hold_mean: bool = False,
    threshold: float | None = None,
    years: float | None = None,
) -> dict[str, Any]:
    """Fits a law to annual maxima, or to peaks over a threshold (频率分析).

    ``values``: one-dimensional, any unit. ``distribution``: ``"pearson3"``, ``"gev"``, ``"gumbel"``, or ``"gpd"`` for peaks
    above ``threshold`` in ``years`` years of record. ``method``: ``"curve-fitting"`` (适线法, at m/(n+1)), ``"l-moments"``,
    ``"likelihood"``; the customary one where None. ``cs_cv`` holds Cs/Cv, ``hold_mean`` the sample's mean. Return periods in
    years, above 1; ``confidence`` of the bootstrap bands 0 to 1, from ``replicates`` samples under ``seed``.

    Gives ``parameters`` and ``standard_errors`` (dicts: mean, cv, cs; location, scale, shape) and, one per return period,
    ``return_periods``, ``values``, ``low``, ``high``. The shape is positive for a heavy tail, opposite to scipy's ``c``.
    """
    return _anlan.fit_frequency(
        np.ascontiguousarray(values, np.float64),
        distribution,
        method,
        [float(t) for t in return_periods],
        confidence,
        replicates,
        seed,
        cs_cv,
        hold_mean,
        threshold,
        years,
    )


def quality(
    case: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    chinese: bool = False,
    threads: int | None = None,
) -> dict[str, Any]:
    """Checks the tables of a census (普查数据质检) by a case file; ``anlan new DIR --quality`` writes a commented one.

    Gives ``out`` (folder of the marked workbook, ``findings.csv`` and the corrected tables), ``records``, ``errors``,
    ``warnings``, ``notes``, ``fixed``, ``accepted`` and the same counts for each of ``rules``. Errors in the tables raise
    nothing: see ``errors``.
    """
    return _anlan.quality(case, out, chinese, threads)
