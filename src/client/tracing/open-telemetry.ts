import type { Carrier, Span, SpanStart, Tracing } from '../../ports/tracing.ts';

/** As much of the package `@opentelemetry/api` as is used: `import * as api from '@opentelemetry/api'`. */
export interface OpenTelemetryApi {
  readonly trace: {
    getTracer(name: string): {
      startSpan(name: string, options: object, context: unknown): OpenTelemetrySpan;
    };
    setSpan(context: unknown, span: unknown): unknown;
    getSpanContext(context: unknown): object | undefined;
  };
  readonly context: {
    active(): unknown;
    with<T>(context: unknown, work: () => T): T;
  };
  readonly propagation: {
    inject(context: unknown, carrier: unknown, setter: TextMapSetter): void;
    extract(context: unknown, carrier: unknown, getter: TextMapGetter): unknown;
  };
  readonly ROOT_CONTEXT: unknown;
  readonly SpanKind: {
    readonly PRODUCER: number;
    readonly CONSUMER: number;
    readonly CLIENT: number;
    /** Of a broker's spans. */
    readonly SERVER?: number;
  };
  readonly SpanStatusCode: { readonly ERROR: number };
}

interface TextMapSetter {
  set(carrier: unknown, key: string, value: string): void;
}

interface TextMapGetter {
  get(carrier: unknown, key: string): string | undefined;
  keys(carrier: unknown): string[];
}

interface OpenTelemetrySpan {
  setAttributes(attributes: object): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(error: string | { message: string; name: string }): void;
  end(): void;
}

const TRACER = 'milena';
const GETTER: TextMapGetter = {
  get: (carrier, key) => (carrier as Carrier).get(key),
  keys: (carrier) => [...(carrier as Carrier).keys()],
};
const SETTER: TextMapSetter = {
  set: (set, key, value) => (set as (header: string, value: string) => void)(key, value),
};

/** Spans and headers by OpenTelemetry: `connect(url, { tracing: openTelemetry(api) })`. */
export function openTelemetry(api: OpenTelemetryApi): Tracing {
  const tracer = api.trace.getTracer(TRACER);
  const extracted = (carrier: Carrier, base: unknown) => api.propagation.extract(base, carrier, GETTER);
  const linkTo = (carrier: Carrier) => api.trace.getSpanContext(extracted(carrier, api.ROOT_CONTEXT));
  const kinds = {
    producer: api.SpanKind.PRODUCER,
    consumer: api.SpanKind.CONSUMER,
    client: api.SpanKind.CLIENT,
    server: api.SpanKind.SERVER ?? api.SpanKind.CLIENT,
  };
  return {
    start({ name, kind, attributes, parent, links = [] }: SpanStart): Span {
      const active = api.context.active();
      const base = parent === undefined ? active : extracted(parent, active);
      const linked = links.map(linkTo).filter((context) => context !== undefined);
      const options = { kind: kinds[kind], attributes, links: linked.map((context) => ({ context })) };
      return spanOf(api, tracer.startSpan(name, options, base), base);
    },
  };
}

function spanOf(api: OpenTelemetryApi, span: OpenTelemetrySpan, base: unknown): Span {
  const within = api.trace.setSpan(base, span);
  return {
    inject: (set) => api.propagation.inject(within, set, SETTER),
    run: (work) => api.context.with(within, work),
    set: (attributes) => void span.setAttributes(attributes),
    end(error) {
      if (error !== undefined) {
        span.recordException(error);
        span.setStatus({ code: api.SpanStatusCode.ERROR, message: error.message });
      }
      span.end();
    },
  };
}
