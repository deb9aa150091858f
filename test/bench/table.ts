import type { Figure } from './harness.ts';

const END = '<!-- /bench -->';

/** Where the figures of these benches go: the mark names the command that makes the table. */
function beginOf(benches: readonly string[]): string {
  return `<!-- bench: made by \`npm run bench -- ${benches.join(' ')} --readme\` -->`;
}

/** A row for each bench that has a bar, with all its peers: how many times as fast as each we are. */
export function tableOf(figures: readonly Figure[]): string {
  const named = Map.groupBy(figures, ({ bench }) => bench);
  const rows = [...named.values()].filter((group) => group.some(({ bar }) => bar !== undefined)).map(rowOf);
  return ['| what | here | times as fast as |', '| --- | --- | --- |', ...rows].join('\n');
}

function rowOf(group: readonly Figure[]): string {
  const [{ bench, value, unit, bar } = { bench: '', value: 0, unit: '', bar: undefined }] = group;
  const beside = group.flatMap(({ peer, ratio }) =>
    peer === undefined || ratio === undefined ? [] : [`${peer} ${plain(ratio)}`],
  );
  const atMost =
    bar?.atMost === undefined ? [] : [`at most ${bar.atMost.toLocaleString('en')} ${unit} wanted`];
  return `| ${bench} | ${plain(value)} ${unit} | ${[...beside, ...atMost].join(', ')} |`;
}

/** Three digits that count, two below ten. */
function plain(value: number): string {
  const rounded = Number(value.toPrecision(value < 10 ? 2 : 3));
  return rounded.toLocaleString('en');
}

/**
 * `readme` with `table` between the two marks of its benches.
 * @throws when it has not both, once and in this order.
 */
export function withTable(readme: string, table: string, benches: readonly string[]): string {
  const begin = beginOf(benches);
  const [before, rest, ...more] = readme.split(begin);
  const endsAt = rest?.indexOf(END) ?? -1;
  const nextAt = rest?.indexOf('<!-- bench:') ?? -1;
  if (rest === undefined || more.length > 0 || endsAt < 0 || (nextAt >= 0 && nextAt < endsAt))
    throw new Error(`the text has no place for the table: ${begin} and, below it, ${END}`);
  return `${before}${begin}\n\n${table}\n\n${rest.slice(endsAt)}`;
}
