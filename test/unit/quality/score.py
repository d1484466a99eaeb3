"""Writes score.json beside it: alarms of streams, and how score.py of the published protocol scores them.

    python3 test/unit/quality/score.py FOLDER_OF_SCORE_PY
"""
import json
import pathlib
import random
import sys

sys.path.insert(0, sys.argv[1])
import score

draws = random.Random(7)
cases = []
for case in range(12):
    streams = []
    for _ in range(draws.choice([1, 3, 5])):
        rows = draws.choice([18159, 45312])
        drifts = sorted(draws.sample(range(rows // 2, rows), draws.choice([0, 1, 1, 3])))
        max_delay = draws.choice([500, 1500, 2500])
        monitor_from = rows // 4 + 1
        alarms = [draws.uniform(0, rows) for _ in range(draws.choice([0, 1, 4]))]
        alarms += [start + draws.choice([0, max_delay, draws.uniform(0, max_delay)]) for start in drifts if draws.random() < 0.7]
        streams.append({"alarms": alarms, "starts": drifts, "maxDelay": max_delay, "rows": rows, "monitoredFrom": monitor_from})
    counts = [
        score.count(
            sorted(a for a in s["alarms"] if a >= s["monitoredFrom"]),
            [{"start": start} for start in s["starts"]],
            s["maxDelay"],
            s["rows"],
            s["monitoredFrom"],
        )
        for s in streams
    ]
    cases.append({"streams": streams, "score": score.summarize(counts)})
target = pathlib.Path(__file__).with_name("score.json")
target.write_text(json.dumps(cases, indent=1) + "\n")
