# The host with its functions, as the release holds them: docker build -t ghcr.io/OWNER/tallow:0.1.0 .
FROM rust:1.95.0-bookworm AS build
RUN rustup target add wasm32-unknown-unknown \
    && cargo install cargo-about@0.9.3 --locked --features cli
WORKDIR /src
COPY . .
# What is missing here has to be seen, not mended: an image is the same whenever it is built.
ENV TALLOW_INSTALL=0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    make release \
    && mkdir /out \
    && tar -xzf target/dist/tallow-*-x86_64-linux.tar.gz --strip-components=1 -C /out

FROM debian:12.15-slim
# Without versions: Debian keeps only the newest of a release, and these are to be its newest.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libgcc-s1 libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 65532 -g 65532 /var/cache/tallow
COPY --from=build /out/bin/tallow /usr/local/bin/tallow
COPY --from=build /out/share/tallow /usr/local/share/tallow
COPY --from=build /out/LICENSE /out/NOTICES /out/README.md /usr/local/share/doc/tallow/
ENV XDG_CACHE_HOME=/var/cache/tallow
# A number, since a cluster that wants no root has to see that it is none.
USER 65532:65532
WORKDIR /etc/tallow
ENTRYPOINT ["tallow"]
CMD ["up"]
