/** Reads Prometheus's text format 0.0.4 and takes nothing that its description does not allow. */

export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

export interface Family {
  name: string;
  type: string;
  help: string;
  samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<text>(?:[^"\\\n]|\\["\\n])*)"/;
const VALUE = /^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

/** Families by name. @throws with the line that breaks a rule. */
export function parseMetrics(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let family: Family | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string) => new Error(`${why}: ${line}`);
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (families.has(name)) throw fail('a family comes once');
      if (NAME.exec(name)?.[0] !== name) throw fail('no name');
      family = { name, type: '', help: rest, samples: [] };
      families.set(name, family);
    } else if (keyword === 'TYPE') {
      if (family?.name !== name || family.type !== '' || !(rest in SUFFIXES))
        throw fail('no type of this family');
      if ((rest === 'counter') !== name.endsWith('_total'))
        throw fail('counters, and they alone, end in _total');
      family.type = rest;
    } else {
      const sample = parseSample(line);
      const suffixes = SUFFIXES[family?.type ?? ''] ?? [];
      if (!suffixes.some((suffix) => sample.name === `${family?.name}${suffix}`))
        throw fail('of another family');
      const identity = sample.name + labelSet(sample.labels);
      if (seen.has(identity)) throw fail('told twice');
      seen.add(identity);
      family?.samples.push(sample);
    }
  }
  for (const each of families.values()) if (each.type === 'histogram') checkHistogram(each);
  return families;
}

function parseSample(line: string): Sample {
  const fail = (why: string) => new Error(`${why}: ${line}`);
  const [name = ''] = NAME.exec(line) ?? [];
  if (name === '') throw fail('no sample');
  let rest = line.slice(name.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    do {
      rest = rest.slice(1);
      const match = LABEL.exec(rest);
      const label = match?.groups?.['name'] ?? '';
      if (match === null || Object.hasOwn(labels, label)) throw fail('no label');
      labels[label] = (match.groups?.['text'] ?? '').replaceAll(/\\(.)/g, (_, escaped: string) =>
        escaped === 'n' ? '\n' : escaped,
      );
      rest = rest.slice(match[0].length);
    } while (rest.startsWith(','));
    if (!rest.startsWith('}')) throw fail('labels do not end');
    rest = rest.slice(1);
  }
  if (!rest.startsWith(' ') || !VALUE.test(rest.slice(1))) throw fail('no value');
  return { name, labels, value: Number(rest.slice(1).replace('Inf', 'Infinity')) };
}

/** Buckets grow with their bounds, the last has all, and each set of labels has a sum and a count. */
function checkHistogram({ name, samples }: Family): void {
  const sets = Map.groupBy(samples, ({ labels }) =>
    labelSet(Object.fromEntries(Object.entries(labels).filter(([label]) => label !== 'le'))),
  );
  for (const [labels, set] of sets) {
    const buckets = set.filter((sample) => sample.name === `${name}_bucket`);
    const count = set.find((sample) => sample.name === `${name}_count`);
    const sum = set.find((sample) => sample.name === `${name}_sum`);
    const bounds = buckets.map((bucket) =>
      Number((bucket.labels['le'] ?? 'none').replace('Inf', 'Infinity')),
    );
    const grows = buckets.every(
      ({ value }, at) =>
        at === 0 || (value >= (buckets[at - 1]?.value ?? 0) && (bounds[at] ?? 0) > (bounds[at - 1] ?? 0)),
    );
    const isWhole = bounds.at(-1) === Infinity && buckets.at(-1)?.value === count?.value && sum !== undefined;
    if (!grows || !isWhole) throw new Error(`${name}${labels} is no histogram`);
  }
}

/** The value of one sample. @throws when there is none, or when what is asked for is not told. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const base = families.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '');
  const wanted = labelSet(labels);
  const found = families
    .get(base)
    ?.samples.find((sample) => sample.name === name && labelSet(sample.labels) === wanted);
  if (found === undefined) throw new Error(`${name}${JSON.stringify(labels)} is not told`);
  return found.value;
}

/** The same for the same labels, in whatever order. */
function labelSet(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
