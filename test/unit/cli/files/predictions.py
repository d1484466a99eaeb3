"""Writes predictions.parquet as pandas does by default, and the same with every other codec, which
readRecords.test.ts reads.

pip install pandas pyarrow
python3 predictions.py
"""

from datetime import datetime, timezone
from pathlib import Path

import pandas

rows = [
    {
        "id": 9007199254740993 + number,
        "model": "churn",
        "version": "3",
        "time": datetime(2026, 1, 1, 0, number, tzinfo=timezone.utc),
        "age": 20 + number,
        "income": None if number == 1 else 1000.5,
        "plan": "basic",
        "address": {"city": "Rome"},
        "prediction": "stays",
        "score": 0.25,
    }
    for number in range(3)
]
frame = pandas.DataFrame(rows)
folder = Path(__file__).parent
frame.to_parquet(folder / "predictions.parquet", index=False)
for codec in ["none", "gzip", "zstd", "brotli", "lz4"]:
    frame.to_parquet(folder / f"predictions.{codec}.parquet", index=False, compression=codec)
