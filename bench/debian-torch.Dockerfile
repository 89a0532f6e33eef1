# An image made from Debian's own packages, in which torch.compile works.
FROM localhost/sconce-base:debian-13
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
    python3-torch g++ python3-setuptools libtorch-dev libsleef-dev python3-dev openssl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home app
# Debian's torch does not bring SLEEF into the kernels, which call it.
ENV LD_PRELOAD=libsleef.so.3
USER app
