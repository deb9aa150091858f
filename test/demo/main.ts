import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MortalBroker } from '../support/mortal-broker.ts';
import { loadFlights } from './flights.ts';
import { Ledger } from './ledger.ts';
import { Killer, PARTITIONS, client, consumeAll, logAndGroup, produceAll } from './phases.ts';
import { type Outcome, report } from './report.ts';

/** When, in parts of a phase, the broker is killed. */
const KILLED_AT = [0.2, 0.4, 0.6, 0.8];
const KILLED_READING_AT = [0.25, 0.5, 0.75];

/** `npm run demo`: the main job on real data, through a broker that is killed again and again. */
async function demo(): Promise<boolean> {
  const records = loadFlights();
  const keys = new Set(records.map(({ key }) => key)).size;
  const count = records.length;
  console.log(
    `${count.toLocaleString('en')} flights (vega-datasets), ${keys} keys: the distance flown, which`,
  );
  console.log(
    `stands for the route; ${PARTITIONS} partitions, kafkajs 2.2.4 idempotent, acks -1, group of three\n`,
  );
  const directory = await mkdtemp(join(tmpdir(), 'milena-demo-'));
  const broker = await MortalBroker.start(['--data', directory]);
  try {
    const kafka = client(broker);
    const ledger = new Ledger(records);
    const moments = (parts: readonly number[]) => parts.map((part) => Math.round(part * count));

    const produceStartMs = performance.now();
    const acknowledged = await produceAll(kafka, records, new Killer(broker, moments(KILLED_AT)));
    const produceMs = performance.now() - produceStartMs;
    const killedProducing = broker.restarts;

    await broker.kill();
    await broker.revive();
    const idleKills = broker.restarts - killedProducing;

    const consumeStartMs = performance.now();
    const given = await consumeAll(kafka, ledger, {
      count,
      killer: new Killer(broker, moments(KILLED_READING_AT)),
    });
    const consumeMs = performance.now() - consumeStartMs;
    const { logEnds, lag } = await logAndGroup(kafka);
    const outcome: Outcome = {
      sent: count,
      acknowledged,
      keys,
      logEnd: logEnds.reduce((sum, end) => sum + end, 0),
      findings: ledger.findings(logEnds),
      given,
      lag,
      produce: { ms: produceMs, kills: killedProducing },
      idleKills,
      consume: { ms: consumeMs, kills: broker.restarts - killedProducing - idleKills },
      readyMs: broker.readyMs,
    };
    return report(outcome);
  } finally {
    await broker.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

process.exit((await demo()) ? 0 : 1);
