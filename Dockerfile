# ai-relay in a container, for one user or, as LAB_IMAGE, for each user of `ai-relay lab`.
#
#   docker build -t ai-relay .
#   docker build -t ai-relay --build-arg AGENTS="@anthropic-ai/claude-code @openai/codex" .
#
# BASE may be any Debian with Node 20 or newer; one that has git and tini already needs no Debian mirror.
ARG BASE=node:22-slim

FROM ${BASE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
# The command line and its console, as they are published: only what they need to run comes out.
RUN node scripts/build.mjs cli console \
  && npm pack --silent --ignore-scripts --pack-destination /tmp \
  && npm install --global --prefix /opt/ai-relay --no-audit --no-fund /tmp/ai-relay-*.tgz

FROM ${BASE}
RUN { command -v git && command -v tini; } > /dev/null \
  || { apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git tini \
    && rm -rf /var/lib/apt/lists/*; }

# Agent CLIs, as npm packages: any version you have tested, such as @openai/codex@0.169.0.
ARG AGENTS=""
RUN if [ -n "${AGENTS}" ]; then npm install --global --no-audit --no-fund ${AGENTS} && npm cache clean --force; fi

ARG RELAY_USER=labuser
RUN if id node > /dev/null 2>&1; then userdel --remove node; fi \
  && useradd --create-home --shell /bin/bash "${RELAY_USER}" \
  && install -d -o "${RELAY_USER}" /workspace

COPY --from=build /opt/ai-relay /opt/ai-relay
ENV PATH=/opt/ai-relay/bin:$PATH
USER ${RELAY_USER}
# What this compiles is kept in the image, so that its first container starts as fast as any.
RUN ai-relay --version
WORKDIR /workspace
EXPOSE 9000

# Sees to signals, and to the zombies that agents' processes leave; also where another process is the first (`docker run --init`).
ENTRYPOINT ["tini", "-s", "--"]
# On port 9000, or $AI_RELAY_PORT.
CMD ["ai-relay", "serve"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "require(process.env.AI_RELAY_TLS_CERT ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.AI_RELAY_PORT || 9000, path: '/readyz', rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
