import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Path = str | os.PathLike[str]
_F32 = NDArray[np.float32]

class Grid:
    def __new__(cls, epsg: int, west: float, north: float, dx: float, dy: float, rows: int, cols: int) -> Grid: ...
    @staticmethod
    def from_transform(
        epsg: int, transform: tuple[float, float, float, float, float, float], shape: tuple[int, int]
    ) -> Grid: ...
    @property
    def epsg(self) -> int: ...
    @property
    def west(self) -> float: ...
    @property
    def north(self) -> float: ...
    @property
    def dx(self) -> float: ...
    @property
    def dy(self) -> float: ...
    @property
    def rows(self) -> int: ...
    @property
    def cols(self) -> int: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def transform(self) -> tuple[float, float, float, float, float, float]: ...
    @property
    def bounds(self) -> tuple[float, float, float, float]: ...

def read_raster(path: _Path, band: int = 1) -> tuple[_F32, Grid]: ...
def write_raster(path: _Path, array: _F32, grid: Grid, tags: dict[str, str] | None = None) -> None: ...
def raster_info(path: _Path) -> dict[str, Any]: ...
def slope(array: _F32, grid: Grid, edge: str = "replicate") -> _F32: ...
def hillshade(
    array: _F32,
    grid: Grid,
    azimuth_deg: float = 315.0,
    altitude_deg: float = 45.0,
    z_factor: float = 1.0,
    edge: str = "replicate",
) -> _F32: ...
def fill_depressions(array: _F32, grid: Grid) -> _F32: ...
def flow_direction(array: _F32, grid: Grid) -> NDArray[np.uint8]: ...
def flow_accumulation(directions: NDArray[np.uint8], grid: Grid, weights: _F32 | None = None) -> _F32: ...
def hand(array: _F32, directions: NDArray[np.uint8], drainage: NDArray[np.uint8], grid: Grid) -> _F32: ...
def zonal(
    array: _F32,
    grid: Grid,
    wkb: list[bytes],
    area_weighted: bool = False,
    min_coverage: float = 0.0,
    weights: _F32 | None = None,
    quantiles: list[float] = ...,
    classes: bool = False,
) -> dict[str, Any]: ...
def zonal_of_file(
    path: _Path,
    wkb: list[bytes],
    band: int = 1,
    area_weighted: bool = False,
    min_coverage: float = 0.0,
    weights: _Path | None = None,
    weights_band: int = 1,
    quantiles: list[float] = ...,
    classes: bool = False,
) -> dict[str, Any]: ...
def rasterize(
    wkb: list[bytes], values: list[int], grid: Grid, all_touched: bool = False, background: int = 0
) -> NDArray[np.uint32]: ...
def resample(array: _F32, grid: Grid, target: Grid, method: str = "bilinear") -> _F32: ...
def read_vector(path: _Path, layer: str | None = None) -> dict[str, Any]: ...
def write_geopackage(
    path: _Path, layer: str, columns: list[str], rows: list[list[Any]], wkb: list[bytes], epsg: int
) -> None: ...
def read_parquet(path: _Path) -> dict[str, Any]: ...
def write_parquet(path: _Path, columns: dict[str, Any]) -> None: ...
def run(
    project: _Path,
    out: _Path | None = None,
    only: list[str] | None = None,
    threads: int | None = None,
    seed: int | None = None,
    progress: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]: ...

def write_events(
    path: _Path,
    measures: list[str],
    event: np.ndarray,
    rate_per_year: np.ndarray,
    first_row: np.ndarray,
    place: np.ndarray,
    values: list[np.ndarray],
    double: bool,
    probability: np.ndarray | None = None,
    spread: np.ndarray | None = None,
    note: str = "",
) -> None: ...
def losses(
    portfolio: _Path, out: _Path | None = None, seed: int | None = None, threads: int | None = None
) -> Path: ...
def fit_frequency(
    values: np.ndarray,
    distribution: str,
    method: str | None = None,
    return_periods: list[float] = ...,
    confidence: float = 0.9,
    replicates: int = 1000,
    seed: int = 1,
    cs_cv: float | None = None,
    hold_mean: bool = False,
    threshold: float | None = None,
    years: float | None = None,
) -> dict[str, Any]: ...
def flood(
    bed: _F32,
    grid: Grid,
    duration_s: float,
    manning: float | _F32,
    scheme: str,
    rain: tuple[float, list[float] | _F32] | None,
    infiltration: float | _F32 | None,
    initial_depth: float | _F32 | None,
    inflows: list[tuple[list[int], float, list[float]]],
    levels: list[tuple[list[int], list[float], list[float]]],
    edge: str,
    flooded_m: float,
    threads: int | None,
    progress: Callable[[float], None] | None,
) -> dict[str, Any]: ...
def quality(
    case: _Path, out: _Path | None = None, chinese: bool = False, threads: int | None = None
) -> dict[str, Any]: ...
