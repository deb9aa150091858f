import { AsyncLocalStorage } from 'node:async_hooks';
import * as api from '@opentelemetry/api';

/** A span as it was made, and all that was said of it. */
export interface RecordedSpan {
  name: string;
  kind: api.SpanKind;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  /** Span ids. */
  links: string[];
  attributes: Record<string, unknown>;
  error: string | undefined;
  ends: number;
}

const HEADER = 'traceparent';

/** Everything that `@opentelemetry/api` needs to be set up, in as little as shows what was done. */
export class Recorder {
  spans: RecordedSpan[] = [];
  #made = 0;
  readonly #contexts = new AsyncLocalStorage<api.Context>();

  setUp(): void {
    api.trace.setGlobalTracerProvider({ getTracer: () => this.#tracer() as api.Tracer });
    api.propagation.setGlobalPropagator({
      fields: () => [HEADER],
      inject(context, carrier, setter) {
        const span = api.trace.getSpanContext(context);
        if (span) setter.set(carrier, HEADER, `00-${span.traceId}-${span.spanId}-01`);
      },
      extract(context, carrier, getter) {
        const [, traceId = '', spanId = ''] = String(getter.get(carrier, HEADER) ?? '').split('-');
        if (traceId === '') return context;
        return api.trace.setSpanContext(context, { traceId, spanId, traceFlags: 1, isRemote: true });
      },
    });
    api.context.setGlobalContextManager({
      active: () => this.#contexts.getStore() ?? api.ROOT_CONTEXT,
      with: (context, work, self, ...given) =>
        this.#contexts.run(context, () => Reflect.apply(work, self, given) as ReturnType<typeof work>),
      bind: (_, target) => target,
      enable() {
        return this;
      },
      disable() {
        return this;
      },
    });
  }

  named(name: string): RecordedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  #tracer(): Pick<api.Tracer, 'startSpan'> {
    return {
      startSpan: (name, { kind = 0, attributes = {}, links = [] } = {}, context = api.context.active()) => {
        const parent = api.trace.getSpanContext(context);
        const number = String(++this.#made);
        const span: RecordedSpan = {
          name,
          kind,
          traceId: parent?.traceId ?? number.padStart(32, 'a'),
          spanId: number.padStart(16, 'b'),
          parentSpanId: parent?.spanId,
          links: links.map((link) => link.context.spanId),
          attributes: { ...attributes },
          error: undefined,
          ends: 0,
        };
        this.spans.push(span);
        return apiSpanOf(span);
      },
    };
  }
}

function apiSpanOf(span: RecordedSpan): api.Span {
  const { traceId, spanId } = span;
  const self = {
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    setAttributes: (attributes: api.Attributes) => Object.assign(span.attributes, attributes) && self,
    setStatus: ({ code, message = '' }: api.SpanStatus) => {
      if (code === api.SpanStatusCode.ERROR) span.error = message;
      return self;
    },
    recordException: () => {},
    end: () => void span.ends++,
  };
  return self as unknown as api.Span;
}
