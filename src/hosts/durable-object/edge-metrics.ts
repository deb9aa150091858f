import type { Gateway } from '../../gateway/gateway.ts';

/** What gateways of one isolate have counted, those of clients that have gone included. */
interface Totals {
  connections: number;
  bytesIn: number;
  bytesOut: number;
  fetchedBytes: number;
  requests: Map<string, number>;
  errors: Map<string, number>;
  closes: Map<string, number>;
}

/**
 * Counts of one isolate: a Worker has many, here and there, and a request finds one of them. Whoever wants sums adds
 * over time what the same isolate says.
 */
export class EdgeMetrics {
  readonly #live = new Set<Gateway>();
  readonly #gone = noTotals();

  opened(gateway: Gateway): void {
    this.#live.add(gateway);
  }

  closed(gateway: Gateway): void {
    if (this.#live.delete(gateway)) addTo(this.#gone, gateway);
  }

  /** Prometheus's text format, version 0.0.4. */
  text(): string {
    const totals = noTotals();
    merge(totals, this.#gone);
    for (const gateway of this.#live) addTo(totals, gateway);
    const lines: string[] = [];
    const family = (
      name: string,
      kind: string,
      help: string,
      samples: Iterable<readonly [string, number]>,
    ) => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`);
      for (const [labels, value] of samples) lines.push(`${name}${labels} ${value}`);
    };
    const labelled = (label: string, counts: ReadonlyMap<string, number>) =>
      Array.from(counts, ([value, count]) => [`{${label}="${value}"}`, count] as const);
    family('milena_connections', 'gauge', 'Clients of this isolate.', [['', this.#live.size]]);
    family('milena_connections_total', 'counter', 'Clients accepted.', [['', totals.connections]]);
    family('milena_bytes_in_total', 'counter', 'Bytes from clients.', [['', totals.bytesIn]]);
    family('milena_bytes_out_total', 'counter', 'Bytes to clients.', [['', totals.bytesOut]]);
    family('milena_fetched_bytes_total', 'counter', 'Bytes of records sent to readers.', [
      ['', totals.fetchedBytes],
    ]);
    family('milena_requests_total', 'counter', 'Requests answered.', labelled('api', totals.requests));
    family(
      'milena_errors_total',
      'counter',
      'Errors in answers, each by itself.',
      labelled('code', totals.errors),
    );
    family('milena_closes_total', 'counter', 'Connections closed here.', labelled('reason', totals.closes));
    return `${lines.join('\n')}\n`;
  }
}

function noTotals(): Totals {
  const counts = { connections: 0, bytesIn: 0, bytesOut: 0, fetchedBytes: 0 };
  return { ...counts, requests: new Map(), errors: new Map(), closes: new Map() };
}

function addTo(totals: Totals, { counters }: Gateway): void {
  const { connections, bytesIn, bytesOut, fetchedBytesTotal: fetchedBytes } = counters;
  const requests = new Map<string, number>();
  const errors = new Map<string, number>();
  for (const { api, durationMs, errors: ofApi } of counters.answeredByApi.values()) {
    requests.set(api.name, durationMs.count);
    for (const [code, count] of ofApi) add(errors, String(code), count);
  }
  merge(totals, {
    connections,
    bytesIn,
    bytesOut,
    fetchedBytes,
    requests,
    errors,
    closes: counters.closedByReason,
  });
}

function merge(totals: Totals, more: Totals): void {
  totals.connections += more.connections;
  totals.bytesIn += more.bytesIn;
  totals.bytesOut += more.bytesOut;
  totals.fetchedBytes += more.fetchedBytes;
  for (const [name, count] of more.requests) add(totals.requests, name, count);
  for (const [name, count] of more.errors) add(totals.errors, name, count);
  for (const [name, count] of more.closes) add(totals.closes, name, count);
}

function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}
