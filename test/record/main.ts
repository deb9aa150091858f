/**
 * `npm run record [client ...]`: has real clients talk to a built Milena through a proxy and keeps one line a frame
 * under `test/wire/golden/`, a file a client. What changes from run to run is made constant, so a diff shows what a
 * new version of a client says differently.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BrokerProcess } from '../support/broker-process.ts';
import { goldenOf } from './canonical.ts';
import { CLIENTS } from './clients.ts';
import { formatGolden } from './golden.ts';
import { RecordingProxy } from './proxy.ts';

const GOLDEN = join(import.meta.dirname, '../wire/golden');

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in CLIENTS));
if (unknown.length > 0) {
  console.error(`No client called ${unknown.join(', ')}. There are: ${Object.keys(CLIENTS).join(', ')}.`);
  process.exit(2);
}

for (const name of named.length > 0 ? named : Object.keys(CLIENTS)) {
  const client = CLIENTS[name]!;
  const version = await client.version();
  if (version === undefined) {
    console.log(`SKIPPED ${name}: ${client.missing}`);
    continue;
  }
  const broker = await BrokerProcess.start(['--memory']);
  const proxy = await RecordingProxy.start(broker.ready.kafka.port);
  try {
    await client.talk(proxy.port);
  } finally {
    await proxy.stop();
    await broker.stop();
  }
  const frames = goldenOf(proxy.exchanges, broker.ready.kafka.port);
  writeFileSync(join(GOLDEN, `${name}.txt`), formatGolden(`${name} ${version} and Milena.`, frames));
  console.log(`${name} ${version}: ${frames.length} of ${proxy.exchanges.length * 2} frames kept`);
}
