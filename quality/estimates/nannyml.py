"""Estimates by NannyML's CBPE and DLE, and the realised values, per chunk of the data sets that its package bundles.

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
from lightgbm import LGBMRegressor

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
# Label, prediction, time, columns left out. There is one data set of a regression; of two others a number is predicted by a model of the
# first third of the reference (LightGBM as it comes), which is left out then.
REGRESSIONS = {
    "synthetic_car_price": ("load_synthetic_car_price_dataset", "y_true", "y_pred", "timestamp", []),
    "employment_MA_age": ("load_us_census_ma_employment_data", "AGEP", None, None, ["employed", "year", "prediction", "predicted_probability"]),
    "california_income": ("load_modified_california_housing_dataset", "MedInc", None, "timestamp", ["clf_target", "y_pred", "y_pred_proba"]),
}


def values(column):
    return [None if pd.isna(value) else value.item() if hasattr(value, "item") else value for value in column]


def names(column):
    return [str(int(value)) if isinstance(value, (int, float)) else str(value) for value in values(column)]


def probabilities_of_predicted(frame, prediction, probability):
    if isinstance(probability, dict):
        return [row[probability[row[prediction]]] for row in frame.to_dict("records")]
    return values(frame[probability])


def columns(frame, features):
    return {name: values(frame[name]) for name in features}


def periods(load, label, time):
    reference, analysis, truth = getattr(nannyml, load)()
    if label not in analysis:
        analysis[label] = truth[label].values
    if time is not None:
        reference = reference.sort_values(time, kind="stable").reset_index(drop=True)
        analysis = analysis.sort_values(time, kind="stable").reset_index(drop=True)
    return reference, analysis


def compared(estimator, options, reference, analysis, metrics):
    """What was estimated and what came true, per metric of ours by the name of theirs."""
    options = options | {"metrics": list(metrics.values()), "chunk_size": -(-len(analysis) // chunks)}
    calculator = {"problem_type": "regression"} | {name: option for name, option in options.items() if name != "feature_column_names"}
    estimated = estimator(**options).fit(reference).estimate(analysis.drop(columns=options["y_true"])).filter(period="analysis").to_df()
    realised = nannyml.PerformanceCalculator(**calculator).fit(reference).calculate(analysis).filter(period="analysis").to_df()
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
    metrics = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "f1"} | ({} if multiclass else {"auc": "roc_auc"})
    options = {
        "y_pred": prediction,
        "y_pred_proba": probability,
        "y_true": label,
        "problem_type": "classification_multiclass" if multiclass else "classification_binary",
    }
    probabilities = list(probability.values()) if multiclass else [probability]
    features = [column for column in reference if column not in (label, prediction, time, "id", "period", *probabilities)]

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
    features = [column for column in reference if column not in (label, prediction, time, "id", "period", *left_out)]
    if prediction is None:
        prediction = "predicted"
        third = len(reference) // 3
        model = LGBMRegressor(verbosity=-1).fit(reference[:third][features], reference[:third][label])
        reference = reference[third:].reset_index(drop=True)
        for frame in (reference, analysis):
            frame[prediction] = model.predict(frame[features])
    reference = reference[:labels]
    options = {"feature_column_names": features, "y_pred": prediction, "y_true": label}

    def rows(frame):
        return {"predicted": values(frame[prediction]), "label": values(frame[label]), "features": columns(frame, features)}

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
