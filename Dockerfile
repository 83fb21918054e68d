# syntax=docker/dockerfile:1
# One image for the head, the workers and the gateway; docker-compose.yml says which one a container is.
FROM python:3.12-slim-bookworm AS build
RUN python -m venv /opt/spikerack
WORKDIR /src
# The dependencies first: they change less often than the code, and weigh 600 MB.
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
        > requirements.txt \
    && /opt/spikerack/bin/pip install --no-cache-dir --requirement requirements.txt
COPY . .
RUN /opt/spikerack/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /tmp spikerack \
    && install --directory --owner=spikerack --group=spikerack --mode=0700 /data
COPY --from=build /opt/spikerack /opt/spikerack
# /tmp is a tmpfs in the containers; compiled kernels and Ray's sockets live there.
ENV PATH=/opt/spikerack/bin:$PATH \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RAY_AUTH_MODE=token \
    RAY_USAGE_STATS_ENABLED=0 \
    SPIKERACK_DATA=/data
USER spikerack
VOLUME /data
ENTRYPOINT []
CMD ["spikerack", "--help"]
