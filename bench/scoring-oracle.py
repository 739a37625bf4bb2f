"""XGBoost's side of bench/scoring.ts: trains the models once, then scores the same rows on one thread.

    python scoring-oracle.py train FOLDER      writes A|B|C.json, .f32 (rows), .probability.f32 (Booster.predict)
    python scoring-oracle.py measure FOLDER    prints {model: {predict, inplace_predict}} in rows per CPU second
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import xgboost as xgb

MODELS = {"A": (3, 100, 4), "B": (12, 300, 6), "C": (50, 1000, 8)}
TRAINING_ROWS = 20_000
BATCH = 1000


def train(folder: Path) -> None:
    random = np.random.default_rng(0)
    for name, (features, trees, depth) in MODELS.items():
        if (folder / f"{name}.probability.f32").exists():
            continue
        rows = random.normal(size=(TRAINING_ROWS, features)).astype(np.float32)
        signal = rows[:, 0] + np.sin(3 * rows[:, 1]) + rows[:, 2] * rows[:, 0]
        label = signal + random.normal(size=TRAINING_ROWS) * 0.5 > 0
        rows[random.random(rows.shape) < 0.05] = np.nan
        settings = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.05, "tree_method": "hist", "seed": 0, "nthread": 1}
        booster = xgb.train(settings, xgb.DMatrix(rows, label=label), trees)
        booster.save_model(folder / f"{name}.json")
        rows[:BATCH].tofile(folder / f"{name}.f32")
        booster.predict(xgb.DMatrix(rows[:BATCH])).tofile(folder / f"{name}.probability.f32")


def rows_per_cpu_second(score, seconds: float = 0.4) -> float:
    """The best of five stretches: what else the machine does only makes it slower."""
    score()
    best = 0.0
    for _ in range(5):
        calls, began = 0, time.process_time()
        while time.process_time() - began < seconds:
            score()
            calls += 1
        best = max(best, calls * BATCH / (time.process_time() - began))
    return best


def measure(folder: Path) -> None:
    found = {}
    for name, (features, _, _) in MODELS.items():
        booster = xgb.Booster({"nthread": 1})
        booster.load_model(folder / f"{name}.json")
        booster.set_param({"nthread": 1})
        rows = np.fromfile(folder / f"{name}.f32", dtype=np.float32).reshape(-1, features)
        found[name] = {
            # A new matrix each time: of one that it knows, a booster hands out the prediction that it kept.
            "predict": rows_per_cpu_second(lambda: booster.predict(xgb.DMatrix(rows, nthread=1))),
            "inplace_predict": rows_per_cpu_second(lambda: booster.inplace_predict(rows)),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    {"train": train, "measure": measure}[sys.argv[1]](Path(sys.argv[2]))
