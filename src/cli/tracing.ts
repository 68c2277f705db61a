/** tracing: whether and where to send traces and metrics. The code that sends them (`otlp.ts`) is loaded only if needed. */
import { Effect, Layer } from "effect"

export type Variables = Readonly<Record<string, string | undefined>>

/** The URL to send traces to; undefined: none are sent. */
export const endpointOf = (env: Variables): string | undefined => {
  if (env["OTEL_SDK_DISABLED"] === "true" || env["OTEL_TRACES_EXPORTER"] === "none") return undefined
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: exact } = env
  return exact || (base ? `${base.replace(/\/$/, "")}/v1/traces` : undefined)
}

/** The URL to send metrics to; undefined: none are sent. */
export const metricsEndpointOf = (env: Variables): string | undefined => {
  if (env["OTEL_SDK_DISABLED"] === "true" || env["OTEL_METRICS_EXPORTER"] === "none") return undefined
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: exact } = env
  return exact || (base ? `${base.replace(/\/$/, "")}/v1/metrics` : undefined)
}

/** A tracer that sends to `url`. */
export const layer = (url: string, env: Variables, version: string): Layer.Layer<never> =>
  Layer.unwrap(
    Effect.map(Effect.promise(() => import("./otlp.js")), (otlp) => otlp.layer(url, env, version))
  )

/** Sends metrics to `url`. */
export const metricsLayer = (url: string, env: Variables, version: string): Layer.Layer<never> =>
  Layer.unwrap(
    Effect.map(Effect.promise(() => import("./otlp.js")), (otlp) => otlp.metricsLayer(url, env, version))
  )
