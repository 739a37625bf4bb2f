"""Features that look back over windows, by pandas: the oracle of across-windows.test.ts.

Usage: python3 across-windows-oracle.py < series.json > answers.json
Input: a list of lists, the mean of each window or null. Output: a list of {"feature": [value or null per window]}.
"""
import json
import math
import sys

import numpy as np
import pandas as pd


def exact_mean(window):
    kept = [v for v in window if not math.isnan(v)]
    return math.fsum(kept) / len(kept) if kept else math.nan


def wide_std(window):
    kept = np.array([v for v in window if not math.isnan(v)], dtype=np.longdouble)
    return 0.0 if len(kept) == 1 else float(np.std(kept, ddof=1)) if len(kept) else math.nan


def answer(values):
    s = pd.Series([math.nan if v is None else v for v in values], dtype=float)
    rolling = s.rolling(5, min_periods=1)
    out = {
        "lag1": s.shift(1),
        "lag7": s.shift(7),
        "difference2": s - s.shift(2),
        # pandas updates sums as the window slides, which loses digits of values with a large offset; so these two by hand.
        "mean5": rolling.apply(exact_mean, raw=True),
        "std5": rolling.apply(wide_std, raw=True),
        "min5": rolling.min(),
        "max5": rolling.max(),
        "smooth": s.ewm(alpha=0.3, adjust=False, ignore_na=True).mean(),
    }
    if s.abs().max() < 1e6:
        pd.testing.assert_series_equal(out["mean5"], rolling.mean(), rtol=1e-9, atol=1e-9)
        ours = out["std5"].where(rolling.count() > 1)
        pd.testing.assert_series_equal(ours, rolling.std(), rtol=1e-6, atol=1e-6)
    return {name: [None if math.isnan(v) else v for v in column] for name, column in out.items()}


json.dump([answer(values) for values in json.load(sys.stdin)], sys.stdout)
