"""Scouter: the population stability index per window, computed in Rust. Its table is given as Arrow."""


import pyarrow
from columns import cpu_seconds, read_columns, report, window_bounds
from scouter import Drifter, PsiDriftConfig
from scouter.types import ScouterDataType

columns, per_window, reference_windows = read_columns()
texts = [name for name, values in columns.items() if values.dtype == object]
bounds = window_bounds(columns, per_window)
# Tables of their own: scouter reads a slice with an offset from the beginning.
windows = [pyarrow.table({n: v[start:end] for n, v in columns.items()}) for start, end in bounds[reference_windows:]]
reference = pyarrow.table({n: v[: bounds[reference_windows][0]] for n, v in columns.items()})

start = cpu_seconds()
drifter = Drifter()
profile = drifter.create_drift_profile(reference, PsiDriftConfig(categorical_features=texts), ScouterDataType.Arrow)
for window in windows:
    drift = drifter.compute_drift(window, profile, ScouterDataType.Arrow)
    assert len(drift.features) == len(columns)
seconds = cpu_seconds() - start
report(sum(map(len, columns.values())), seconds)
