import { listItems } from './validate.ts';

/** max.connections.per.ip.overrides: `127.0.0.1:200,::1:100`. What is not of this form counts for nothing. */
export function ipOverridesIn(text: string): ReadonlyMap<string, number> {
  const pairs = listItems(text).map((item): [string, number] => {
    const colon = item.lastIndexOf(':');
    return [item.slice(0, colon).trim(), Number(item.slice(colon + 1))];
  });
  return new Map(pairs.filter(([ip, count]) => ip !== '' && Number.isInteger(count) && count >= 0));
}
