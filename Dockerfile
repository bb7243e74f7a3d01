# All that the workflow and its rules need, for use without a network: docs/running.md, "Containers".
# The checkout is mounted and not copied, so the image changes with the lock alone.
FROM python:3.11-slim-bookworm

# git tells run.json the commit; execution.compile needs g++. Debian drops old versions, so none is named.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git g++ \
    && rm -rf /var/lib/apt/lists/*

COPY envs/requirements.lock /opt/requirements.lock
RUN pip install --no-cache-dir --require-hashes -r /opt/requirements.lock

# The parts of the driver that NVIDIA's container toolkit mounts where there is a GPU.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# For users whom the image does not know, as with docker run --user.
ENV HOME=/tmp USER=user
WORKDIR /project
CMD ["snakemake", "--cores", "2", "--configfile", "config/quick.yaml"]
