"""The statistics of windows once more, by pandas, NumPy and SciPy: the oracle of statistics.test.ts.

Usage: python3 statistics-oracle.py < series.json > answers.json
Input: a list of {"times": [ms…], "values": [number or null…]}. Output: a list of {"statistic": number or null}.

Sums that cancel and moments of values with a large offset are beyond float64's own digits, so means are taken of exact sums
(math.fsum) and moments in long double; everything is then rounded to float64.
"""
import json
import math
import sys
import warnings

import numpy as np
import pandas as pd
from scipy import stats

warnings.simplefilter("ignore")


def answer(series):
    frame = pd.DataFrame({"t": series["times"], "v": pd.array(series["values"], dtype="Float64").astype(float)})
    frame = frame.dropna(subset=["v"])
    n = int(frame["v"].count())
    out = {"count": n}
    names = "mean std min max range first last slope rms skewness kurtosis crestFactor q10 q50 q97".split()
    if n == 0:
        return out | {name: None for name in names}
    v = frame["v"].to_numpy()
    wide = v.astype(np.longdouble)
    in_time = frame.sort_values("t", kind="stable")["v"]
    out["mean"] = math.fsum(v) / n
    out["std"] = 0.0 if n == 1 else float(np.std(wide, ddof=1))
    out["min"] = float(v.min())
    out["max"] = float(v.max())
    out["range"] = float(v.max() - v.min())
    out["first"] = float(in_time.iloc[0])
    out["last"] = float(frame.iloc[::-1].sort_values("t", kind="stable", ascending=False)["v"].iloc[0])
    seconds = (frame["t"].to_numpy() - frame["t"].iloc[0]).astype(np.longdouble) / 1000
    spread = np.sum((seconds - seconds.mean()) ** 2)
    out["slope"] = None if spread == 0 else float(np.sum((seconds - seconds.mean()) * (wide - wide.mean())) / spread)
    out["slopeScale"] = None if spread == 0 else float(np.std(wide) / np.sqrt(spread / n))
    out["rms"] = float(np.sqrt(np.mean(wide**2)))
    varies = bool((v != v[0]).any())
    m2 = float(np.mean((wide - wide.mean()) ** 2))
    # Of values so small that powers of their variance underflow, float64 SciPy says NaN too.
    out["skewness"] = float(stats.skew(wide - wide[0], bias=True)) if varies and m2**1.5 > 1e-290 else None
    out["kurtosis"] = float(stats.kurtosis(wide - wide[0], fisher=True, bias=True)) if varies and m2**2 > 1e-290 else None
    out["crestFactor"] = float(np.abs(wide).max() / out["rms"]) if np.mean(v**2) > 0 else None
    for q in (10, 50, 97):
        out[f"q{q}"] = float(np.quantile(v, q / 100))
    # Where float64 is enough, the libraries' own float64 answers must be the same: the oracle is theirs, not ours.
    if abs(v.mean()) < 1e3 * max(np.std(v), 1e-9) and np.std(v) > 1e-3 and abs(v.mean()) > 1e-6 * np.std(v):
        s = pd.Series(v)
        assert math.isclose(s.mean(), out["mean"], rel_tol=1e-9)
        assert n == 1 or math.isclose(s.std(), out["std"], rel_tol=1e-9)
        assert math.isclose(stats.skew(v), out["skewness"], rel_tol=1e-9, abs_tol=1e-9)
        assert math.isclose(stats.kurtosis(v), out["kurtosis"], rel_tol=1e-9, abs_tol=1e-9)
        if out["slope"] is not None:
            fit = stats.linregress(seconds.astype(float), v).slope
            assert math.isclose(fit, out["slope"], rel_tol=1e-9, abs_tol=1e-9 * out["slopeScale"])
    return out


json.dump([answer(series) for series in json.load(sys.stdin)], sys.stdout)
