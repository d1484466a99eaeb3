"""Evidently: its data drift preset per window against the reference; only some windows, as it is slow."""

import sys

# This file is named like the package that it imports.
sys.path = sys.path[1:] + sys.path[:1]

import pandas as pd
from columns import cpu_seconds, read_columns, report, window_bounds
from evidently import Report
from evidently.presets import DataDriftPreset

columns, per_window, _ = read_columns()
frame = pd.DataFrame(columns)
windows = [frame[start:end] for start, end in window_bounds(columns, per_window, most=4)]
reference = windows[0]

start = cpu_seconds()
for window in windows[1:]:
    snapshot = Report([DataDriftPreset()]).run(window, reference)
    assert snapshot.dict()["metrics"]
seconds = cpu_seconds() - start
report(sum(window.size for window in windows[1:]), seconds)
