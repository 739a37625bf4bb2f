"""What libraries of others answer: the oracle of monitoring-oracle.test.ts.

Usage: python3 monitoring-oracle.py < cases.json > answers.json
Answers only for the libraries that are installed: scipy, sklearn, statsmodels, nannyml, evidently. `versions` names them.
"""
import json
import sys

import numpy as np

cases = json.load(sys.stdin)
answers = {"versions": {}}


def piecewise(edges, counts, low, high, places):
    shares = np.concatenate([[0], np.cumsum(counts) / np.sum(counts)])
    return np.interp(places, [min(low, edges[0]), *edges, max(high, edges[-1])], shares, left=0, right=1)


def binned_wasserstein(case):
    a, b = case["a"], case["b"]
    low = min(a["min"], b["min"], a["edges"][0])
    high = max(a["max"], b["max"], a["edges"][-1])
    places = np.linspace(low, high, 400_001)
    gap = np.abs(
        piecewise(a["edges"], a["counts"], a["min"], a["max"], places)
        - piecewise(b["edges"], b["counts"], b["min"], b["max"], places)
    )
    return float(np.trapezoid(gap, places)) if hasattr(np, "trapezoid") else float(np.trapz(gap, places))


def spread(counts):
    return np.repeat(np.arange(len(counts)), counts)


try:
    import scipy
    from scipy import special, stats

    answers["versions"]["scipy"] = scipy.__version__
    answers["ks"] = [
        [float(x) for x in stats.ks_2samp(c["a"], c["b"], method="exact")[:2]] for c in cases["samples"]
    ]
    answers["wasserstein"] = [float(stats.wasserstein_distance(c["a"], c["b"])) for c in cases["samples"]]
    answers["kolmogorov"] = [float(special.kolmogorov(x)) for x in cases["kolmogorov"]]
    answers["binnedKs"] = [
        float(stats.ks_2samp(spread(c["a"]["counts"]), spread(c["b"]["counts"]), method="asymp")[0])
        for c in cases["histograms"]
    ]
    answers["binnedWasserstein"] = [binned_wasserstein(c) for c in cases["histograms"]]
    answers["medians"] = []
    for values in cases["medians"]:
        tested = stats.quantile_test(values, q=np.median(values), p=0.5)
        interval = tested.confidence_interval(confidence_level=0.95)
        answers["medians"].append([float(np.median(values)), float(interval.low), float(interval.high)])
    # What windows turn out to be is a row of independent chances: what metrics then are, drawn.
    answers["estimateSpread"] = []
    for c in cases["predictions"]:
        p = np.array(c["probabilities"])
        high = np.array(c["high"])
        failing = np.random.default_rng(1).random((20_000, len(p))) < p
        true_positive = (failing & high).sum(axis=1)
        positive = failing.sum(axis=1)
        answers["estimateSpread"].append(
            {
                "accuracy": float(np.sqrt((p * (1 - p)).sum()) / len(p)),
                "precision": float(np.sqrt((p * (1 - p))[high].sum()) / high.sum()),
                "recall": float((true_positive / positive).std()),
                "falsePositiveRate": float(((high.sum() - true_positive) / (len(p) - positive)).std()),
                "f1": float((2 * true_positive / (high.sum() + positive)).std()),
            }
        )
except ImportError:
    pass

try:
    import sklearn
    from sklearn.calibration import _sigmoid_calibration
    from sklearn.isotonic import IsotonicRegression

    answers["versions"]["scikit-learn"] = sklearn.__version__
    answers["isotonic"] = []
    answers["sigmoid"] = []
    for c in cases["calibrations"]:
        p = np.array([point["probability"] for point in c["points"]])
        n = np.array([point["count"] for point in c["points"]])
        k = np.array([point["positives"] for point in c["points"]])
        fitted = IsotonicRegression(out_of_bounds="clip").fit(p, k / n, sample_weight=n)
        answers["isotonic"].append([float(x) for x in fitted.predict(c["at"])])
        odds = np.log(p / (1 - p))
        rows = np.concatenate([np.repeat(odds, k), np.repeat(odds, n - k)])
        truth = np.concatenate([np.ones(k.sum()), np.zeros((n - k).sum())])
        slope, offset = _sigmoid_calibration(rows, truth)
        answers["sigmoid"].append([float(slope), float(offset)])
except ImportError:
    pass

try:
    import statsmodels
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import proportion_confint

    answers["versions"]["statsmodels"] = statsmodels.__version__
    answers["wilson"] = [[float(x) for x in proportion_confint(k, n, method="wilson")] for k, n in cases["shares"]]
    answers["benjaminiHochberg"] = [
        [float(x) for x in multipletests(p, method="fdr_bh")[1]] for p in cases["pValues"]
    ]
except ImportError:
    pass

try:
    import evidently
    import pandas as pd
    from evidently.legacy.calculations.stattests.psi import _psi
    from evidently.legacy.core import ColumnType

    answers["versions"]["evidently"] = evidently.__version__
    answers["psi"] = [
        float(
            _psi(
                pd.Series(spread(c["a"]["counts"])), pd.Series(spread(c["b"]["counts"])), ColumnType.Categorical, 0.1
            )[0]
        )
        for c in cases["histograms"]
    ]
except ImportError:
    pass

try:
    import nannyml
    from nannyml.performance_estimation.confidence_based import metrics

    answers["versions"]["nannyml"] = nannyml.__version__
    answers["cbpe"] = []
    for c in cases["predictions"]:
        p = np.array(c["probabilities"])
        y = np.array(c["high"]).astype(int)
        answers["cbpe"].append(
            {
                "accuracy": float(metrics.estimate_accuracy(y, p)),
                "precision": float(metrics.estimate_precision(y, p)),
                "recall": float(metrics.estimate_recall(y, p)),
                "falsePositiveRate": float(1 - metrics.estimate_specificity(y, p)),
                "f1": float(metrics.estimate_f1(y, p)),
            }
        )
except ImportError:
    pass

json.dump(answers, sys.stdout)
