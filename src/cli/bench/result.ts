import type { Millis } from '../../model/ids.ts';
import { formatBytes } from '../terminal/bytes.ts';
import type { Report } from '../terminal/report.ts';

export interface Measured {
  bench: 'produce' | 'consume' | 'e2e';
  seed: number;
  records: number;
  bytes: number;
  seconds: number;
  /** What took so long, in words. */
  latency: { of: string; ms: readonly Millis[] };
}

/** Says what was measured. */
export function tell({ bench, seed, records, bytes, seconds, latency }: Measured, report: Report): void {
  const ms = latency.ms.toSorted((a, b) => a - b);
  const [p50, p99, max] = [0.5, 0.99, 1].map((ratio) => rounded(at(ms, ratio)));
  const recordsPerSecond = Math.round(records / seconds);
  const mbPerSecond = rounded(bytes / 1e6 / seconds);
  const document = {
    bench,
    seed,
    records,
    bytes,
    seconds: rounded(seconds),
    recordsPerSecond,
    mbPerSecond,
    latency: { of: latency.of, samples: ms.length, p50Ms: p50, p99Ms: p99, maxMs: max },
  };
  report.facts(document, [
    ['records', `${records.toLocaleString('en')}, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s`],
    ['rate', `${recordsPerSecond.toLocaleString('en')}/s, ${mbPerSecond} MB/s`],
    [latency.of, `p50 ${p50} ms, p99 ${p99} ms, most ${max} ms`],
  ]);
}

/** The least that so much of them, a ratio, is not above. */
function at(sorted: readonly number[], ratio: number): number {
  return sorted[Math.max(Math.ceil(sorted.length * ratio) - 1, 0)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
