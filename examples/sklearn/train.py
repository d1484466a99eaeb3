"""A trainer in Python with scikit-learn. docs/trainers.md has the contract.

    python3 train.py FOLDER

Numbers and texts go into boosted trees. How many of them are grown is chosen on the select rows.
"""
import json
import pathlib
import sys

import joblib
from fastparquet import ParquetFile
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import log_loss, mean_absolute_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from threadpoolctl import threadpool_limits

TREES = [50, 150]


def new_model(task, trees):
    """Makes a model that is not trained yet. All its random choices come from the seed."""
    numbers = [one["column"] for one in task["features"] if one["type"] == "number"]
    texts = [one["column"] for one in task["features"] if one["type"] == "text"]
    columns = ColumnTransformer(
        [
            ("numbers", "passthrough", numbers),
            (
                "texts",
                OneHotEncoder(
                    handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False
                ),
                texts,
            ),
        ]
    )
    kind = (
        HistGradientBoostingRegressor
        if task["task"] == "regression"
        else HistGradientBoostingClassifier
    )
    booster = kind(max_iter=trees, early_stopping=False, random_state=task["seed"] % 2**32)
    return Pipeline([("columns", columns), ("trees", booster)])


def inputs_of(rows, task):
    """Returns the features. Trees take missing numbers; a missing text is an empty one."""
    inputs = rows[[one["column"] for one in task["features"]]].copy()
    for one in task["features"]:
        column = one["column"]
        inputs[column] = (
            inputs[column].astype("float64")
            if one["type"] == "number"
            else inputs[column].astype("object").where(inputs[column].notna(), "").astype(str)
        )
    return inputs


def labels_of(rows, task):
    labels = rows[task["labelColumn"]]
    return labels.astype("float64") if task["labelColumn"] == "label_value" else labels.astype(str)


def loss(model, inputs, labels, task):
    if task["task"] == "regression":
        return mean_absolute_error(labels, model.predict(inputs))
    return log_loss(labels, model.predict_proba(inputs), labels=model.classes_)


def lines(model, inputs, task):
    """Returns a line of predictions.jsonl for each row."""
    predictions = model.predict(inputs)
    if task["task"] == "regression":
        return [{"row": row, "prediction": float(one)} for row, one in enumerate(predictions)]
    # Classes have the names that task.json gives them: "1" and not "1.0".
    names = {number_or_text(one): str(one) for one in task["classes"]}
    classes = [names[number_or_text(one)] for one in model.classes_]
    positive = classes.index(str(task["classes"][-1]))
    return [
        {
            "row": row,
            "prediction": classes[list(shares).index(max(shares))],
            **({"score": float(shares[positive])} if task["task"] == "binary" else {}),
            "probabilities": {name: float(share) for name, share in zip(classes, shares)},
        }
        for row, shares in enumerate(model.predict_proba(inputs))
    ]


def number_or_text(value):
    return float(value) if isinstance(value, (int, float)) else str(value)


def main():
    folder = pathlib.Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text())
    rows = ParquetFile(str(folder / "dataset.parquet")).to_pandas()
    part = {name: slice(one["start"], one["end"]) for name, one in task["splits"].items()}
    inputs, labels = inputs_of(rows, task), labels_of(rows, task)
    # Some rows may be listed several times (retraining.rows: recent).
    train = task.get("trainRows", list(range(len(rows)))[part["train"]])
    weights = rows["weight"].iloc[train]
    trained = []
    for trees in TREES:
        model = new_model(task, trees)
        model.fit(inputs.iloc[train], labels.iloc[train], trees__sample_weight=weights)
        trained.append((loss(model, inputs[part["select"]], labels[part["select"]], task), model))
        print(f"{trees} trees: loss {trained[-1][0]:.4f} on the select rows", flush=True)
    _, best = min(trained, key=lambda one: one[0])
    output = pathlib.Path(task["outputFolder"])
    (output / "model").mkdir()
    joblib.dump(best, output / "model" / "model.joblib")
    with (output / "predictions.jsonl").open("w") as file:
        for line in lines(best, inputs, task):
            file.write(json.dumps(line) + "\n")


# One thread adds in one order, so that the same seed gives the same model to the last digit.
with threadpool_limits(limits=1):
    main()
