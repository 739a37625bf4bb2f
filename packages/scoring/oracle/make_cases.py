"""Trains models with XGBoost and writes down what XGBoost itself predicts with them: the oracle of the scoring room.

    python make_cases.py OUT --set fixtures            small models of every kind, for the fixtures in the repository
    python make_cases.py OUT --set random --seed N     models of random shape and parameters, for the live comparison
    python make_cases.py OUT --set large               few large models

OUT gets `cases.json`, one model file per case (.json or .ubj), and `NAME.f32`: little-endian float32 arrays one after
another, in the order and with the lengths that `cases.json` gives.
"""

import argparse
import json
import os

import numpy as np
import xgboost as xgb

VERSION = tuple(int(part) for part in xgb.__version__.split(".")[:2])
NASTY = np.array([0.0, -0.0, 1e-45, -1e-45, 1.1754944e-38, 3.4e38, -3.4e38, 1.0, -1.0], dtype=np.float32)


def thresholds(booster):
    """Every number that some split compares with."""
    found = []
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    model = model.get("gbtree", model)["model"]
    for tree in model.get("trees", []):
        for left, value in zip(tree["left_children"], tree["split_conditions"]):
            if left != -1 and value is not None:
                found.append(value)
    return np.array(found or [0.5], dtype=np.float32)


def probe_rows(rng, booster, count, feature_count, categorical):
    """Rows on which an inexact scorer would be caught: at thresholds, one step beside them, at the edges of float32."""
    at = thresholds(booster)
    rows = rng.normal(size=(count, feature_count)).astype(np.float32)
    pick = rng.integers(0, 6, size=rows.shape)
    chosen = rng.choice(at, size=rows.shape)
    rows = np.where(pick == 1, chosen, rows)
    rows = np.where(pick == 2, np.nextafter(chosen, np.float32(np.inf)), rows)
    rows = np.where(pick == 3, np.nextafter(chosen, np.float32(-np.inf)), rows)
    rows = np.where(pick == 4, rng.choice(NASTY, size=rows.shape), rows)
    for feature, size in categorical.items():
        rows[:, feature] = rng.integers(0, size + 3, size=count)
    rows = np.where(rng.random(rows.shape) < 0.15, np.nan, rows).astype(np.float32)
    rows[0, :] = np.nan
    rows[np.isinf(rows)] = 0
    return rows


class Cases:
    def __init__(self, out):
        self.out = out
        self.cases = []
        os.makedirs(out, exist_ok=True)

    def add(self, name, booster, rng, feature_count, *, rows=24, suffixes=("ubj",), categorical=None, iteration_end=None,
            contributions=True):
        categorical = categorical or {}
        data = probe_rows(rng, booster, rows, feature_count, categorical)
        types = ["c" if f in categorical else "float" for f in range(feature_count)] if categorical else None
        matrix = xgb.DMatrix(data, feature_types=types, enable_categorical=bool(categorical))
        if booster.feature_names:
            matrix.feature_names = booster.feature_names
        limit = {} if iteration_end is None else {"iteration_range": (0, iteration_end)}
        arrays = [data]
        shapes = {"rows": data.size}
        margin = booster.predict(matrix, output_margin=True, **limit)
        prediction = booster.predict(matrix, **limit)
        shapes["margins"] = margin.size
        shapes["predictions"] = prediction.size
        arrays += [margin, prediction]
        if contributions:
            # The linear booster sees the range and takes no part of it.
            explained = booster.predict(matrix, pred_contribs=True, **limit)
            shapes["contributions"] = explained.size
            arrays.append(explained)
        flat = np.concatenate([np.asarray(array, dtype="<f4").ravel() for array in arrays])
        flat.tofile(os.path.join(self.out, f"{name}.f32"))
        for suffix in suffixes:
            booster.save_model(os.path.join(self.out, f"{name}.{suffix}"))
        # 1.7 writes -1 where no round was trained.
        best = int(booster.attr("best_iteration") or -1)
        self.cases.append({
            "name": name,
            "files": [f"{name}.{suffix}" for suffix in suffixes],
            "rowCount": rows,
            "featureCount": feature_count,
            "iterationEnd": iteration_end,
            "bestIteration": best if best >= 0 else None,
            "featureNames": booster.feature_names,
            "lengths": shapes,
        })

    def write(self):
        with open(os.path.join(self.out, "cases.json"), "w") as file:
            json.dump({"xgboost": xgb.__version__, "cases": self.cases}, file, indent=1)
            file.write("\n")


def training_data(rng, rows, features, missing=0.1):
    x = rng.normal(size=(rows, features)).astype(np.float32)
    score = x[:, 0] * 1.5 + np.sin(2 * x[:, 1 % features]) + x[:, 0] * x[:, 2 % features]
    x[rng.random(x.shape) < missing] = np.nan
    return x, score


