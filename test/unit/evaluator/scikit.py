"""Writes scikit.json beside it: rows, their sums, and what scikit-learn says of them.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 numpy==2.4.6
    venv/bin/python test/unit/evaluator/scikit.py
"""
import json
import pathlib
import warnings
from collections import Counter

import numpy as np
from sklearn import metrics

warnings.filterwarnings("ignore", category=metrics._classification.UndefinedMetricWarning)


def integers(seed, count, low, high):
    """A linear congruential generator (Numerical Recipes' constants), the same on every machine and in every version."""
    state, drawn = seed, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        drawn.append(low + (state >> 8) * (high - low + 1) // 2**24)
    return drawn


def weights_of(rows):
    return np.array([row.get("weight", 1) / row.get("samplingRate", 1) for row in rows])


def weighted(seed, rows):
    """Gives rows weights, sampling rates, both, or neither."""
    draws = zip(rows, integers(seed, len(rows), 1, 400), integers(seed + 1, len(rows), 1, 8), integers(seed + 2, len(rows), 0, 3))
    return [
        {**row, **({"weight": weight / 50} if kind in (1, 3) else {}), **({"samplingRate": rate / 8} if kind in (2, 3) else {})}
        for row, weight, rate, kind in draws
    ]


def counts(values, weights):
    """Keys with their count and the sum of their weights, the most frequent first."""
    sums = Counter()
    for value, weight in zip(values, weights):
        sums[value] += float(weight)
    return [[key, count, sums[key]] for key, count in sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))]


def class_case(rows, positive, probability_terms):
    labels, predictions = [row["label"] for row in rows], [row["prediction"] for row in rows]
    log_loss_terms, brier_terms = probability_terms
    weights = weights_of(rows)
    wrong = np.array([row["label"] != row["prediction"] for row in rows])
    right = [(row["label"], weight) for row, weight in zip(rows, weights) if row["label"] == row["prediction"]]
    statistics = {
        "compared": len(rows),
        "comparedWeight": float(weights.sum()),
        "errors": int(wrong.sum()),
        "errorWeight": float(weights[wrong].sum()),
        "labels": counts(labels, weights),
        "predictions": counts(predictions, weights),
        "hits": counts(*zip(*right)),
        "scoredWeight": float(weights.sum()),
        "logLossSum": float(np.sum(log_loss_terms * weights)),
        "brierSum": float(np.sum(brier_terms * weights)),
    }
    how = {"average": "macro"} if positive is None else {"average": "binary", "pos_label": positive}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predictions, zero_division=0, sample_weight=weights, **how
    )
    quality = {
        "errors": statistics["errors"],
        "accuracy": metrics.accuracy_score(labels, predictions, sample_weight=weights),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predictions, sample_weight=weights),
        "mcc": metrics.matthews_corrcoef(labels, predictions, sample_weight=weights),
        "classes": classes_of(labels, predictions, weights),
    }
    return labels, statistics, quality


def classes_of(labels, predictions, weights):
    """Figures per class as rows of the column `classes`."""
    support, predicted = Counter(labels), Counter(predictions)
    names = sorted(set(labels) | set(predictions), key=lambda name: (-support[name], name))
    figures = metrics.precision_recall_fscore_support(labels, predictions, labels=names, zero_division=np.nan, sample_weight=weights)
    of = lambda figure, index: None if np.isnan(figures[figure][index]) else float(figures[figure][index])
    return [
        {"name": name, "labelled": support[name], "predicted": predicted[name], "precision": of(0, i), "recall": of(1, i), "f1": of(2, i)}
        for i, name in enumerate(names)
    ]


def calibration_error_sum(truth, p, weights):
    """Ten bins of equal width, as in Naeini, Cooper and Hauskrecht (AAAI 2015), not yet divided by the weight of the rows."""
    bins = np.minimum((p * 10).astype(int), 9)
    return float(sum(abs(((p - truth) * weights)[bins == index].sum()) for index in range(10)))


LENGTHS = (1, 3, 5, 10)


def rank_figures(lists, labels, scores, classes, weights, length):
    """Figures of ranked lists. `scores` order all classes as the lists do, for scikit-learn."""
    places = [ranked.index(label) + 1 if label in ranked else 0 for ranked, label in zip(lists, labels)]
    reciprocal = np.array([1 / place if place else 0 for place in places])
    by_place = Counter()
    for place, weight in zip(places, weights):
        if 0 < place <= max(LENGTHS):
            by_place[place] += float(weight)
    statistics = {
        "weight": float(weights.sum()),
        "length": length,
        "hits": [list(item) for item in sorted(by_place.items())],
        "reciprocalSum": float((reciprocal * weights).sum()),
    }
    at = lambda k: metrics.top_k_accuracy_score(labels, scores, k=k, labels=classes, sample_weight=weights)
    quality = {f"top_{k}_accuracy": float(at(k)) if k <= length else None for k in LENGTHS}
    return statistics, {**quality, "mean_reciprocal_rank": float(np.average(reciprocal, weights=weights))}


