# syntax=docker/dockerfile:1
# Two stages: the first puts the hash-pinned lock into a virtual environment, the second only carries it.
# RUNTIME needs the same Python at the same place and nothing else, no shell and no package tool.
ARG BASE=python:3.12-slim-bookworm
ARG RUNTIME=${BASE}

FROM ${BASE} AS build
WORKDIR /src
COPY requirements/operator.txt requirements/
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install -q --no-cache-dir --no-compile --disable-pip-version-check --require-hashes -r requirements/operator.txt \
 && /opt/venv/bin/pip uninstall -q -y pip
COPY operator/causal_rollouts causal_rollouts
COPY scripts/slim.py .
RUN cp -r causal_rollouts "$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/" \
 && /opt/venv/bin/python slim.py /opt/venv

FROM ${RUNTIME}
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Also in a base without a shell: whatever library is missing there is missed now.
RUN ["/opt/venv/bin/python", "-c", "import causal_rollouts.runtime.app"]
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/opt/venv/bin/python", "-m", "causal_rollouts.runtime.app"]