def labels_for(objective, rng, score, classes=3):
    noisy = score + rng.normal(size=score.shape)
    if objective.startswith("binary:") or objective == "reg:logistic":
        return (noisy > 0).astype(np.float32)
    if objective.startswith("multi:"):
        return np.digitize(noisy, np.quantile(noisy, np.arange(1, classes) / classes)).astype(np.float32)
    if objective.startswith("rank:"):
        return np.clip(np.round(noisy + 2), 0, 4).astype(np.float32)
    if objective in ("count:poisson", "reg:tweedie"):
        return rng.poisson(np.exp(np.clip(score / 3, -2, 2))).astype(np.float32)
    if objective in ("reg:gamma", "survival:cox", "survival:aft", "reg:squaredlogerror"):
        return np.exp(np.clip(noisy / 3, -2, 2)).astype(np.float32)
    return noisy.astype(np.float32)


def matrix_for(objective, rng, x, y, **options):
    matrix = xgb.DMatrix(x, label=None if objective == "survival:aft" else y, **options)
    if objective == "survival:aft":
        matrix.set_float_info("label_lower_bound", y)
        matrix.set_float_info("label_upper_bound", y * 1.5)
    if objective.startswith("rank:"):
        groups = [20] * (len(y) // 20)
        matrix.set_group(groups + ([len(y) - sum(groups)] if len(y) > sum(groups) else []))
    return matrix


def train(objective, rng, *, rows=300, features=5, rounds=6, missing=0.1, classes=3, options=None, **params):
    x, score = training_data(rng, rows, features, missing)
    y = labels_for(objective, rng, score, classes)
    matrix = matrix_for(objective, rng, x, y, **(options or {}))
    params = {"objective": objective, "max_depth": 3, "eta": 0.4, "nthread": 2, "seed": 1, **params}
    if objective.startswith("multi:"):
        params["num_class"] = classes
    return xgb.train(params, matrix, num_boost_round=rounds)


def train_categorical(rng, rounds=6, one_hot=False, objective="binary:logistic", **params):
    x, score = training_data(rng, 400, 4)
    sizes = {1: 40, 3: 5}
    for feature, size in sizes.items():
        codes = rng.integers(0, size, size=400)
        score = score + np.sin(codes * 1.7)
        x[:, feature] = np.where(rng.random(400) < 0.1, np.nan, codes)
    y = labels_for(objective, rng, score)
    matrix = xgb.DMatrix(x, label=y, feature_types=["float", "c", "float", "c"], enable_categorical=True)
    params = {"objective": objective, "max_depth": 4, "tree_method": "hist", "nthread": 2,
              "max_cat_to_onehot": 100 if one_hot else 1, **params}
    if objective.startswith("multi:"):
        params["num_class"] = 3
    return xgb.train(params, matrix, num_boost_round=rounds), sizes


def train_targets(rng, *, rounds=5, targets=3, objective="reg:squarederror", **params):
    x, score = training_data(rng, 300, 5)
    y = np.stack([score * (k + 1) + rng.normal(size=score.shape) for k in range(targets)], axis=1)
    if objective.startswith("binary:"):
        y = (y > 0).astype(np.float32)
    params = {"objective": objective, "max_depth": 3, "tree_method": "hist", "nthread": 2, **params}
    return xgb.train(params, xgb.DMatrix(x, label=y), num_boost_round=rounds)


def fixtures(cases):
    rng = np.random.default_rng(7)
    both = ("json", "ubj")
    cases.add("binary", train("binary:logistic", rng), rng, 5, rows=48, suffixes=both)
    cases.add("binary-no-missing", train("binary:logistic", rng, missing=0.0, base_score=0.3), rng, 5)
    cases.add("binary-deep", train("binary:logistic", rng, rows=600, rounds=2, max_depth=12, min_child_weight=0), rng, 5)
    cases.add("binary-exact-pruned", train("binary:logistic", rng, tree_method="exact", gamma=2.0), rng, 5,
              suffixes=("json",))
    cases.add("binary-narrow", train("binary:logistic", rng, rows=500, rounds=2, max_depth=0, max_leaves=24,
                                     grow_policy="lossguide", tree_method="hist", min_child_weight=0), rng, 5)
    cases.add("binary-forest", train("binary:logistic", rng, rounds=3, num_parallel_tree=4, subsample=0.5), rng, 5,
              iteration_end=2)
    cases.add("binary-named", train("binary:logistic", rng, features=3, rounds=9,
                                    options={"feature_names": ["temp \"in\"", "Vibration mm/s", "Druck ä"]}), rng, 3,
              suffixes=both)
    cases.add("no-rounds", train("binary:logistic", rng, rounds=0), rng, 5, rows=3)
    for objective in ("reg:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "reg:gamma", "reg:tweedie",
                      "survival:cox", "survival:aft", "reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror",
                      "reg:absoluteerror", "rank:pairwise", "rank:ndcg"):
        cases.add(objective.replace(":", "-"), train(objective, rng, rounds=3), rng, 5, rows=12)
    cases.add("softprob", train("multi:softprob", rng, rounds=3), rng, 5, suffixes=both)
    cases.add("softmax", train("multi:softmax", rng, rounds=3, classes=4), rng, 5, rows=12)
    cases.add("dart", train("binary:logistic", rng, rounds=8, booster="dart", rate_drop=0.4), rng, 5, suffixes=both)
    cases.add("dart-softprob", train("multi:softprob", rng, rounds=4, booster="dart", rate_drop=0.4), rng, 5, rows=12)
    cases.add("linear", train("binary:logistic", rng, booster="gblinear"), rng, 5, suffixes=both)
    cases.add("linear-softprob", train("multi:softprob", rng, booster="gblinear"), rng, 5, rows=12)
    booster, sizes = train_categorical(rng)
    cases.add("categorical", booster, rng, 4, rows=48, categorical=sizes, suffixes=both)
    booster, sizes = train_categorical(rng, one_hot=True)
    cases.add("categorical-one-hot", booster, rng, 4, categorical=sizes)
    cases.add("targets", train_targets(rng), rng, 5)
    cases.add("targets-binary", train_targets(rng, objective="binary:logistic"), rng, 5, rows=12)
    if VERSION >= (2, 0):
        cases.add("quantiles", train("reg:quantileerror", rng, rounds=3, quantile_alpha=[0.1, 0.5, 0.9]), rng, 5, rows=12)
        cases.add("targets-vector-leaf", train_targets(rng, multi_strategy="multi_output_tree"), rng, 5,
                  suffixes=both, contributions=False)


def random_cases(cases, seed):
    rng = np.random.default_rng(seed)
    objectives = ["binary:logistic", "binary:logistic", "binary:logistic", "multi:softprob", "count:poisson",
                  "reg:squarederror", "survival:aft", "multi:softmax", "reg:gamma"]
    for number in range(10):
        objective = str(rng.choice(objectives))
        features = int(rng.integers(1, 16))
        booster = train(
            objective, rng, rows=int(rng.integers(60, 900)), features=features, rounds=int(rng.integers(1, 60)),
            missing=float(rng.choice([0.0, 0.05, 0.5])), classes=int(rng.integers(2, 6)), max_depth=int(rng.integers(1, 13)),
            min_child_weight=float(rng.choice([0.0, 1.0])), eta=float(rng.uniform(0.05, 1.0)),
            tree_method=str(rng.choice(["hist", "approx", "exact"])), booster=str(rng.choice(["gbtree", "gbtree", "dart"])),
            rate_drop=0.3, num_parallel_tree=int(rng.integers(1, 3)), gamma=float(rng.choice([0.0, 0.5])),
        )
        end = int(rng.integers(1, booster.num_boosted_rounds() + 1)) if rng.random() < 0.4 else None
        cases.add(f"random-{number}", booster, rng, features, rows=150, suffixes=("json", "ubj"), iteration_end=end)
    for number, objective in enumerate(("binary:logistic", "multi:softprob")):
        booster, sizes = train_categorical(rng, rounds=20, objective=objective, max_depth=int(rng.integers(2, 9)))
        cases.add(f"random-categorical-{number}", booster, rng, 4, rows=300, categorical=sizes, suffixes=("json", "ubj"))
    if VERSION >= (2, 0):
        booster = train_targets(rng, rounds=15, targets=4, multi_strategy="multi_output_tree", max_depth=5)
        cases.add("random-vector-leaf", booster, rng, 5, rows=300, suffixes=("json", "ubj"), contributions=False)
    x, score = training_data(rng, 500, 6)
    y = labels_for("binary:logistic", rng, score)
    split = xgb.DMatrix(x[:300], label=y[:300]), xgb.DMatrix(x[300:], label=y[300:])
    booster = xgb.train({"objective": "binary:logistic", "eta": 0.9, "max_depth": 6, "nthread": 2}, split[0], 60,
                        evals=[(split[1], "held_out")], early_stopping_rounds=3, verbose_eval=False)
    cases.add("early-stopping", booster, rng, 6, rows=300)


def large(cases):
    rng = np.random.default_rng(11)
    cases.add("thousand-trees", train("binary:logistic", rng, rows=2000, features=12, rounds=1000, max_depth=6, eta=0.05,
                                      tree_method="hist"), rng, 12, rows=2000, contributions=False)
    cases.add("deep", train("binary:logistic", rng, rows=6000, features=20, rounds=20, max_depth=12, min_child_weight=0,
                            tree_method="hist"), rng, 20, rows=2000, contributions=False)
    if VERSION >= (3, 1):
        cases.add("vector-base-score", train("multi:softprob", rng, rounds=30, classes=5), rng, 5, rows=2000)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--set", choices=["fixtures", "random", "large"], required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    cases = Cases(arguments.out)
    if arguments.set == "fixtures":
        fixtures(cases)
    elif arguments.set == "random":
        random_cases(cases, arguments.seed)
    else:
        large(cases)
    cases.write()


if __name__ == "__main__":
    main()
