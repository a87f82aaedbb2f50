# syntax=docker/dockerfile:1
# Two stages: the first puts the hash-pinned lock into a virtual environment, the second only carries it.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY requirements/operator.txt requirements/
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install -q --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/operator.txt \
 && /opt/venv/bin/pip uninstall -q -y pip
COPY operator/causal_rollouts causal_rollouts
RUN cp -r causal_rollouts "$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/" \
 && /opt/venv/bin/python -m compileall -q /opt/venv/lib

FROM ${BASE}
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/opt/venv/bin/python", "-m", "causal_rollouts.runtime.app"]
