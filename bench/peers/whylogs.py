"""whylogs: a profile per window and its drift scores against the profile of the reference; only some windows, as it is slow."""

import sys

# This file is named like the package that it imports.
sys.path = sys.path[1:] + sys.path[:1]

import pandas as pd
import whylogs
from columns import cpu_seconds, read_columns, report, window_bounds
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

columns, per_window, _ = read_columns()
frame = pd.DataFrame(columns)
windows = [frame[start:end] for start, end in window_bounds(columns, per_window, most=6)]
reference = whylogs.log(pandas=windows[0]).view()

start = cpu_seconds()
for window in windows[1:]:
    scores = calculate_drift_scores(target_view=whylogs.log(pandas=window).view(), reference_view=reference)
    assert len(scores) == len(columns)
seconds = cpu_seconds() - start
report(sum(window.size for window in windows[1:]), seconds)
