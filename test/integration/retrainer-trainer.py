"""A user's trainer: the threshold of one feature that separates two classes best. Contract: docs/trainers.md.

With pandas the data would be one line: pandas.read_parquet(f"{folder}/dataset.parquet"). The test needs no Python package,
so Node's Parquet reader turns the file into JSON here.
"""
import json
import os
import subprocess
import sys

folder = sys.argv[1]
task = json.load(open(f"{folder}/task.json"))
read = """
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
const rows = await parquetReadObjects({ file: await asyncBufferFromFile(process.argv[1]) });
console.log(JSON.stringify(rows));
"""
node = ["node", "--input-type=module", "-e", read, f"{folder}/dataset.parquet"]
rows = json.loads(subprocess.check_output(node, text=True))

feature = task["features"][0]
negative, positive = task["classes"]
train = [(row[feature["column"]], row[task["labelColumn"]]) for row in rows[: task["splits"]["train"]["end"]]]


def errors(threshold):
    return sum((positive if value > threshold else negative) != label for value, label in train)


threshold = min(sorted(value for value, _ in train)[::10], key=errors)
output = task["outputFolder"]
os.mkdir(f"{output}/model")
json.dump({"feature": feature["name"], "threshold": threshold}, open(f"{output}/model/rule.json", "w"))
gate = task["splits"]["gate"]
with open(f"{output}/predictions.jsonl", "w") as predictions:
    for row in range(gate["start"], gate["end"]):
        prediction = positive if rows[row][feature["column"]] > threshold else negative
        predictions.write(json.dumps({"row": row, "prediction": prediction}) + "\n")
