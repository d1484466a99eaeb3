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
    DriftedColumnsCount,
    F1Score,
    ValueDrift,
)


def red_tests(report, window, reference):
    """Returns the names of the tests that fail, or that there is no report of such a window."""
    try:
        tests = report.run(window, reference).dict()["tests"]
    except Exception:
        return ["failed"]
    return [name_of(test) for test in tests if str(test["status"]).endswith("FAIL")]


def name_of(test):
    params = test["metric_config"]["params"]
    kind = params["type"].split(":")[-1]
    if kind == "ValueDrift":
        return f"drift:{params['column']}"
    return {"DriftedColumnsCount": "dataset", "DatasetMissingValueCount": "missing:"}.get(
        kind, f"performance:{kind}"
    )


def judged(stream):
    frame = pd.DataFrame(stream["columns"])
    numbers, categories = stream["numbers"], stream["categories"]
    is_labelled = frame["label"].notna().any()
    if not is_labelled:
        frame = frame.drop(columns="label")
    labels = ["prediction", "label"] if is_labelled else ["prediction"]
    definition = DataDefinition(
        numerical_columns=numbers,
        categorical_columns=categories + labels,
        classification=[
            BinaryClassification(target="label", prediction_labels="prediction", pos_label=1)
        ]
        if is_labelled
        else None,
    )
    performance = [Accuracy(), F1Score()] if is_labelled else []

    def data_set(rows):
        return Dataset.from_pandas(rows.drop(columns="day"), definition)

    reference = data_set(frame[frame["day"] < stream["referenceDays"]])
    report = Report(
        [
            DriftedColumnsCount(),
            DatasetMissingValueCount(),
            *(ValueDrift(column=column) for column in numbers + categories + labels),
            *performance,
        ],
        include_tests=True,
    )
    windows = []
    for day in stream["days"]:
        rows = frame[frame["day"] == day]
        if len(rows):
            windows.append({"day": day, "red": red_tests(report, data_set(rows), reference)})
    return windows


for file in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    print(json.dumps({"name": file.stem, "windows": judged(json.loads(file.read_text()))}), flush=True)
