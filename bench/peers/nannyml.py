"""NannyML: univariate drift by the Jensen-Shannon distance, all windows at once."""

import sys

# This file is named like the package that it imports.
sys.path = sys.path[1:] + sys.path[:1]

import nannyml
import pandas as pd
from columns import cpu_seconds, read_columns, report

columns, per_window, reference_windows = read_columns()
frame = pd.DataFrame(columns)
reference, analysis = frame[: per_window * reference_windows], frame[per_window * reference_windows :]

start = cpu_seconds()
calculator = nannyml.UnivariateDriftCalculator(
    column_names=list(columns),
    continuous_methods=["jensen_shannon"],
    categorical_methods=["jensen_shannon"],
    chunk_size=per_window,
)
calculator.fit(reference)
results = calculator.calculate(analysis)
seconds = cpu_seconds() - start
assert len(results.data) >= len(analysis) // per_window
report(frame.size, seconds)
