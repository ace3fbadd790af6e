# The program alone, without a shell, linked statically. `docker build -t crossfade .`
#
# The image runs any command of Crossfade. Without one it serves on port 8080, for a proxy that terminates TLS:
# docs/guides/deploy.md.

FROM rust:1.95-alpine AS build
# For ring, the one dependency with C in it.
RUN apk add --no-cache ca-certificates gcc musl-dev
WORKDIR /source
COPY . .
ARG TARGETARCH
# What cargo keeps from one build to the next is in no layer.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_STRIP=symbols \
        cargo build --release --locked --bin crossfade \
    && install -D target/release/crossfade "/out/${TARGETARCH}/crossfade" \
    && echo crossfade:x:65532:65532::/:/sbin/nologin >/out/passwd \
    && if readelf -d "/out/${TARGETARCH}/crossfade" | grep NEEDED; then exit 1; fi

FROM scratch
LABEL org.opencontainers.image.title="crossfade" \
    org.opencontainers.image.description="Expand/contract migration coordinator for PostgreSQL" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
# Public authorities, for sslrootcert=system and for messages by HTTPS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# The name by which the history knows who ran it.
COPY --from=build /out/passwd /etc/passwd
COPY LICENSE-APACHE LICENSE-MIT /licenses/
ARG TARGETARCH
COPY --from=build /out/${TARGETARCH}/crossfade /usr/local/bin/crossfade
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/crossfade"]
CMD ["serve", "--listen", "0.0.0.0:8080", "--behind-proxy"]
