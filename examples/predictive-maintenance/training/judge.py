"""Measures of a model's answers on windows it was not trained on."""

import numpy as np


def roc_auc(y, p):
    """The probability that a positive window scores above a negative one, ties counting half; None where one kind lacks."""
    positive, negative = p[y], p[~y]
    if len(positive) == 0 or len(negative) == 0:
        return None
    above = (positive[:, None] > negative[None, :]).sum() + 0.5 * (positive[:, None] == negative[None, :]).sum()
    return float(above / (len(positive) * len(negative)))


def log_loss(y, p):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return float(-np.mean(np.where(y, np.log(p), np.log(1 - p))))


def judge(y, p, threshold):
    """Counts and ratios of alerting above the threshold (strictly, as the plant does); a ratio over nothing is None."""
    alert = p > np.float32(threshold)
    tp, fp = int((alert & y).sum()), int((alert & ~y).sum())
    fn, tn = int((~alert & y).sum()), int((~alert & ~y).sum())
    ratio = lambda part, whole: part / whole if whole else None
    return {
        "threshold": threshold,
        "windows": len(y),
        "positive": int(y.sum()),
        "truePositive": tp,
        "falsePositive": fp,
        "falseNegative": fn,
        "trueNegative": tn,
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "falseAlarmRate": ratio(fp, fp + tn),
        "rocAuc": roc_auc(y, p),
    }


def episodes(starts_ms, y, p, threshold, window_ms):
    """Each run of positive windows: its length and how long after its start the first alert could be known, in minutes."""
    found = []
    for i, positive in enumerate(y):
        begins = positive and (i == 0 or not y[i - 1] or starts_ms[i] - starts_ms[i - 1] != window_ms)
        if begins:
            found.append({"start": int(starts_ms[i]), "minutes": 0, "firstAlertAfterMinutes": None})
        if positive:
            episode = found[-1]
            episode["minutes"] += window_ms // 60_000
            # A window is known when it ends.
            if episode["firstAlertAfterMinutes"] is None and p[i] > np.float32(threshold):
                episode["firstAlertAfterMinutes"] = int(starts_ms[i] + window_ms - episode["start"]) // 60_000
    return found
