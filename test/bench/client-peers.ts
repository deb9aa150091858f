import { median, report } from './harness.ts';

/** How many times as fast as each other client ours is to be; docs/explanation/speed.md says why one is missed. */
const BARS: Readonly<Record<string, number>> = { kafkajs: 5, '@platformatic/kafka': 2, librdkafka: 0.8 };
const WARM_UP_ROUNDS = 2;
const OURS = 'milena';

export interface Comparison {
  bench: string;
  records: number;
  rounds: number;
  /** By client: moves all records once, and says how many a second. */
  clients: Readonly<Record<string, () => Promise<number>>>;
}

/** Of a client, a number for each round. */
interface Rounds {
  rates: number[];
  cpuMicros: number[];
}

/**
 * Clients of the same broker in turns: records a second, and the processor time of this process a record, which is the
 * client's own whatever the broker does meanwhile. Ours is compared with the others within each round.
 */
export async function compareClients({ bench, records, rounds, clients }: Comparison): Promise<void> {
  const seen = new Map(
    Object.keys(clients).map((name): [string, Rounds] => [name, { rates: [], cpuMicros: [] }]),
  );
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const [name, move] of Object.entries(clients)) {
      const before = process.cpuUsage();
      const rate = await move();
      const { user, system } = process.cpuUsage(before);
      if (round < 0) continue;
      seen.get(name)?.rates.push(rate);
      seen.get(name)?.cpuMicros.push((user + system) / records);
    }
  }
  const own = seen.get(OURS);
  for (const [peer, { rates, cpuMicros }] of seen) {
    const figure = { bench: `${bench} ${peer}`, value: median(rates), unit: 'records/s' };
    const cost = { bench: `${bench} ${peer}: processor time`, value: median(cpuMicros), unit: 'us a record' };
    if (own === undefined || peer === OURS) {
      report(figure);
      report(cost);
      continue;
    }
    const ratio = median(own.rates.map((rate, round) => rate / (rates[round] ?? Infinity)));
    const bar = BARS[peer];
    report({ ...figure, peer: 'ours to it', ratio, ...(bar !== undefined && { bar: { ratio: bar } }) });
    const cheaper = median(own.cpuMicros.map((micros, round) => (cpuMicros[round] ?? 0) / micros));
    report({ ...cost, peer: 'it to ours', ratio: cheaper });
  }
}
