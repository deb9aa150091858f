/** What a client, or a broker, tells a tracing library: spans in the words of OpenTelemetry, whatever keeps them. */
export interface Tracing {
  start(span: SpanStart): Span;
}

export interface SpanStart {
  name: string;
  kind: 'producer' | 'consumer' | 'client' | 'server';
  attributes: Attributes;
  /** Headers of the record that it goes on from; what is being done here, unless given. */
  parent?: Carrier;
  /** Headers of all records that it is about. */
  links?: readonly Carrier[];
}

export interface Span {
  /** Gives the headers by which others go on from it: `traceparent`, mostly. */
  inject(set: (header: string, value: string) => void): void;
  /** What is done by `work`, now and later, is done within it. */
  run<T>(work: () => T): T;
  set(attributes: Attributes): void;
  /** Once. @param error what it failed of. */
  end(error?: Error): void;
}

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Headers of a record, as text. */
export type Carrier = ReadonlyMap<string, string>;