NO_RANKS = {"weight": 0, "length": 0, "hits": [], "reciprocalSum": 0}
NO_RANK_FIGURES = {**{f"top_{k}_accuracy": None for k in LENGTHS}, "mean_reciprocal_rank": None}
NO_QUANTILES = {"losses": [], "intervals": []}
NO_QUANTILE_FIGURES = {"pinball_loss": None, "interval_coverage": None, "interval_level": None}


def binary(seed, count, grid, positive="up", negative="down", threshold=0.55, weights_seed=None):
    """Scores on a grid of grid + 1 values, so that many are tied."""
    scores = [value / grid for value in integers(seed, count, 1, grid - 1)]
    noise = [value / 1000 for value in integers(seed + 1, count, 0, 999)]
    labels = [positive if chance < 0.15 + 0.7 * score else negative for score, chance in zip(scores, noise)]
    rows = [
        {"label": label, "prediction": positive if score >= threshold else negative, "score": score}
        for label, score in zip(labels, scores)
    ]
    if weights_seed is not None:
        rows = weighted(weights_seed, rows)
    truth, p, weights = np.array([label == positive for label in labels]), np.array(scores), weights_of(rows)
    labels, statistics, quality = class_case(rows, positive, (-np.log(np.where(truth, p, 1 - p)), (p - truth) ** 2))
    statistics["auc"] = quality["auc"] = metrics.roc_auc_score(truth, p, sample_weight=weights)
    statistics["averagePrecision"] = quality["average_precision"] = metrics.average_precision_score(truth, p, sample_weight=weights)
    statistics["calibrationErrorSum"] = calibration_error_sum(truth, p, weights)
    statistics["calibratedWeight"] = float(weights.sum())
    quality["calibration_error"] = statistics["calibrationErrorSum"] / statistics["calibratedWeight"]
    statistics["ranks"] = NO_RANKS
    quality.update(NO_RANK_FIGURES)
    quality["log_loss"] = metrics.log_loss(truth, p, sample_weight=weights)
    quality["brier"] = metrics.brier_score_loss(truth, p, sample_weight=weights)
    return {"task": "binary", "positiveLabel": positive, "rows": rows, "statistics": statistics, "quality": quality}


def multiclass(seed, count, classes, never_predicted, weights_seed=None, parts_up_to=100):
    parts = np.array(integers(seed, count * len(classes), 1, parts_up_to), float).reshape(count, len(classes))
    probabilities = parts / parts.sum(axis=1, keepdims=True)
    noise = [value / 1000 for value in integers(seed + 1, count, 0, 999)]
    labels = [
        classes[int(np.argmax(row))] if chance < 0.6 else classes[int(chance * 1000) % len(classes)]
        for row, chance in zip(probabilities, noise)
    ]
    candidates = [index for index, name in enumerate(classes) if name != never_predicted]
    rows = [
        {
            "label": label,
            "prediction": classes[max(candidates, key=lambda index: row[index])],
            "probabilities": dict(zip(classes, row.tolist())),
        }
        for label, row in zip(labels, probabilities)
    ]
    if weights_seed is not None:
        rows = weighted(weights_seed, rows)
    truth = np.array([[label == name for name in classes] for label in labels], float)
    terms = (-np.log((probabilities * truth).sum(axis=1)), ((probabilities - truth) ** 2).sum(axis=1))
    labels, statistics, quality = class_case(rows, None, terms)
    statistics["auc"] = quality["auc"] = None
    statistics["averagePrecision"] = quality["average_precision"] = None
    weights, predictions = weights_of(rows), [row["prediction"] for row in rows]
    confidence = np.array([row["probabilities"][prediction] for row, prediction in zip(rows, predictions)])
    hit = np.array([label == prediction for label, prediction in zip(labels, predictions)], float)
    statistics["calibratedWeight"] = float(weights.sum())
    statistics["calibrationErrorSum"] = calibration_error_sum(hit, confidence, weights)
    quality["calibration_error"] = statistics["calibrationErrorSum"] / statistics["calibratedWeight"]
    # Of equal probabilities scikit-learn takes the last class in the order of names.
    lists = [[name for _, name in sorted(zip(row, classes), reverse=True)] for row in probabilities.tolist()]
    statistics["ranks"], rank_quality = rank_figures(lists, labels, probabilities, classes, weights, len(classes) - 1)
    quality.update(rank_quality)
    quality["log_loss"] = metrics.log_loss(labels, probabilities, labels=classes, sample_weight=weights_of(rows))
    quality["brier"] = metrics.brier_score_loss(labels, probabilities, labels=classes, sample_weight=weights_of(rows))
    return {"task": "multiclass", "positiveLabel": None, "rows": rows, "statistics": statistics, "quality": quality}


