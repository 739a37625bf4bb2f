"""The windows a model is trained on: device-features of Millwright joined to the rig's labels and blocks of time."""

import csv
import json
from datetime import datetime
from pathlib import Path

import numpy as np

INPUT = Path(__file__).resolve().parent.parent / "input"
FEATURES = ["tempStd", "vibration", "pressure"]
OTHER_FEATURES = ["temperatureMean", "flowMean"]
MINUTE_MS = 60_000
WINDOW_MS = 5 * MINUTE_MS

# What could be predicted, each from the state of the rig in one minute.
TARGETS = {
    "pump leaks": lambda row: row["pumpLeak"] != "0",
    "pump leaks severely": lambda row: row["pumpLeak"] == "2",
    "valve lags": lambda row: row["valvePct"] != "100",
    "accumulator at 100 bar or less": lambda row: int(row["accumulatorBar"]) <= 100,
    "anything near failure (`fault`)": lambda row: row["fault"] == "1",
    "cooler near failure": lambda row: row["coolerPct"] == "3",
}


def parse_ms(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def read_csv(name):
    with (INPUT / name).open() as file:
        return list(csv.DictReader(file))


def read_features(paths):
    """Every window's newest revision: {windowStart: [tempStd, vibration, pressure]}; null is NaN."""
    newest = {}
    for path in paths:
        with open(path) as file:
            for line in file:
                window = json.loads(line)
                known = newest.get(window["windowStart"])
                if known is None or window["revision"] >= known["revision"]:
                    newest[window["windowStart"]] = window
    return {
        start: [np.nan if window["features"][name] is None else window["features"][name] for name in FEATURES]
        for start, window in sorted(newest.items())
    }


class Dataset:
    """Rows in order of time. `x` is float32, as the scoring engine has it; `blocks` counts from 1."""

    def __init__(self, feature_paths):
        features = read_features(feature_paths)
        self.starts = np.array(list(features))
        self.x = np.array(list(features.values()), dtype=np.float32)
        self._join_blocks()
        self._join_labels()
        others = {parse_ms(row["windowStart"]): [float(row[name]) for name in OTHER_FEATURES] for row in read_csv("other-channels.csv")}
        self.x_others = np.array([others[start] for start in self.starts], dtype=np.float32)

    def _join_blocks(self):
        rows = read_csv("blocks.csv")
        edges = [(parse_ms(row["start"]), parse_ms(row["end"])) for row in rows]
        expected = sum((end - start) // WINDOW_MS for start, end in edges)
        if len(self.starts) != expected:
            raise SystemExit(f"found {len(self.starts)} windows, wanted {expected}: replay both input files")
        self.blocks = np.array([next(i for i, (a, b) in enumerate(edges, 1) if a <= s < b) for s in self.starts])
        self.test_blocks = [int(row["block"]) for row in rows if row["use"] == "test"]
        self.cooler = {int(row["block"]): int(row["coolerPct"]) for row in rows}

    def _join_labels(self):
        """A window is positive when most of its five minutes are."""
        minutes = {parse_ms(row["start"]): row for row in read_csv("labels.csv")}
        self.targets = {
            name: np.array([sum(is_bad(minutes[s + i * MINUTE_MS]) for i in range(5)) >= 3 for s in self.starts])
            for name, is_bad in TARGETS.items()
        }

    @property
    def is_test(self):
        return np.isin(self.blocks, self.test_blocks)

    def training_for(self, test):
        """Rows that may be trained on when `test` is: all others but those within ten minutes of one of them."""
        near = np.zeros(len(test), dtype=bool)
        for start in self.starts[test]:
            near |= np.abs(self.starts - start) <= 2 * WINDOW_MS
        return ~test & ~near
