# What a careful engineer writes by hand for tests/projects/gpt-fast: one stage, apt and uv cache mounts, bytecode compiled.
# It has no check that torch.compile works: that is the difference which the times do not show.
ARG BASE
FROM ${BASE}
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    python3.13 python3.13-venv python3.13-dev g++ openssl ca-certificates
ENV PATH=/opt/venv/bin:$PATH VIRTUAL_ENV=/opt/venv UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /app
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache --mount=type=secret,id=ca \
    if [ -e /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi; \
    python3.13 -m venv /opt/venv && python3.13 -m venv /tmp/uv && /tmp/uv/bin/pip install -q uv && \
    /tmp/uv/bin/uv pip install -r requirements.txt setuptools && rm -r /tmp/uv
RUN useradd --create-home app
COPY --chown=app:app . .
USER app
CMD ["python"]
