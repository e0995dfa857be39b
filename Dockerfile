# One image per component: docker build --target api|worker|operator .
# Works with BuildKit and without it.

FROM python:3.13-slim AS tools
COPY requirements/uv.txt /requirements/
RUN python3 -m venv /uv \
 && /uv/bin/pip install --quiet --no-cache-dir --require-hashes -r /requirements/uv.txt
COPY scripts/slim-libraries scripts/slim-kubernetes /usr/local/bin/
ENV UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 UV_PYTHON=python3


# The packages, and a distribution that has a version, without a build.
FROM tools AS source
COPY pyproject.toml /
COPY services/core/mediaplatform /src/mediaplatform
COPY services/api/mediaplatform_api /api/mediaplatform_api
COPY services/worker/mediaplatform_worker /worker/mediaplatform_worker
COPY operator/mediaplatform_operator /operator/mediaplatform_operator
RUN version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml) \
 && info=/src/mediaplatform-$version.dist-info && mkdir $info \
 && printf 'Metadata-Version: 2.4\nName: mediaplatform\nVersion: %s\n' "$version" > $info/METADATA \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /src /api /worker /operator


FROM tools AS api-libraries
COPY requirements/api.txt /requirements/
RUN /uv/bin/uv venv --quiet /opt/mediaplatform/venv \
 && VIRTUAL_ENV=/opt/mediaplatform/venv /uv/bin/uv pip sync --quiet --require-hashes /requirements/api.txt \
 && slim-libraries /opt/mediaplatform/venv


FROM tools AS worker-libraries
COPY requirements/worker.txt /requirements/
RUN /uv/bin/uv venv --quiet /opt/mediaplatform/venv \
 && VIRTUAL_ENV=/opt/mediaplatform/venv /uv/bin/uv pip sync --quiet --require-hashes /requirements/worker.txt \
 && slim-libraries /opt/mediaplatform/venv


# What is uninstalled serves only the part of the Kubernetes client that slim-kubernetes takes out.
FROM tools AS operator-libraries
COPY requirements/operator.txt /requirements/
RUN /uv/bin/uv venv --quiet /opt/mediaplatform/venv \
 && VIRTUAL_ENV=/opt/mediaplatform/venv /uv/bin/uv pip sync --quiet --require-hashes /requirements/operator.txt \
 && VIRTUAL_ENV=/opt/mediaplatform/venv /uv/bin/uv pip uninstall --quiet \
      charset-normalizer durationpy oauthlib requests requests-oauthlib websocket-client \
 && slim-libraries /opt/mediaplatform/venv


FROM alpine/helm:4.2.4 AS helm


# What every component runs on: Python and nothing to install or build with.
FROM python:3.13-slim AS base
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/ensurepip \
      /usr/lib/python3*/ensurepip /usr/share/python-wheels
ENV PATH=/opt/mediaplatform/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
WORKDIR /opt/mediaplatform
LABEL org.opencontainers.image.title="MediaPlatform" \
      org.opencontainers.image.description="A media sharing service from one Kubernetes resource" \
      org.opencontainers.image.licenses="Apache-2.0"


FROM base AS api
COPY --from=api-libraries /opt/mediaplatform/venv /opt/mediaplatform/venv
COPY --from=source /src /api /opt/mediaplatform/src/
USER 10001:10001
EXPOSE 8080 9090
CMD ["python", "-m", "mediaplatform_api"]


FROM base AS worker
COPY --from=worker-libraries /opt/mediaplatform/venv /opt/mediaplatform/venv
COPY --from=source /src /worker /opt/mediaplatform/src/
USER 10001:10001
EXPOSE 9090
ENTRYPOINT ["python", "-m", "mediaplatform_worker"]
CMD ["ingest"]


FROM base AS operator
COPY --from=helm /usr/bin/helm /usr/bin/helm
COPY --from=operator-libraries /opt/mediaplatform/venv /opt/mediaplatform/venv
COPY --from=source /src /operator /opt/mediaplatform/src/
COPY charts/mediaplatform /opt/mediaplatform/charts/mediaplatform
USER 10001:10001
EXPOSE 8080 9090
CMD ["python", "-m", "mediaplatform_operator"]
