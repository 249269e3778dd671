#!/usr/bin/env bash
# The image that our Dockerfile and the model images start from. Prints its name.
cd "$(dirname "$0")"
image=${1:-python:3.11-slim-bookworm}
./stand_in.sh "$image" python3,python3-pip,python3-venv 'CMD ["python3"]' && echo "$image"
