import type { Figure } from './harness.ts';

const BEGIN = '<!-- bench: made by `npm run bench -- kernels codecs --readme` -->';
const END = '<!-- /bench -->';

/** A row for each bench that has a bar, with all its peers: how many times as fast as each we are. */
export function tableOf(figures: readonly Figure[]): string {
  const named = Map.groupBy(figures, ({ bench }) => bench);
  const rows = [...named.values()].filter((group) => group.some(({ bar }) => bar !== undefined)).map(rowOf);
  return ['| what | here | times as fast as |', '| --- | --- | --- |', ...rows].join('\n');
}

function rowOf(group: readonly Figure[]): string {
  const [{ bench, value, unit } = { bench: '', value: 0, unit: '' }] = group;
  const beside = group.flatMap(({ peer, ratio }) =>
    peer === undefined || ratio === undefined ? [] : [`${peer} ${plain(ratio)}`],
  );
  return `| ${bench} | ${plain(value)} ${unit} | ${beside.join(', ')} |`;
}

/** Three digits that count, two below ten. */
function plain(value: number): string {
  const rounded = Number(value.toPrecision(value < 10 ? 2 : 3));
  return rounded.toLocaleString('en');
}

/**
 * `readme` with `table` between its two marks.
 * @throws when it has not both, once each and in this order.
 */
export function withTable(readme: string, table: string): string {
  const [before, between, ...more] = readme.split(BEGIN);
  const [, after, ...others] = between?.split(END) ?? [];
  if (after === undefined || more.length > 0 || others.length > 0)
    throw new Error(`the text has no place for the table: ${BEGIN} and, below it, ${END}`);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}
