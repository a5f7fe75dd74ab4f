# One image for every service; which one runs is chosen by the command: node dist/services/NAME/main.js
# Build for both architectures: docker buildx build --platform linux/arm64,linux/amd64 .
# Tags are pinned to a version; a registry that resolves them should pin digests too (docs/operations.md).
ARG BUILD_IMAGE=node:22.21.1-bookworm-slim
ARG RUN_IMAGE=gcr.io/distroless/nodejs22-debian12:nonroot

# Compiles on the machine's own architecture: the result is the same for all.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY lib lib
COPY services services
COPY scripts/healthcheck.ts scripts/
RUN ["npx", "tsc", "-p", "tsconfig.build.json"]
RUN ["cp", "-R", "services/query/dashboard", "dist/services/query/dashboard"]

# What runs: no compiler, no tests, no infrastructure. No package of ours has native code.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS production
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# Neither shell nor package manager; the root file system may be read-only, nothing is written.
FROM ${RUN_IMAGE}
WORKDIR /app
ENV NODE_ENV=production \
    NODE_OPTIONS=--enable-source-maps \
    PATH=/nodejs/bin
COPY --from=production /app/node_modules node_modules
COPY --from=production /app/package.json ./
COPY --from=build /app/dist dist
COPY flow flow
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "dist/scripts/healthcheck.js"]
STOPSIGNAL SIGTERM
# Node is process 1 here (ECS puts a small init before it) and gets SIGTERM itself: nothing stands between.
ENTRYPOINT []
CMD ["node", "dist/services/query/main.js"]
