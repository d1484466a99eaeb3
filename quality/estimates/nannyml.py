"""Computes NannyML's estimates (CBPE, DLE) and realised values on the data sets in its package.

    nannyml.py FOLDER CHUNKS [LABELS]

Writes FOLDER/<data set>.json with the rows of both periods by column, and the estimated and
realised values of each metric per chunk. With LABELS the reference consists of only that many of its
first rows.
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
from lightgbm import LGBMRegressor

# NannyML 0.13.1 cannot read the texts of pandas 3.
pd.set_option("future.infer_string", False)

CARDS = {
    name: f"y_pred_proba_{name}" for name in ("prepaid_card", "highstreet_card", "upmarket_card")
}
CENSUS = "load_us_census_ma_employment_data"
HOUSING = "load_modified_california_housing_dataset"
CAR_LOAN = "load_synthetic_car_loan_dataset"
CAR_LOAN_DATA_QUALITY = "load_synthetic_car_loan_data_quality_dataset"
BINARY = "load_synthetic_binary_classification_dataset"
MULTICLASS = "load_synthetic_multiclass_classification_dataset"
# Columns of the label, the prediction, the probability (of the positive class, or per class) and
# the time.
DATA_SETS = {
    "synthetic_sample": (BINARY, "work_home_actual", "y_pred", "y_pred_proba", "timestamp"),
    "california_housing": (HOUSING, "clf_target", "y_pred", "y_pred_proba", "timestamp"),
    "synthetic_car_loan": (CAR_LOAN, "repaid", "y_pred", "y_pred_proba", "timestamp"),
    "synthetic_car_loan_dq": (
        CAR_LOAN_DATA_QUALITY, "repaid", "y_pred", "y_pred_proba", "timestamp"
    ),
    "employment_MA": (CENSUS, "employed", "prediction", "predicted_probability", None),
    "synthetic_multiclass": (MULTICLASS, "y_true", "y_pred", CARDS, "timestamp"),
}
# Columns of the label, the prediction and the time, and columns that are left out. The package has
# one data set of a regression. In two others a number is predicted by a model of the first third of
# the reference (LightGBM with its defaults), and that third is left out afterwards.
REGRESSIONS = {
    "synthetic_car_price": (
        "load_synthetic_car_price_dataset", "y_true", "y_pred", "timestamp", []
    ),
    "employment_MA_age": (
        CENSUS, "AGEP", None, None, ["employed", "year", "prediction", "predicted_probability"]
    ),
    "california_income": (
        HOUSING, "MedInc", None, "timestamp", ["clf_target", "y_pred", "y_pred_proba"]
    ),
}


def values(column):
    return [
        None if pd.isna(value) else value.item() if hasattr(value, "item") else value
        for value in column
    ]


def names(column):
    return [
        str(int(value)) if isinstance(value, (int, float)) else str(value)
        for value in values(column)
    ]


def probabilities_of_predicted(frame, prediction, probability):
    if isinstance(probability, dict):
        return [row[probability[row[prediction]]] for row in frame.to_dict("records")]
    return values(frame[probability])


def columns(frame, features):
    return {name: values(frame[name]) for name in features}


def periods(load, label, time):
    """Returns the labelled rows of the reference and of the analysis in the order of time."""
    reference, analysis, truth = getattr(nannyml, load)()
    if label not in analysis:
        analysis[label] = truth[label].values
    if time is not None:
        reference = reference.sort_values(time, kind="stable").reset_index(drop=True)
        analysis = analysis.sort_values(time, kind="stable").reset_index(drop=True)
    return reference, analysis


def compared(estimator, options, reference, analysis, metrics):
    """Returns the estimated and the realised values by metric.

    `metrics` maps the names of Driftloop to those of NannyML.
    """
    options = options | {
        "metrics": list(metrics.values()),
        "chunk_size": -(-len(analysis) // chunks),
    }
    calculator = {"problem_type": "regression"} | {
        name: option for name, option in options.items() if name != "feature_column_names"
    }
    unlabelled = analysis.drop(columns=options["y_true"])
    estimated = estimator(**options).fit(reference).estimate(unlabelled)
    estimated = estimated.filter(period="analysis").to_df()
    realised = nannyml.PerformanceCalculator(**calculator).fit(reference).calculate(analysis)
    realised = realised.filter(period="analysis").to_df()
    return {
        "chunkSize": options["chunk_size"],
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


folder, chunks = pathlib.Path(sys.argv[1]), int(sys.argv[2])
labels = int(sys.argv[3]) if len(sys.argv) > 3 else None


def classifier(load, label, prediction, probability, time):
    reference, analysis = periods(load, label, time)
    reference = reference[:labels]
    multiclass = isinstance(probability, dict)
    metrics = {name: name for name in ("accuracy", "precision", "recall", "f1")}
    if not multiclass:
        metrics["auc"] = "roc_auc"
    options = {
        "y_pred": prediction,
        "y_pred_proba": probability,
        "y_true": label,
        "problem_type": "classification_multiclass" if multiclass else "classification_binary",
    }
    probabilities = list(probability.values()) if multiclass else [probability]
    others = (label, prediction, time, "id", "period", *probabilities)
    features = [column for column in reference if column not in others]

    def rows(frame):
        return {
            "score": probabilities_of_predicted(frame, prediction, probability),
            "predicted": names(frame[prediction]),
            "label": names(frame[label]),
            "features": columns(frame, features),
        }

    return {
        "task": "multiclass" if multiclass else "binary",
        "reference": rows(reference),
        "analysis": rows(analysis),
        **compared(nannyml.CBPE, options, reference, analysis, metrics),
    }


def regression(load, label, prediction, time, left_out):
    reference, analysis = periods(load, label, time)
    others = (label, prediction, time, "id", "period", *left_out)
    features = [column for column in reference if column not in others]
    if prediction is None:
        prediction = "predicted"
        third = len(reference) // 3
        model = LGBMRegressor(verbosity=-1)
        model.fit(reference[:third][features], reference[:third][label])
        reference = reference[third:].reset_index(drop=True)
        for frame in (reference, analysis):
            frame[prediction] = model.predict(frame[features])
    reference = reference[:labels]
    options = {"feature_column_names": features, "y_pred": prediction, "y_true": label}

    def rows(frame):
        return {
            "predicted": values(frame[prediction]),
            "label": values(frame[label]),
            "features": columns(frame, features),
        }

    return {
        "task": "regression",
        "reference": rows(reference),
        "analysis": rows(analysis),
        **compared(nannyml.DLE, options, reference, analysis, {"mae": "mae", "rmse": "rmse"}),
    }


for name, arguments in DATA_SETS.items():
    (folder / f"{name}.json").write_text(json.dumps(classifier(*arguments)))
for name, arguments in REGRESSIONS.items():
    (folder / f"{name}.json").write_text(json.dumps(regression(*arguments)))
