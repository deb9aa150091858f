import { median, report } from './harness.ts';

/** How many times as fast as each other client ours is to be; docs/explanation/speed.md says why one is missed. */
const BARS: Readonly<Record<string, number>> = { kafkajs: 5, '@platformatic/kafka': 2, librdkafka: 0.8 };

/** Records a second by client, a rate for each round: ours is compared with the others within each. */
export function reportBeside(bench: string, rates: Readonly<Record<string, readonly number[]>>): void {
  const { milena: own = [] } = rates;
  for (const [peer, theirs] of Object.entries(rates)) {
    const figure = { bench: `${bench} ${peer}`, value: median(theirs), unit: 'records/s' };
    const ratio = median(own.map((rate, round) => rate / (theirs[round] ?? Infinity)));
    const bar = BARS[peer];
    if (peer === 'milena') report(figure);
    else report({ ...figure, peer: 'ours to it', ratio, ...(bar !== undefined && { bar: { ratio: bar } }) });
  }
}
