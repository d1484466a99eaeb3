"""Writes isotonic.json beside it: what scikit-learn's IsotonicRegression makes of fixed values and weights.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 numpy==2.4.6
    venv/bin/python test/unit/shared/statistics/isotonic.py && npx biome check --write test/unit/shared/statistics/isotonic.json
"""
import json
import pathlib

import numpy as np
from sklearn.isotonic import IsotonicRegression


def integers(seed, count, low, high):
    """A linear congruential generator (Numerical Recipes' constants), the same on every machine and in every version."""
    state, drawn = seed, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        drawn.append(low + (state >> 8) * (high - low + 1) // 2**24)
    return drawn


cases = []
for seed, count, trend in [(1, 1, 0), (2, 12, 0), (3, 40, 1), (4, 40, -2), (5, 200, 1), (6, 50, 30)]:
    values = [value / 7 + trend * index for index, value in enumerate(integers(seed, count, 0, 100))]
    weights = [float(weight) for weight in integers(seed + 100, count, 1, 50)]
    fitted = IsotonicRegression().fit_transform(np.arange(count), values, sample_weight=weights)
    cases.append({"values": values, "weights": weights, "fitted": [float(value) for value in fitted]})
(pathlib.Path(__file__).parent / "isotonic.json").write_text(json.dumps(cases))
