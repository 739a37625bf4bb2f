"""Converts FOLDER/A|B|C.json to .onnx for bench/scoring.ts. Runs in an environment of its own: see bench/onnx.ts."""

import json
import sys
from pathlib import Path

import xgboost as xgb
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

folder = Path(sys.argv[1])
for name in "ABC":
    target = folder / f"{name}.onnx"
    if target.exists():
        continue
    text = json.loads((folder / f"{name}.json").read_text())
    learner = text["learner"]["learner_model_param"]
    # XGBoost 3 writes a list in a string, which the converter does not know.
    learner["base_score"] = learner["base_score"].strip("[]")
    # The converter wants f0, f1, …
    text["learner"]["feature_names"] = []
    text["learner"]["feature_types"] = []
    booster = xgb.Booster()
    booster.load_model(bytearray(json.dumps(text).encode()))
    features = int(learner["num_feature"])
    model = convert_xgboost(booster, initial_types=[("rows", FloatTensorType([None, features]))])
    target.write_bytes(model.SerializeToString())
