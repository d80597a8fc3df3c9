# The command line in an image: docker run --rm -v "$PWD:/workspace" query-budget check
# Without the commands that ask a live database: --build-arg FEATURES=--no-default-features
FROM rust:1.95-slim-bookworm AS build
ARG FEATURES=""
WORKDIR /source
COPY . .
# Cargo needs all members of a workspace; only the command is built.
RUN cargo install --locked --path xtask --root /out ${FEATURES}

FROM debian:bookworm-slim
# git is needed for `--diff`, `--since` and `--fix`.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home query-budget
COPY --from=build /out/bin/cargo-query-budget /usr/local/bin/
USER query-budget
WORKDIR /workspace
# The workspace belongs to a user other than that of the image.
RUN git config --global --add safe.directory /workspace
ENTRYPOINT ["cargo-query-budget"]
CMD ["check"]
