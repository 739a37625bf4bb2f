"""Trains three models and times XGBoost on one thread: `python compare_speed.py OUT`. See compare-speed.ts."""

import json
import os
import sys
import time

import numpy as np
import xgboost as xgb

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(0)
result = []
for name, features, rounds, depth in [("small", 3, 100, 4), ("middle", 12, 300, 6), ("large", 50, 1000, 8)]:
    x = rng.normal(size=(20000, features)).astype(np.float32)
    y = x[:, 0] + np.sin(3 * x[:, 1]) + x[:, 2] * x[:, 0] + rng.normal(size=20000) * 0.5 > 0
    x[rng.random(x.shape) < 0.05] = np.nan
    booster = xgb.train({"objective": "binary:logistic", "max_depth": depth, "eta": 0.05, "nthread": 2},
                        xgb.DMatrix(x, label=y), rounds)
    booster.set_param({"nthread": 1})
    booster.save_model(os.path.join(out, f"{name}.ubj"))
    rows = x[:1000]
    rows.tofile(os.path.join(out, f"{name}.f32"))
    booster.predict(xgb.DMatrix(rows)).tofile(os.path.join(out, f"{name}.predictions.f32"))
    repeats = max(1, 600 // rounds)
    seconds = []
    for _ in range(7):
        start = time.process_time()
        for _ in range(repeats):
            booster.inplace_predict(rows)
        seconds.append((time.process_time() - start) / repeats)
    result.append({"name": name, "rowsPerCpuSecond": 1000 / min(seconds)})
print(json.dumps(result))
