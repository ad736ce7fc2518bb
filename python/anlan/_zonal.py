"""Zones (分区): statistics of rasters over polygons, and polygons onto cells."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from . import _anlan
from ._anlan import Grid
from ._arrays import _cells, _fault, _plane


def zonal(
    array: Any,
    grid: Grid | None = None,
    wkb_polygons: Any = (),
    *,
    weights: Any = None,
    quantiles: Sequence[float] = (),
    classes: bool = False,
    area_weighted: bool = False,
    min_coverage: float = 0.0,
    band: int = 1,
    weights_band: int = 1,
) -> dict[str, Any]:
    """Statistics of a raster over polygons, cells weighted by the share that is covered.

    ``array`` is an array with its ``grid``, a DataArray, or the path of a GeoTIFF (``band``, from 1), which is read strip by
    strip: its memory does not grow with the raster. ``wkb_polygons`` holds WKB or shapely polygons in the grid's system, or
    is a GeoSeries or GeoDataFrame, which is carried into it.

    Gives ``count`` (cells), ``sum``, ``mean``, ``min``, ``max`` and ``stdev`` (of the population), each ``float64[polygons]``.
    With ``weights`` (an array on the same grid, or a path where ``array`` is one) also ``weight``, ``weighted_sum``,
    ``weighted_mean`` and ``weighted_stdev``, NaN where a cell with a value has no weight; ``quantiles`` (0 to 1) ``q25`` and
    so on; with ``classes`` ``majority``, ``minority``, ``variety`` and ``classes``, a table of ``zone`` (index), ``value`` and
    ``cells``. With ``area_weighted`` cells weigh by their area in m² too; cells covered by less than ``min_coverage`` (0 to 1)
    are left out. Cells without data are skipped.
    """
    quantiles = [float(q) for q in quantiles]
    for q in quantiles:
        if not 0 <= q <= 1:
            raise _fault("quantiles", str(q), "a share from 0 to 1", "pass 0.25 for the first quartile")
    if isinstance(array, str | os.PathLike):
        if grid is not None:
            raise _fault("grid", "a Grid beside a file", "None", "leave it out: the file says where its cells lie")
        if weights is not None and not isinstance(weights, str | os.PathLike):
            raise _fault("weights", "an array beside a file", "the path of a GeoTIFF", "write it with write_raster")
        wkb = _wkb(wkb_polygons, lambda: _anlan.raster_info(array)["grid"].epsg)
        return _anlan.zonal_of_file(
            array, wkb, band, area_weighted, min_coverage, weights, weights_band, quantiles, classes
        )
    array, grid = _cells(array, grid)
    wkb = _wkb(wkb_polygons, lambda: grid.epsg)
    weights = None if weights is None else np.ascontiguousarray(_plane(weights))
    return _anlan.zonal(array, grid, wkb, area_weighted, min_coverage, weights, quantiles, classes)


def rasterize(
    polygons: Any,
    grid: Grid,
    values: Iterable[int] | None = None,
    *,
    all_touched: bool = False,
    background: int = 0,
) -> np.ndarray:
    """Polygons painted onto a grid, ``uint32[rows, cols]``: the same cells as GDAL paints.

    ``polygons`` as in :func:`zonal`; ``values`` one for each, by default 1, 2, 3...; where polygons overlap the later one
    stays. Cells whose centre lies inside, or with ``all_touched`` those whose interior the polygon meets.
    """
    wkb = _wkb(polygons, lambda: grid.epsg)
    values = range(1, len(wkb) + 1) if values is None else values
    return _anlan.rasterize(wkb, [int(v) for v in values], grid, all_touched, background)


def _wkb(polygons: Any, epsg: Any) -> list[bytes]:
    """WKB of polygons in the system ``epsg()``."""
    series = getattr(polygons, "geometry", polygons)
    if hasattr(series, "to_wkb") and hasattr(series, "crs"):
        if series.crs is None:
            raise _fault("polygons", "no system", "a GeoSeries with a system", "assign it with .set_crs()")
        code = epsg()
        if series.crs.to_epsg() != code:
            series = series.to_crs(code)
        polygons = series.to_wkb()
    return [bytes(p) if isinstance(p, bytes | bytearray | memoryview) else p.wkb for p in polygons]
