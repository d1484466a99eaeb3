"""Estimates by NannyML's CBPE, and the realised values, per chunk of the data sets of classifiers that its package bundles.

    nannyml.py FOLDER CHUNKS [LABELS]

writes FOLDER/<data set>.json: the rows of both periods by column, and per metric what was estimated and what came true. With
LABELS the reference is only so many of its first rows.
"""

import json
import os
import pathlib
import sys
import warnings

# This file is named like the package that it imports.
sys.path = sys.path[1:] + sys.path[:1]
os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")

import nannyml
import pandas as pd

# NannyML 0.13.1 cannot read the texts of pandas 3.
pd.set_option("future.infer_string", False)

CARDS = {name: f"y_pred_proba_{name}" for name in ("prepaid_card", "highstreet_card", "upmarket_card")}
# Label, prediction, probability (of the positive class, or per class), time.
DATA_SETS = {
    "synthetic_sample": ("load_synthetic_binary_classification_dataset", "work_home_actual", "y_pred", "y_pred_proba", "timestamp"),
    "california_housing": ("load_modified_california_housing_dataset", "clf_target", "y_pred", "y_pred_proba", "timestamp"),
    "synthetic_car_loan": ("load_synthetic_car_loan_dataset", "repaid", "y_pred", "y_pred_proba", "timestamp"),
    "synthetic_car_loan_dq": ("load_synthetic_car_loan_data_quality_dataset", "repaid", "y_pred", "y_pred_proba", "timestamp"),
    "employment_MA": ("load_us_census_ma_employment_data", "employed", "prediction", "predicted_probability", None),
    "synthetic_multiclass": ("load_synthetic_multiclass_classification_dataset", "y_true", "y_pred", CARDS, "timestamp"),
}


def values(column):
    return [None if pd.isna(value) else value.item() if hasattr(value, "item") else value for value in column]


def names(column):
    return [str(int(value)) if isinstance(value, (int, float)) else str(value) for value in values(column)]


def rows(frame, label, prediction, probability, features):
    if isinstance(probability, dict):
        scores = [row[probability[row[prediction]]] for row in frame.to_dict("records")]
    else:
        scores = values(frame[probability])
    return {
        "score": scores,
        "predicted": names(frame[prediction]),
        "label": names(frame[label]),
        "features": {name: values(frame[name]) for name in features},
    }


folder, chunks = pathlib.Path(sys.argv[1]), int(sys.argv[2])
labels = int(sys.argv[3]) if len(sys.argv) > 3 else None
for name, (load, label, prediction, probability, time) in DATA_SETS.items():
    reference, analysis, truth = getattr(nannyml, load)()
    analysis[label] = truth[label].values
    if time is not None:
        reference = reference.sort_values(time, kind="stable").reset_index(drop=True)
        analysis = analysis.sort_values(time, kind="stable").reset_index(drop=True)
    reference = reference[:labels]
    multiclass = isinstance(probability, dict)
    metrics = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1"} | ({} if multiclass else {"auc": "roc_auc"})
    options = {
        "y_pred": prediction,
        "y_pred_proba": probability,
        "y_true": label,
        "problem_type": "classification_multiclass" if multiclass else "classification_binary",
        "metrics": list(metrics.values()),
        "chunk_size": -(-len(analysis) // chunks),
    }
    estimated = nannyml.CBPE(**options).fit(reference).estimate(analysis.drop(columns=label)).filter(period="analysis").to_df()
    realised = nannyml.PerformanceCalculator(**options).fit(reference).calculate(analysis).filter(period="analysis").to_df()
    probabilities = list(probability.values()) if multiclass else [probability]
    features = [column for column in reference if column not in (label, prediction, time, "id", "period", *probabilities)]
    result = {
        "task": "multiclass" if multiclass else "binary",
        "chunkSize": options["chunk_size"],
        "reference": rows(reference, label, prediction, probability, features),
        "analysis": rows(analysis, label, prediction, probability, features),
        "metrics": {
            metric: {
                "estimated": values(estimated[(theirs, "value")]),
                "lower": values(estimated[(theirs, "lower_confidence_boundary")]),
                "upper": values(estimated[(theirs, "upper_confidence_boundary")]),
                "realised": values(realised[(theirs, "value")]),
            }
            for metric, theirs in metrics.items()
        },
    }
    (folder / f"{name}.json").write_text(json.dumps(result))
