/**
 * otlp: sends traces of sessions and metrics to an OpenTelemetry collector, as set by the usual `OTEL_*` variables.
 *
 * Loaded only if these name a collector. It speaks OTLP over HTTP, as JSON or protobuf, not gRPC.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { ConfigProvider, Effect, Layer, References } from "effect"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import type { Variables } from "./tracing.js"

/** `name=value,name=value`, values percent-encoded. */
const headersOf = (env: Variables, signal: "TRACES" | "METRICS"): Record<string, string> => {
  const text = env[`OTEL_EXPORTER_OTLP_${signal}_HEADERS`] ?? env["OTEL_EXPORTER_OTLP_HEADERS"] ?? ""
  const pairs = text.split(",").flatMap((pair) => {
    const [name = "", ...value] = pair.split("=")
    return name.trim() === "" ? [] : [[name.trim(), decodeURIComponent(value.join("=").trim())]]
  })
  return Object.fromEntries(pairs)
}

/** OpenTelemetry's default is protobuf; ours is JSON, which every collector accepts and people can read. */
const serializationOf = (env: Variables, signal: "TRACES" | "METRICS") =>
  (env[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] ?? env["OTEL_EXPORTER_OTLP_PROTOCOL"]) === "http/protobuf"
    ? OtlpSerialization.layerProtobuf
    : OtlpSerialization.layerJson

const serviceNameOf = (env: Variables): string | undefined =>
  env["OTEL_SERVICE_NAME"] ||
  (env["OTEL_RESOURCE_ATTRIBUTES"]?.includes("service.name=") ? undefined : "ai-relay")

/** A tracer that sends to `url`; what is left is sent when the relay ends. */
export const layer = (url: string, env: Variables, version: string): Layer.Layer<never> =>
  OtlpTracer.layer({
    url,
    headers: headersOf(env, "TRACES"),
    resource: { serviceName: serviceNameOf(env), serviceVersion: version },
    exportInterval: Number(env["OTEL_BSP_SCHEDULE_DELAY"] ?? 5000)
  }).pipe(
    // OTEL_* variables are no settings of the relay's own provider.
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv())),
    Layer.provide([serializationOf(env, "TRACES"), NodeHttpClient.layerNodeHttp]),
    // Traces are about sessions: the relay's own effects make no spans.
    Layer.provideMerge(Layer.succeed(References.TracerEnabled, false)),
    Layer.tapCause((cause) => Effect.logWarning("traces cannot be sent", cause))
  )

/** Sends all metrics to `url`, periodically and when the relay ends. */
export const metricsLayer = (url: string, env: Variables, version: string): Layer.Layer<never> =>
  OtlpMetrics.layer({
    url,
    headers: headersOf(env, "METRICS"),
    resource: { serviceName: serviceNameOf(env), serviceVersion: version },
    exportInterval: Number(env["OTEL_METRIC_EXPORT_INTERVAL"] ?? 60_000)
  }).pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv())),
    Layer.provide([serializationOf(env, "METRICS"), NodeHttpClient.layerNodeHttp]),
    Layer.tapCause((cause) => Effect.logWarning("metrics cannot be sent", cause))
  )
