"""A project whose training takes no time and needs no packages: for what is not about the model."""

CONFIG = """
tracking-uri: none
models:
  churn:
    train: python train.py
    predictions: out/predictions.csv
    task: binary
    slices: [region]
    gates:
      accuracy: [{max-drop: 0.02}, {min: 0.6}]
"""
# `right` is the share of rows that the model answers right: the same rows each time.
TRAIN = """
import csv, json, os
right = json.load(open("params.json"))["right"]
os.makedirs("out", exist_ok=True)
with open("out/predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "prediction", "region"])
    for i in range(2000):
        label = i % 2
        answer = label if (i * 7919 % 2000) < right * 2000 else 1 - label
        writer.writerow([i, label, answer, "north" if i % 3 else "south"])
"""
FILES = {
    "mlops-ci.yaml": CONFIG,
    "train.py": TRAIN,
    "params.json": '{"right": 0.8}\n',
    ".gitignore": "/out/\n",
}
WORSE = {"params.json": '{"right": 0.5}\n'}
BETTER = {"params.json": '{"right": 0.9}\n'}


def trained_by_the_job() -> dict[str, str]:
    """Without `train:`, and with a package that the job's own step has to install."""
    return {
        **FILES,
        "mlops-ci.yaml": CONFIG.replace("    train: python train.py\n", ""),
        "requirements.txt": "packaging\n",
        "train.py": f"import packaging\n{TRAIN}",
    }
