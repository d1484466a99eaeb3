"""River: one ADWIN per column, categories by their position; it has no metrics per window."""

import sys

# This file is named like the package that it imports.
sys.path = sys.path[1:] + sys.path[:1]

import numpy as np
from columns import cpu_seconds, read_columns, report
from river import drift

columns, _, _ = read_columns()
series = [
    (values if values.dtype != object else np.unique(values, return_inverse=True)[1]).astype(float).tolist()
    for values in columns.values()
]

start = cpu_seconds()
detectors = [drift.ADWIN() for _ in series]
for detector, values in zip(detectors, series):
    update = detector.update
    for value in values:
        update(value)
seconds = cpu_seconds() - start
assert all(detector.width > 0 for detector in detectors)
report(sum(map(len, series)), seconds)