def recommendations(seed, count, items, length, weights_seed=None):
    """Lists of items, of which some do not have the item that was taken."""
    keys = np.array(integers(seed, count * len(items), 0, 10_000_000)).reshape(count, len(items))
    wanted = [value / 1000 for value in integers(seed + 1, count, 0, 999)]
    orders = np.argsort(keys, axis=1)
    labels = [items[order[int(chance**2 * len(items))]] for order, chance in zip(orders, wanted)]
    lists = [[items[index] for index in order[:length]] for order in orders]
    rows = [{"label": label, "prediction": ranked[0], "ranking": ranked} for label, ranked in zip(labels, lists)]
    if weights_seed is not None:
        rows = weighted(weights_seed, rows)
    _, _, quality = class_case(rows, None, (np.zeros(count), np.zeros(count)))
    scores = -np.argsort(orders, axis=1)
    _, rank_quality = rank_figures(lists, labels, scores, items, weights_of(rows), length)
    # A list says nothing of probabilities.
    none = {name: None for name in ("auc", "average_precision", "log_loss", "brier", "calibration_error")}
    quality = {**quality, **none, **rank_quality}
    return {"task": "multiclass", "positiveLabel": None, "rows": rows, "statistics": None, "quality": quality}


def quantiles(case, seed, levels):
    """A regression whose rows have quantiles as well. The first row lacks the highest one."""
    rows, nominal = case["rows"], [float(level) for level in levels]
    shifts = np.array(integers(seed, len(rows) * len(levels), -200, 200), float).reshape(len(rows), -1) / 16
    predicted = np.sort(np.array([row["prediction"] for row in rows])[:, None] + shifts, axis=1)
    rows = [{**row, "quantiles": dict(zip(levels, values.tolist()))} for row, values in zip(rows, predicted)]
    del rows[0]["quantiles"][levels[-1]]
    weights, truth = weights_of(rows), np.array([row["label"] for row in rows])
    losses, by_level = [], []
    for index, level in enumerate(nominal):
        start = 1 if index == len(levels) - 1 else 0
        loss = metrics.mean_pinball_loss(
            truth[start:], predicted[start:, index], alpha=level, sample_weight=weights[start:]
        )
        losses.append(float(loss))
        by_level.append([level, float(weights[start:].sum()), float(loss * weights[start:].sum())])
    inside = (predicted[:, 0] <= truth) & (truth <= predicted[:, -1])
    covered, widest = float(weights[1:][inside[1:]].sum()), round(1 - 2 * nominal[0], 6)
    quality = {
        "pinball_loss": float(np.mean(losses)),
        "interval_coverage": covered / float(weights[1:].sum()),
        "interval_level": widest,
    }
    narrower = [[round(1 - 2 * nominal[1], 6), float(weights[0]), 0.0]]
    narrower[0][2] = float(weights[0] * (predicted[0, 1] <= truth[0] <= predicted[0, -2]))
    found = {"losses": by_level, "intervals": narrower + [[widest, float(weights[1:].sum()), covered]]}
    return {
        **case,
        "rows": rows,
        "statistics": {**case["statistics"], "quantiles": found},
        "quality": {**case["quality"], **quality},
    }


def regression(seed, count, level, weights_seed=None):
    labels = [level + value / 8 for value in integers(seed, count, -400, 400)]
    errors = [value / 16 for value in integers(seed + 1, count, -60, 80)]
    rows = [{"label": label, "prediction": label + error} for label, error in zip(labels, errors)]
    if weights_seed is not None:
        rows = weighted(weights_seed, rows)
    weights = weights_of(rows)
    truth, predicted = np.array(labels), np.array([row["prediction"] for row in rows])
    difference = predicted - truth
    statistics = {
        "numberWeight": float(weights.sum()),
        "errorSum": float((difference * weights).sum()),
        "absoluteErrorSum": float((np.abs(difference) * weights).sum()),
        "squaredErrorSum": float((difference**2 * weights).sum()),
        "labelSquareSum": float((weights * (truth - np.average(truth, weights=weights)) ** 2).sum()),
        "lossSum": float(np.abs(difference).sum()),
        "lossSquareSum": float((difference**2).sum()),
        "quantiles": NO_QUANTILES,
    }
    quality = {
        "mae": metrics.mean_absolute_error(truth, predicted, sample_weight=weights),
        "rmse": metrics.root_mean_squared_error(truth, predicted, sample_weight=weights),
        "bias": float(np.average(difference, weights=weights)),
        "r2": metrics.r2_score(truth, predicted, sample_weight=weights),
        **NO_QUANTILE_FIGURES,
    }
    return {"task": "regression", "positiveLabel": None, "rows": rows, "statistics": statistics, "quality": quality}


