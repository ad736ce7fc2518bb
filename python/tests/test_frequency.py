"""Laws fitted to arrays, against published fits."""

import anlan
import numpy as np
import pytest

# Port Pirie annual maximum sea levels 1923-1987, m (Coles 2001, section 1.2.1).
PORT_PIRIE = np.array(
    [
        4.03, 3.83, 3.65, 3.88, 4.01, 4.08, 4.18, 3.80, 4.36, 3.96, 3.98, 4.69, 3.85, 3.96, 3.85, 3.93, 3.75, 3.63, 3.57,
        4.25, 3.97, 4.05, 4.24, 4.22, 3.73, 4.37, 4.06, 3.71, 3.96, 4.06, 4.55, 3.79, 3.89, 4.11, 3.85, 3.86, 3.86, 4.21,
        4.01, 4.11, 4.24, 3.96, 4.21, 3.74, 3.85, 3.88, 3.66, 4.11, 3.71, 4.18, 3.90, 3.78, 3.91, 3.72, 4.00, 3.66, 3.62,
        4.33, 4.55, 3.75, 4.08, 3.90, 3.88, 3.94, 4.33,
    ]
)  # fmt: skip


def test_gev_by_likelihood_as_published():
    fit = anlan.fit_frequency(PORT_PIRIE, "gev", return_periods=[100], replicates=50)
    assert fit["parameters"]["location"] == pytest.approx(3.87475, abs=1e-5)
    assert fit["parameters"]["shape"] == pytest.approx(-0.05011, abs=1e-5)
    # Coles (2001, section 3.4.1).
    assert fit["standard_errors"]["shape"] == pytest.approx(0.098, abs=5e-4)
    assert fit["low"][0] < fit["values"][0] < fit["high"][0]


def test_pearson3_by_l_moments_as_lmoments3():
    fit = anlan.fit_frequency(PORT_PIRIE, "pearson3", "l-moments", return_periods=[1000], replicates=0)
    assert fit["values"][0] == pytest.approx(5.0289399, abs=1e-7)
    assert fit["parameters"]["cs"] == pytest.approx(0.83705598, abs=1e-8)


def test_curve_fitting_holds_the_ratio():
    fit = anlan.fit_frequency(PORT_PIRIE, cs_cv=3.5, replicates=20)["parameters"]
    assert fit["cs"] / fit["cv"] == pytest.approx(3.5)


def test_peaks_need_threshold_and_years():
    excess = 30 + 7 * -np.log((np.arange(200) + 0.5) / 200)
    fit = anlan.fit_frequency(excess, "gpd", threshold=30, years=50, return_periods=[100], replicates=20)
    assert fit["parameters"]["scale"] == pytest.approx(7, rel=0.05)
    with pytest.raises(anlan.InputError, match="threshold"):
        anlan.fit_frequency(excess, "gpd")


@pytest.mark.parametrize(
    "arguments", [{"distribution": "weibull"}, {"method": "likelihood"}, {"confidence": 90}, {"return_periods": [1]}]
)
def test_wrong_arguments_are_named(arguments):
    with pytest.raises(anlan.InputError, match=next(iter(arguments))):
        anlan.fit_frequency(PORT_PIRIE, **arguments)


def test_flat_and_missing_values():
    with pytest.raises(anlan.InputError):
        anlan.fit_frequency([5.0] * 20)
    with pytest.raises(anlan.InputError, match="nan|NaN"):
        anlan.fit_frequency([1.0, 2.0, np.nan])
