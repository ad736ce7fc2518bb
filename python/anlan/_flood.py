"""Floods on arrays (二维洪水演进)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from . import _anlan
from ._anlan import Grid
from ._arrays import _cells, _fault, _plane

_FIELDS = {
    "max_depth_m": ("m", "greatest depth"),
    "depth_m": ("m", "depth at the end"),
    "max_velocity_m_s": ("m s-1", "greatest velocity"),
    "max_hazard_m2_s": ("m2 s-1", "greatest depth times velocity"),
    "arrival_s": ("s", "time of flooding"),
    "duration_s": ("s", "time for which it was flooded"),
}


def flood(
    bed: Any,
    grid: Grid | None = None,
    *,
    duration_s: float,
    manning: Any,
    scheme: str = "inertial",
    rain: Any = None,
    infiltration: Any = None,
    initial_depth: Any = None,
    inflows: Iterable[Mapping[str, Any]] = (),
    levels: Iterable[Mapping[str, Any]] = (),
    edge: str = "closed",
    flooded_m: float = 0.15,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Any:
    """Two-dimensional flood flow over a bed in m, ``[rows, cols]``, square cells of a projected system.

    ``manning`` (s m^-1/3), ``infiltration`` (mm/h) and ``initial_depth`` (m) are numbers or arrays on the cells of the bed.
    Cells whose bed is NaN take no part: they are walls where the edge is closed, and take water where it is free.

    - ``scheme``: ``"inertial"`` for rain, river and coastal floods; ``"fv1"``, ``"fv2"`` (finite volumes of first, second
      order) for dam breaks and steep channels; ``"auto"`` begins with the first and goes over to ``"fv2"`` when it must.
    - ``rain``, mm/h: a number, an array ``[rows, cols]``, or ``(step_s, values)`` with values ``[steps]`` or
      ``[steps, rows, cols]``; none after the last step.
    - ``inflows``: dicts of ``discharge_m3_s``, a number or ``(step_s, values)``, shared evenly by ``cells``, a list of
      ``(row, col)`` or a mask ``[rows, cols]``, or by the cells of ``xy``, a list of ``(x, y)``.
    - ``levels``: water levels beyond cells at the edge of the grid (beside NaN too where the edge is free): dicts of
      ``level_m``, a number or ``(times_s, values)``, linear in between, in the datum of the bed; ``cells`` or ``xy``.
    - ``edge``: ``"closed"``, or ``"free"``: outflow at normal depth on the slope of the bed.
    - ``progress`` is called with the simulated time in s, some ten times a second; what it raises ends the run, and so
      does Ctrl-C.

    Gives a dict of ``float32[rows, cols]`` (NaN where the bed is), an ``xarray.Dataset`` where ``bed`` is a DataArray:
    ``max_depth_m``, ``depth_m`` at the end, ``max_velocity_m_s`` (from 5 cm of depth), ``max_hazard_m2_s`` (depth times
    velocity), ``arrival_s`` (NaN: never) and ``duration_s`` of a depth of ``flooded_m``; extremes are looked at every 10 s.
    Beside them, as items of the dict or attributes of the Dataset: ``scheme`` at the end and ``scheme_since_s``, ``steps``,
    ``cell_steps``, and the water balance: ``initial_m3``, ``inflow_m3``, ``rain_m3``, ``infiltrated_m3``, ``outflow_m3`` (less
    what came in over the edge), ``stored_m3`` and ``balance_error``, what is not accounted for as a share of what was given.
    Results do not depend on ``threads``.
    """
    source = bed
    bed, grid = _cells(bed, grid)
    duration_s = _number(duration_s, "duration_s", "a number of seconds above 0", lambda v: v > 0)
    flooded_m = _number(flooded_m, "flooded_m", "a depth in m above 0", lambda v: v > 0)
    if threads is not None and threads < 1:
        raise _fault("threads", str(threads), "at least 1, or None for all", "name a number of threads")
    if infiltration is not None:
        infiltration = _field(infiltration, "infiltration", "mm/h, 0 or more", bed, grid, lambda v: v >= 0)
    if initial_depth is not None:
        initial_depth = _field(initial_depth, "initial_depth", "m, 0 or more", bed, grid, lambda v: v >= 0)
    run = _anlan.flood(
        bed,
        grid,
        duration_s,
        _field(manning, "manning", "s m^-1/3, above 0, at most 1", bed, grid, lambda v: (v > 0) & (v <= 1)),
        scheme,
        None if rain is None else _rain(rain, bed, grid, duration_s),
        infiltration,
        initial_depth,
        [_inflow(entry, f"inflows[{i}]", bed, grid, duration_s) for i, entry in enumerate(inflows)],
        [_level(entry, f"levels[{i}]", bed, grid) for i, entry in enumerate(levels)],
        edge,
        flooded_m,
        threads,
        progress,
    )
    xarray = sys.modules.get("xarray")
    if xarray is None or not isinstance(source, xarray.DataArray):
        return run
    dims = source.dims[-2:]
    variables = {
        name: (dims, run.pop(name), {"units": units, "long_name": meaning}) for name, (units, meaning) in _FIELDS.items()
    }
    # Axes and reference system; not the band, nor what else came with the bed.
    coords = {name: c for name, c in source.coords.items() if set(c.dims) <= set(dims) and name != "band"}
    return xarray.Dataset(variables, coords, attrs=run)


def _number(value: Any, name: str, expected: str, good: Callable[[Any], Any]) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _fault(name, repr(value), expected, "pass a number") from None
    if not (np.isfinite(number) and good(number)):
        raise _fault(name, repr(value), expected, "correct the number")
    return number


def _field(value: Any, name: str, expected: str, bed: np.ndarray, grid: Grid, good: Callable[[Any], Any]) -> Any:
    """A number, or float32[rows, cols] whose values are good wherever there is a bed; 0 elsewhere."""
    if np.ndim(value) == 0:
        return _number(value, name, expected, good)
    shape = np.shape(value)
    if len(shape) != 2 and not (len(shape) == 3 and shape[0] == 1):
        raise _fault(name, f"shape {shape}", f"a number, or the shape of the bed, {bed.shape}", "choose one band")
    rio = getattr(value, "rio", None)
    if rio is not None and rio.crs is not None:
        values, own = _cells(value, None)
        if not _same_cells(own, grid):
            raise _fault(name, repr(own), f"the cells of the bed, {grid!r}", "resample it to them")
    else:
        values = _plane(value)
    if values.shape != bed.shape:
        raise _fault(name, f"shape {values.shape}", f"the shape of the bed, {bed.shape}", "give a value for every cell")
    dry = np.isnan(bed)
    bad = ~(good(values) & np.isfinite(values)) & ~dry
    if bad.any():
        row, col = (int(i) for i in np.argwhere(bad)[0])
        place = f"{values[row, col]} in row {row}, column {col}"
        raise _fault(name, place, expected, "correct the cell, or make its bed NaN")
    return np.ascontiguousarray(np.where(dry, np.float32(0), values)) if dry.any() else np.ascontiguousarray(values)


def _same_cells(a: Grid, b: Grid) -> bool:
    return a.epsg == b.epsg and a.shape == b.shape and np.allclose(a.bounds, b.bounds, rtol=0, atol=1e-6 * b.dx)


def _series(value: Any, name: str, expected: str, good: Callable[[Any], Any], end_s: float) -> tuple[float, list[float]]:
    """Length of a step, s, and a value for each; a number holds to the end."""
    if not isinstance(value, (tuple, list)):
        return end_s, [_number(value, name, expected, good)]
    try:
        step_s, values = value
        values = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise _fault(name, repr(value), f"{expected}: a number or (step_s, values)", "give step and values") from None
    step_s = _number(step_s, f"{name}, step_s", "a number of seconds above 0", lambda v: v > 0)
    if values.ndim != 1 or values.size == 0:
        raise _fault(name, f"values of shape {values.shape}", "one value per step, one at least", "give a list of values")
    return step_s, [_number(v, f"{name}, step {i}", expected, good) for i, v in enumerate(values.tolist())]


def _rain(rain: Any, bed: np.ndarray, grid: Grid, end_s: float) -> tuple[float, Any]:
    """Length of a step, s, and intensities [steps] or [steps, rows, cols], mm/h."""
    if isinstance(rain, (tuple, list)) and len(rain) == 2 and np.ndim(rain[1]) == 3:
        step_s = _number(rain[0], "rain, step_s", "a number of seconds above 0", lambda v: v > 0)
        frames = list(rain[1])
    elif not isinstance(rain, (tuple, list)) and np.ndim(rain) > 0:
        step_s, frames = end_s, [rain]
    else:
        return _series(rain, "rain", "mm/h, 0 or more", lambda v: v >= 0, end_s)
    checked = [
        _field(frame, f"rain, step {i}", "mm/h, 0 or more", bed, grid, lambda v: v >= 0) for i, frame in enumerate(frames)
    ]
    if not checked:
        raise _fault("rain", "no step", "one step at least", "give the rain of every step")
    return step_s, np.stack(checked)


def _inflow(
    entry: Mapping[str, Any], name: str, bed: np.ndarray, grid: Grid, end_s: float
) -> tuple[list[int], float, list[float]]:
    cells = _numbers(entry, name, "discharge_m3_s", bed, grid)
    expected = "m³/s, 0 or more"
    return cells, *_series(entry["discharge_m3_s"], f"{name}, discharge_m3_s", expected, lambda v: v >= 0, end_s)


def _level(entry: Mapping[str, Any], name: str, bed: np.ndarray, grid: Grid) -> tuple[list[int], list[float], list[float]]:
    cells = _numbers(entry, name, "level_m", bed, grid)
    level, what = entry["level_m"], f"{name}, level_m"
    if not isinstance(level, (tuple, list)):
        return cells, [0.0], [_number(level, what, "a level in m", lambda v: True)]
    try:
        times, values = (np.asarray(part, np.float64) for part in level)
    except (TypeError, ValueError):
        raise _fault(what, repr(level), "a level in m or (times_s, values)", "give times and levels") from None
    sound = times.ndim == 1 and times.size > 0 and times.shape == values.shape
    if not (sound and np.isfinite(times).all() and np.isfinite(values).all() and (np.diff(times) > 0).all()):
        found = f"{times.size} times, {values.size} values"
        raise _fault(what, found, "ascending times and a level for each", "sort the series and fill its gaps")
    return cells, times.tolist(), values.tolist()


def _numbers(entry: Mapping[str, Any], name: str, value: str, bed: np.ndarray, grid: Grid) -> list[int]:
    """Cell numbers of `cells` or `xy`, inside the grid and with a bed."""
    known = {"cells", "xy", value}
    if set(entry) - known or value not in entry or ("cells" in entry) == ("xy" in entry):
        raise _fault(name, f"keys {sorted(entry)}", f"{value}, and either cells or xy", "correct the dict")
    at = np.asarray(entry["cells"] if "cells" in entry else entry["xy"])
    if "cells" in entry and at.dtype == np.bool_:
        if at.shape != bed.shape:
            raise _fault(f"{name}, cells", f"a mask of shape {at.shape}", f"the shape of the bed, {bed.shape}", "mask the bed")
        at = np.argwhere(at)
    pairs = at.ndim == 2 and at.shape[1] == 2 and at.shape[0] > 0 and at.dtype.kind in "iuf"
    whole = pairs and ("xy" in entry or at.dtype.kind in "iu")
    if not whole:
        found = f"{at.dtype} of shape {at.shape}"
        expected = "one or more (x, y)" if "xy" in entry else "one or more (row, col), or a mask with a cell in it"
        raise _fault(f"{name}, {'xy' if 'xy' in entry else 'cells'}", found, expected, "name the cells")
    if "xy" in entry:
        at = np.floor(np.column_stack([(grid.north - at[:, 1]) / grid.dy, (at[:, 0] - grid.west) / grid.dx]))
    inside = ((at >= 0) & (at < bed.shape)).all(axis=1)
    if not inside.all():
        place = entry["xy"][int(np.argmin(inside))] if "xy" in entry else at[int(np.argmin(inside))]
        raise _fault(name, f"cell {tuple(np.asarray(place).tolist())} off the grid", f"cells of {grid!r}", "correct the place")
    rows, cols = at.astype(np.int64).T
    missing = np.isnan(bed[rows, cols])
    if missing.any():
        i = int(np.argmax(missing))
        raise _fault(name, f"row {rows[i]}, column {cols[i]}", "cells with a bed", "choose cells whose bed is not NaN")
    return (rows * bed.shape[1] + cols).tolist()
