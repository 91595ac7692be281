# The Python programs: worker, web, setup, sandbox and every other command of order-route.
# The base is an argument: any image with Python 3.11 and its venv module.
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim

FROM ${PYTHON_IMAGE} AS packages
COPY requirements-image.lock /build/
RUN python3 -m venv /opt/order-route \
 && /opt/order-route/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
      -r /build/requirements-image.lock \
 && /opt/order-route/bin/pip uninstall --yes --quiet setuptools pip \
 && find /opt/order-route -type d -name tests -prune -exec rm -rf {} +

FROM ${PYTHON_IMAGE} AS code
COPY . /app/
# The file system is read-only later: what Python would cache is made now.
RUN python3 -m compileall -q /app

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin order-route \
 && install -d -o order-route -m 1777 /data \
 && install -d -o order-route -m 0700 /logins
COPY --from=packages /opt/order-route /opt/order-route
COPY --from=code /app /app
WORKDIR /app
ENV LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/tmp/cache \
    ORDER_ROUTE_DATA_DIR=/data \
    ORDER_ROUTE_LOG_FORMAT=json \
    ORDER_ROUTE_WEB_LISTEN=0.0.0.0:8090 \
    ORDER_ROUTE_BOARD_LISTEN=0.0.0.0:8091
USER 10001
EXPOSE 8090 8091
HEALTHCHECK --interval=15s --timeout=6s --start-period=120s \
  CMD ["/opt/order-route/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8091/readyz', timeout=5)"]
ENTRYPOINT ["/opt/order-route/bin/python", "-m", "app"]
CMD ["worker"]
