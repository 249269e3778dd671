"""What runs inside a model image: a server for one model in MLflow's format.

It is copied into the image as it is and imports nothing else of ours. `python -m mlops_ci.serve`
starts it, `python -m mlops_ci.serve.probe` asks it how it is.
"""

VERSION = "0.1.0"
