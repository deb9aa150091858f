import type { Histogram } from '../../../model/histogram.ts';

export type Labels = Readonly<Record<string, string | number>>;
/** A family of one sample without labels, or of any number with. */
export type Samples = number | Iterable<readonly [value: number, labels: Labels]>;

/** The media type of what {@link Exposition} writes. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Writes Prometheus's text format, version 0.0.4: one family after the other. Names of counters end in `_total`, units
 * are base units. Source: Prometheus, "Exposition formats".
 */
export class Exposition {
  readonly #lines: string[] = [];

  counter(name: string, help: string, samples: Samples): void {
    this.#family(name, 'counter', help);
    this.#samples(name, samples);
  }

  gauge(name: string, help: string, samples: Samples): void {
    this.#family(name, 'gauge', help);
    this.#samples(name, samples);
  }

  /** Histograms that were kept in milliseconds, told in seconds. */
  histogramMs(name: string, help: string, histograms: Iterable<readonly [Histogram, Labels]>): void {
    this.#family(name, 'histogram', help);
    for (const [histogram, labels] of histograms) {
      const cumulative = histogram.cumulative();
      for (const [at, bound] of histogram.bounds.entries())
        this.#sample(`${name}_bucket`, cumulative[at] ?? 0, { ...labels, le: bound / 1_000 });
      this.#sample(`${name}_bucket`, histogram.count, { ...labels, le: '+Inf' });
      this.#sample(`${name}_sum`, histogram.sum / 1_000, labels);
      this.#sample(`${name}_count`, histogram.count, labels);
    }
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #family(name: string, type: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`);
  }

  #samples(name: string, samples: Samples): void {
    if (typeof samples === 'number') return this.#sample(name, samples, {});
    for (const [value, labels] of samples) this.#sample(name, value, labels);
  }

  #sample(name: string, value: number, labels: Labels): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${quoted(String(text))}"`);
    this.#lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${number(value)}`);
  }
}

function number(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function quoted(text: string): string {
  return escaped(text).replaceAll('"', '\\"');
}
