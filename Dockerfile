# siman-synth on a CPU, with everything but Dask and Ray. CI does not build it. At commit 145e699, without `fit`, it was built with
# buildah on Debian 12 and its Python 3.11 in the place of the base, and generate, verify, crops and studio ran in it:
# 2.9 GB. The names of its packages are those of Debian 13, too.
#
#   docker build -t siman-synth .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" siman-synth generate --n 1000 --styles crops/ --out words
#   docker run --rm --user "$(id -u):$(id -g)" --network host -v "$PWD:/data" siman-synth studio --styles crops/
#
# --user: what is written belongs to you, and can be written in a folder of yours whatever your number is.
# Where CPU builds of torch are served elsewhere, name that place: --build-arg PIP_ARGS="--extra-index-url …".
FROM python:3.11-slim

ARG PIP_ARGS=""
# OpenCV's libraries, which the slim image lacks.
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /build
COPY constraints.txt ./
# Torch in a layer of its own: it changes seldom and is large.
RUN pip install --no-cache-dir $PIP_ARGS -c constraints.txt torch
COPY . .
RUN pip install --no-cache-dir $PIP_ARGS -c constraints.txt ".[fit,ocr,parquet,pdf,web,woff2]" \
    && rm -rf /build

# Not root, and a home that can be written: fonts' properties are remembered there.
RUN useradd --create-home siman
USER siman
WORKDIR /data
ENTRYPOINT ["siman-synth"]
CMD ["--help"]
