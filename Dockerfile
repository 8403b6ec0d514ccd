# The suite in an image: master, worker and reference server alike. `make image` builds it, and writes its bill of materials.
# python:3.11.15-slim-bookworm, by digest. Elsewhere: docker build --build-arg BASE_IMAGE=... with a Python 3.11 or newer and pip.
ARG BASE_IMAGE=docker.io/library/python:3.11.15-slim-bookworm@sha256:d29f48a31a8b408ed19272ca1e7b10ebae13b240a27e862d3d4217c528e2e0c3

FROM ${BASE_IMAGE} AS build
WORKDIR /src
# The hashed wheels first: they change less often than the suite.
COPY requirements.txt ./
RUN python -m venv --without-pip /opt/mop-locust \
    && python -m pip --python /opt/mop-locust/bin/python install --no-cache-dir --require-hashes --no-deps --only-binary :all: \
        -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY locustfiles locustfiles
COPY mop_locust mop_locust
RUN python -m pip --python /opt/mop-locust/bin/python install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/mop-locust/bin/python -m compileall -q /opt/mop-locust

FROM ${BASE_IMAGE} AS suite
COPY --from=build /opt/mop-locust /opt/mop-locust
# Nothing is written but reports, and what Locust puts into the temporary folder: the rest may be read-only.
ENV PATH=/opt/mop-locust/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /mop-locust
COPY locustfiles locustfiles
# A volume that is mounted here lets every user make a folder of its own for the key of the link.
RUN mkdir reports && chown 1000:1000 reports && mkdir -p /run/mop-locust/link && chmod 1777 /run/mop-locust/link
USER 1000:1000

# docker build --target operator: for the Locust operators of Kubernetes, which give their image Locust's options.
FROM suite AS operator
ENTRYPOINT ["locust"]

FROM suite
ENTRYPOINT ["mop-locust"]
CMD ["--help"]
