# The three programs in one image. Built from the lock file; runs as nobody, on a read-only root.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p strongroom-api -p strongroom-signer -p strongroom-replay --bins

FROM debian:bookworm-slim
# SoftHSM stands in for an HSM's own PKCS#11 library in demonstrations.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates softhsm2 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/strongroom --create-home strongroom
COPY --from=build /src/target/release/strongroom /src/target/release/strongroom-signer \
     /src/target/release/strongroom-replay /usr/local/bin/
USER strongroom
WORKDIR /var/lib/strongroom
ENTRYPOINT ["strongroom"]
