"""Computes the values with which the views of groups are compared.

    pip install fairlearn==0.15.0 lifelines==0.30.3 scikit-learn statsmodels
    python test/unit/evaluator/fairlearn.py > test/unit/evaluator/fairlearn.json

The rows are the 432 people of Rossi, Berk, Lenihan, "Money, Work, and Crime" (1980), which lifelines
ships: who was arrested again within a year of release. The model is a logistic regression that was
fitted on every second row.
"""

import json
import sys

import numpy as np

# The folder of this file would hide the package of the same name.
sys.path.pop(0)

from fairlearn.metrics import (  # noqa: E402
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    equalized_odds_ratio,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from lifelines.datasets import load_rossi  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.metrics import accuracy_score, mean_absolute_error  # noqa: E402
from statsmodels.stats.proportion import proportion_confint  # noqa: E402

people = load_rossi()
inputs = people[["fin", "age", "wexp", "mar", "paro", "prio"]]
fitted = np.arange(len(people)) % 2 == 0
label = np.where(people["arrest"] == 1, "yes", "no")
model = LogisticRegression(max_iter=1000).fit(inputs[fitted], label[fitted])
# Arrests are rarer than one half, so that a probability of 0.25 is a warning.
prediction = np.where(model.predict_proba(inputs)[:, 1] >= 0.25, "yes", "no")
weeks = LinearRegression().fit(inputs[fitted], people["week"][fitted]).predict(inputs).round(3)
groups = {
    "race": np.where(people["race"] == 1, "black", "other"),
    "age": np.where(people["age"] < 20, "to 19", np.where(people["age"] < 30, "20 to 29", "from 30")),
}


def of_groups(metric, truth, predicted, group):
    return MetricFrame(metrics=metric, y_true=truth, y_pred=predicted, sensitive_features=group)


def rates_of(name, group):
    truth, predicted = label == name, prediction == name
    metrics = {
        "selection_rate": selection_rate,
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
    }
    of = {"sensitive_features": group}
    return {
        "groups": {
            str(value): {
                **{metric: float(of_groups(f, truth, predicted, group).by_group[value]) for metric, f in metrics.items()},
                **dict(
                    zip(
                        ["selection_rate_low", "selection_rate_high"],
                        map(float, proportion_confint(predicted[group == value].sum(), (group == value).sum(), method="wilson")),
                    )
                ),
            }
            for value in np.unique(group)
        },
        "fairness": {
            "demographic_parity_difference": float(demographic_parity_difference(truth, predicted, **of)),
            "demographic_parity_ratio": float(demographic_parity_ratio(truth, predicted, **of)),
            "equal_opportunity_difference": float(equal_opportunity_difference(truth, predicted, **of)),
            "equalized_odds_difference": float(equalized_odds_difference(truth, predicted, **of)),
            "equalized_odds_ratio": float(equalized_odds_ratio(truth, predicted, **of)),
            "error_rate_difference": float(of_groups(accuracy_score, truth, predicted, group).difference()),
        },
    }


def errors_of(group):
    truth = people["week"]
    mean_error = of_groups(lambda y, p: float(np.mean(p - y)), truth, weeks, group)
    absolute = of_groups(mean_absolute_error, truth, weeks, group)
    return {
        "bias_difference": float(mean_error.difference()),
        "mae_difference": float(absolute.difference()),
        "mae_ratio": float(absolute.ratio()),
    }


json.dump(
    {
        "rows": [
            {
                "race": str(groups["race"][row]),
                "age": str(groups["age"][row]),
                "label": str(label[row]),
                "prediction": str(prediction[row]),
                "week": int(people["week"][row]),
                "predictedWeek": float(weeks[row]),
            }
            for row in range(len(people))
        ],
        "classes": {name: {key: rates_of(name, group) for key, group in groups.items()} for name in ("yes", "no")},
        "numbers": {key: errors_of(group) for key, group in groups.items()},
    },
    sys.stdout,
    indent=1,
)
