"""Writes indicatorRidge.json beside it: what scikit-learn's Ridge makes of fixed indicators, each record left out once.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 numpy==2.4.6
    venv/bin/python -P test/unit/shared/statistics/indicatorRidge.py && npx biome check --write test/unit/shared/statistics/indicatorRidge.json
"""
import json
import pathlib

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict


def integers(seed, count, low, high):
    """A linear congruential generator (Numerical Recipes' constants), the same on every machine and in every version."""
    state, drawn = seed, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        drawn.append(low + (state >> 8) * (high - low + 1) // 2**24)
    return drawn


cases = []
# The last column of each feature is one that no record has.
for seed, records, bins, noise in [(1, 30, [4], 5), (2, 60, [3, 5, 2], 20), (3, 80, [10, 6], 60), (4, 40, [4, 4, 4], 1000)]:
    offsets = np.cumsum([0] + [count + 1 for count in bins])
    drawn = [integers(seed * 10 + index, records, 0, count - 1) for index, count in enumerate(bins)]
    columns = np.array([[offsets[index] + bin for index, bin in enumerate(row)] for row in zip(*drawn)])
    chance = np.array(integers(seed + 50, records, -noise, noise))
    values = (np.array(drawn).T ** 2).sum(axis=1) * 3.0 + chance / 7
    x = np.zeros((records, offsets[-1]))
    for row, own in enumerate(columns):
        x[row, own] = 1
    left_out = np.array([np.delete(values, row).mean() for row in range(records)])
    fits = []
    for ridge in [1, 10, 100]:
        predicted = cross_val_predict(Ridge(alpha=ridge, solver="cholesky"), x, values, cv=LeaveOneOut())
        explained = 1 - ((values - predicted) ** 2).sum() / ((values - left_out) ** 2).sum()
        fits.append({
            "ridge": ridge,
            "coefficients": Ridge(alpha=ridge, solver="cholesky").fit(x, values).coef_.tolist(),
            "explained": float(explained),
        })
    cases.append({
        "perRecord": len(bins),
        "columnCount": int(offsets[-1]),
        "columns": columns.ravel().tolist(),
        "values": values.tolist(),
        "fits": fits,
    })
(pathlib.Path(__file__).parent / "indicatorRidge.json").write_text(json.dumps(cases))
