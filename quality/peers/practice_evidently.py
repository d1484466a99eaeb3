"""Evidently with its defaults on streams in windows of a day: what is red in each window.

    practice_evidently.py FOLDER

Reads each FOLDER/<stream>.json with the columns of a stream, and the days that are to be judged.
Prints a line of JSON per stream. Drift of each column and of the dataset, missing values, accuracy
and F1 are compared with the first days, as the presets of drift, data summary and classification do.
"""

import json
import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")

import pandas as pd
from evidently import BinaryClassification, DataDefinition, Dataset, Report
from evidently.metrics import (
    Accuracy,
    DatasetMissingValueCount,
    F1Score,
    ValueDrift,
)


# Evidently's default: a data set has drifted when half of its columns have.
DRIFT_SHARE = 0.5


def red_tests(report, data_set, rows, reference, columns):
    """Returns the names of the tests that fail, or that there is no report of such a window."""
    try:
        tests = report.run(data_set(rows), reference).dict()["tests"]
    except Exception:
        return ["failed"]
    red = [name_of(test) for test in tests if str(test["status"]).endswith("FAIL")]
    drifted = sum(name.startswith("drift:") for name in red)
    return red + (["dataset"] if drifted >= DRIFT_SHARE * columns else [])


def name_of(test):
    params = test["metric_config"]["params"]
    kind = params["type"].split(":")[-1]
    if kind == "ValueDrift":
        return f"drift:{params['column']}"
    return "missing:" if kind == "DatasetMissingValueCount" else f"performance:{kind}"


def judged(stream):
    frame = pd.DataFrame(stream["columns"])
    is_labelled = frame["label"].notna().any()
    if not is_labelled:
        frame = frame.drop(columns="label")
    numbers = stream["numbers"]
    categories = stream["categories"] + (["prediction", "label"] if is_labelled else ["prediction"])
    columns = numbers + categories
    classification = BinaryClassification(
        target="label", prediction_labels="prediction", pos_label=1
    )
    definition = DataDefinition(
        numerical_columns=numbers,
        categorical_columns=categories,
        classification=[classification] if is_labelled else None,
    )
    report = Report(
        [
            DatasetMissingValueCount(),
            *(ValueDrift(column=column) for column in columns),
            *([Accuracy(), F1Score()] if is_labelled else []),
        ],
        include_tests=True,
    )

    def data_set(rows):
        return Dataset.from_pandas(rows.drop(columns="day").infer_objects(), definition)

    reference = data_set(frame[frame["day"] < stream["referenceDays"]])
    days = [(day, frame[frame["day"] == day]) for day in stream["days"]]
    return [
        {"day": day, "red": red_tests(report, data_set, rows, reference, len(columns))}
        for day, rows in days
        if len(rows)
    ]


for file in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    print(json.dumps({"name": file.stem, "windows": judged(json.loads(file.read_text()))}), flush=True)
