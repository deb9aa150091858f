import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import { ClientBroker, type Place } from '../clients/fixture.ts';
import { MortalBroker } from '../support/mortal-broker.ts';
import { surviving } from './suite/surviving.ts';
import { TRANSPORTS } from './ways.ts';

const START_TIMEOUT_MS = 60_000;

/** A broker of ours that ends and comes back on what it left. */

describe.each(Object.entries(TRANSPORTS))('over %s, a broker that is stopped', (_, transportTo) => {
  const place = new ClientBroker('files', {}, 'websocket');
  beforeAll(() => place.start());
  afterAll(async () => {
    await place.stop();
    await place.removeDirectories();
  });
  const transport = transportTo(() => place.broker);
  const restart = async () => {
    await place.stop();
    await place.start();
  };
  surviving({
    maker: 'Milena',
    place,
    replicas: 1,
    outages: [restart, restart, restart],
    connect: (options) => connect('any://broker:1', { ...options, transport }),
  });
});

describe('over TCP, a process that is killed', () => {
  let directory: string;
  let broker: MortalBroker;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'milena-outages-'));
    broker = await MortalBroker.start(['--data', directory]);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await broker.kill();
    await rm(directory, { recursive: true });
  });
  let names = 0;
  const place: Place = {
    door: 'tcp',
    isRunning: true,
    name: (kind) => `${kind}-${++names}`,
    get port() {
      return broker.port;
    },
    get address() {
      return broker.address;
    },
    get kafka() {
      return { host: '127.0.0.1', port: broker.port };
    },
  };
  const kill = async () => {
    await broker.kill();
    await broker.revive();
  };
  surviving({
    maker: 'Milena',
    place,
    replicas: 1,
    outages: [kill, kill, kill],
    connect: (options) => connect(`kafka://${broker.address}`, options),
  });
});
