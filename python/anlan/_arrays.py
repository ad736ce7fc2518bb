"""Arrays and their grids, as the compiled half takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._anlan import Grid
from ._errors import InputError


def _fault(name: str, found: str, expected: str, remedy: str) -> InputError:
    fault = {"file": name, "place": "", "found": found, "expected": expected, "remedy": remedy}
    return InputError(f"{name}: found {found}, expected {expected}; {remedy}", [fault])


def _cells(array: Any, grid: Grid | None) -> tuple[np.ndarray, Grid]:
    """Array as float32[rows, cols], and its grid, also from a DataArray."""
    if grid is None:
        rio = getattr(array, "rio", None)
        if rio is None:
            raise _fault("grid", "None", "a Grid, or a DataArray with .rio", "pass grid=")
        epsg = rio.crs.to_epsg() if rio.crs is not None else None
        if epsg is None:
            raise _fault("array", f"crs {rio.crs}", "a system with an EPSG code", "assign it with .rio.write_crs()")
        values = _plane(array)
        grid = Grid.from_transform(epsg, tuple(rio.transform())[:6], values.shape)
        nodata = getattr(rio, "nodata", None)
        if nodata is not None and not np.isnan(nodata):
            values = np.where(np.asarray(array.values).reshape(values.shape) == nodata, np.float32(np.nan), values)
        return np.ascontiguousarray(values, np.float32), grid
    return np.ascontiguousarray(_plane(array), np.float32), grid


def _plane(array: Any) -> np.ndarray:
    values = np.asarray(getattr(array, "values", array), np.float32)
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2:
        raise _fault("array", f"shape {values.shape}", "[rows, cols]", "choose one band")
    return values
