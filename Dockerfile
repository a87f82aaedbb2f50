# syntax=docker/dockerfile:1
# Two stages: the first resolves the hash-pinned lock into a virtual environment, the second only carries it.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY requirements/bootstrap.txt requirements/operator.txt requirements/
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install -q --require-hashes -r requirements/bootstrap.txt
RUN python3 -m venv --without-pip /opt/venv \
 && /opt/tools/bin/uv pip install -q --python /opt/venv/bin/python --require-hashes -r requirements/operator.txt
COPY operator/causal_rollouts /src/causal_rollouts
RUN cp -r /src/causal_rollouts "$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/" \
 && /opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib

FROM ${BASE}
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/opt/venv/bin/python", "-m", "causal_rollouts.runtime.app"]