def logged(case, row_of, **others):
    """The same records, logged in another way."""
    return {**case, **others, "rows": [row_of(row) for row in case["rows"]], "statistics": None}


def in_words(row):
    """As in the first example of docs/producers.md, where the score is the probability of the class that is not the last in order."""
    words = {"up": "leaves", "down": "stays"}
    probabilities = {"stays": 1 - row["score"], "leaves": row["score"]}
    return {"label": words[row["label"]], "prediction": words[row["prediction"]], "score": row["score"], "probabilities": probabilities}


def renamed(quality, words):
    return {**quality, "classes": [{**of, "name": words[of["name"]]} for of in quality["classes"]]}


up_down = binary(17, 80, 1000)
zero_one = binary(19, 80, 1000, positive="1", negative="0")
at_half = binary(23, 80, 1000, positive="1", negative="0", threshold=0.5)
in_leaves = {"positiveLabel": "leaves", "quality": renamed(up_down["quality"], {"up": "leaves", "down": "stays"})}

cases = {
    "binary, tied scores": binary(1, 60, 10),
    "binary, named like numbers": binary(7, 40, 1000, positive="1", negative="0"),
    "multiclass": multiclass(3, 60, ["bird", "cat", "dog"], None),
    "multiclass, a class never predicted": multiclass(5, 60, ["a", "b", "c", "d"], "b"),
    "regression": regression(11, 50, 0),
    "regression, far from zero": regression(13, 50, 1_000_000),
    "binary with weights, tied scores": binary(29, 60, 10, weights_seed=41),
    "binary with weights": binary(31, 80, 1000, weights_seed=43),
    "multiclass with weights": multiclass(37, 60, ["a", "b", "c", "d"], "b", weights_seed=47),
    "regression with weights": regression(41, 50, 0, weights_seed=53),
    "regression with weights, far from zero": regression(43, 50, 1_000_000, weights_seed=59),
    "multiclass, many classes with tied probabilities": multiclass(
        61, 40, [f"c{index:02}" for index in range(12)], None, parts_up_to=6
    ),
    "multiclass with weights, many classes": multiclass(
        67, 40, [f"c{index:02}" for index in range(7)], "c03", weights_seed=71, parts_up_to=6
    ),
    "ranked lists": recommendations(73, 40, [f"item {index:02}" for index in range(25)], 10),
    "short ranked lists with weights, of items called like numbers": recommendations(
        79, 40, [str(100 + index) for index in range(40)], 4, weights_seed=83
    ),
    "quantiles": quantiles(regression(89, 30, 0), 97, ["0.1", "0.25", "0.5", "0.75", "0.9"]),
    "quantiles with weights": quantiles(regression(101, 30, 0, weights_seed=103), 107, ["0.05", ".2", "0.8", "0.95"]),
    "the example of the documentation": logged(up_down, in_words, **in_leaves),
    "the example without probabilities": logged(up_down, lambda row: {**in_words(row), "probabilities": None}, **in_leaves),
    "true and false against 1 and 0": logged(zero_one, lambda row: {**row, "label": int(row["label"]), "prediction": row["prediction"] == "1"}),
    "1 and 0 against Yes and no": logged(
        zero_one,
        lambda row: {**row, "label": "Yes" if row["label"] == "1" else "no", "prediction": int(row["prediction"])},
        positiveLabel="Yes",
        quality=renamed(zero_one["quality"], {"1": "Yes", "0": "no"}),
    ),
    "probability of the other class as score": logged(zero_one, lambda row: {**row, "score": 1 - row["score"]}),
    "confidence as score": logged(
        at_half, lambda row: {**row, "score": max(row["score"], 1 - row["score"])}
    ),
    "probability as prediction": logged(at_half, lambda row: {"label": int(row["label"]), "prediction": row["score"]}),
}
target = pathlib.Path(__file__).with_name("scikit.json")
target.write_text(json.dumps(cases, separators=(",", ":")).replace(',"statistics"', ',\n"statistics"').replace('},"', '},\n"') + "\n")
