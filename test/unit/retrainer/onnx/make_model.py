"""Makes model.onnx: x above 5 means yes in Rome, and no in Oslo.

    pip install scikit-learn==1.9.1 skl2onnx==1.20.0 onnx==1.23.2 pandas==3.1.1
    python3 make_model.py
"""
import pandas
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

rows = [(city, step / 1000) for city in ["Oslo", "Rome"] for step in range(10_000)]
inputs = pandas.DataFrame(rows, columns=["city", "x"]).astype({"x": "float32"})
labels = ["yes" if (x > 5) == (city == "Rome") else "no" for city, x in rows]
encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
columns = ColumnTransformer([("texts", encoder, ["city"]), ("numbers", "passthrough", ["x"])])
tree = DecisionTreeClassifier(max_depth=2, random_state=0)
model = Pipeline([("columns", columns), ("tree", tree)]).fit(inputs, labels)
types = [("city", StringTensorType([None, 1])), ("x", FloatTensorType([None, 1]))]
made = to_onnx(model, initial_types=types, options={id(model): {"zipmap": False}})
with open("model.onnx", "wb") as file:
    file.write(made.SerializeToString())
print(model.score(inputs, labels))
