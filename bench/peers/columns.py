"""The rows that all peers are given, as Driftloop's own measurement wrote them: one file per column, and what they are."""

import json
import resource
import sys
from pathlib import Path

import numpy as np


def read_columns():
    """Name of each column and its values, numbers or texts, and rows per window."""
    folder = Path(sys.argv[1])
    description = json.loads((folder / "columns.json").read_text())
    columns = {}
    for column in description["columns"]:
        if "categories" in column:
            codes = np.fromfile(folder / column["file"], dtype="<u2")
            columns[column["name"]] = np.array(column["categories"], dtype=object)[codes]
        else:
            columns[column["name"]] = np.fromfile(folder / column["file"], dtype="<f8")
    return columns, description["recordsPerWindow"], description["referenceWindows"]


def window_bounds(columns, records_per_window, most=None):
    records = len(next(iter(columns.values())))
    bounds = [(start, start + records_per_window) for start in range(0, records, records_per_window)]
    return bounds if most is None else bounds[:most]


def cpu_seconds():
    """User and system time of this process with all its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def report(cells, seconds):
    print(json.dumps({"cells": cells, "cpuMs": seconds * 1000}))
