"""NannyML with its defaults on streams in chunks of a day: what alerts in each chunk.

    practice_nannyml.py FOLDER

Reads each FOLDER/<stream>.json with the columns of a stream, and the days that are to be judged.
Prints a line of JSON per stream. Univariate drift, realised performance (accuracy, F1, ROC AUC),
missing and unseen values are compared with the first days.
"""

import json
import os
import pathlib
import sys
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")

import nannyml
import pandas as pd

# NannyML 0.13.1 cannot read the texts of pandas 3.
pd.set_option("future.infer_string", False)

START = pd.Timestamp("2026-09-15")
METRICS = ["accuracy", "f1", "roc_auc"]


def calculators(numbers, categories, is_labelled):
    """Yields the kind of what alerts, and its calculator."""
    chunks = {"timestamp_column_name": "time", "chunk_period": "D"}
    yield (
        "drift",
        nannyml.UnivariateDriftCalculator(
            column_names=numbers + categories + ["prediction"],
            treat_as_categorical=["prediction"],
            **chunks,
        ),
    )
    yield "missing", nannyml.MissingValuesCalculator(column_names=numbers + categories, **chunks)
    yield "unseen", nannyml.UnseenValuesCalculator(column_names=categories, **chunks)
    if is_labelled:
        yield (
            "performance",
            nannyml.PerformanceCalculator(
                metrics=METRICS,
                y_true="label",
                y_pred="prediction",
                y_pred_proba="score",
                problem_type="classification_binary",
                **chunks,
            ),
        )


def alerts(kind, calculator, reference, analysis):
    """Yields the day and name of each alert. A day of which nothing can be computed is one."""
    calculator.fit(reference)
    try:
        result = calculator.calculate(analysis)
    except Exception:
        days = analysis["time"].dt.normalize().unique()
        for day in days:
            rows = analysis[analysis["time"].dt.normalize() == day].infer_objects()
            if len(days) > 1:
                yield from alerts(kind, calculator, reference, rows)
            else:
                yield (day - START).days, f"{kind}:failed"
        return
    frame = result.filter(period="analysis").to_df()
    starts = frame[next(column for column in frame.columns if column[-1] == "start_date")]
    for column in frame.columns:
        if column[-1] != "alert":
            continue
        for start, alert in zip(starts, frame[column]):
            if alert == True:
                yield (start.normalize() - START).days, f"{kind}:{column[0]}"


def judged(stream):
    frame = pd.DataFrame(stream["columns"])
    frame["time"] = START + pd.to_timedelta(frame["day"], unit="D") + pd.Timedelta(hours=1)
    is_reference = frame["day"] < stream["referenceDays"]
    reference = frame[is_reference].infer_objects().reset_index(drop=True)
    analysis = frame[~is_reference].reset_index(drop=True)
    windows = {day: [] for day in sorted(analysis["day"].unique().tolist())}
    is_labelled = frame["label"].notna().any()
    for kind, calculator in calculators(stream["numbers"], stream["categories"], is_labelled):
        for day, name in alerts(kind, calculator, reference, analysis):
            windows[day].append(name)
    return [{"day": day, "red": red} for day, red in windows.items()]


for file in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    print(json.dumps({"name": file.stem, "windows": judged(json.loads(file.read_text()))}), flush=True)
