import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import type { NewTopicOptions } from '../../../src/client/admin/topics.ts';
import type { Client } from '../../../src/client/client.ts';
import type { ConnectOptions } from '../../../src/client/connect.ts';
import { ClientBroker, type Place } from '../../clients/fixture.ts';
import { RawClient } from '../../gateway/raw-client.ts';
import { WAYS } from '../ways.ts';
import type { Maker } from './differences.ts';

/** A cluster that the client's suite runs against, and a way to it. */
export interface Reach {
  readonly maker: Maker;
  /** For kafkajs, and for what is sent by hand. */
  readonly place: Place;
  /** A client of its own; whoever makes it closes it. */
  connect(options?: ConnectOptions): Promise<Client>;
}

/** Tests of what the client promises, wherever it is connected to. */
export function suite<R extends Reach = Reach>(name: string, tests: (reach: R) => void): (reach: R) => void {
  return (reach) => {
    describe(`${name}`, () => {
      tests(reach);
    });
  };
}

/** Runs a suite against a broker of ours in memory, over every way there is. */
export function overEachWay(tests: (reach: Reach) => void): void {
  const place = new ClientBroker('memory', {}, 'websocket');
  beforeAll(() => place.start());
  afterAll(() => place.stop());
  describe.each(Object.entries(WAYS))('over %s', (_, connect) => {
    tests({ maker: 'Milena', place, connect: (options) => connect(place.broker, options) });
  });
}

/** A client for all tests of the block it is called in. */
export function useClient(reach: Reach, take: (client: Client) => void, options?: ConnectOptions): void {
  let client: Client | undefined;
  beforeAll(async () => take((client = await reach.connect(options))));
  afterAll(() => client?.close());
}

/** A topic of its own. */
export async function newTopic(
  { place }: Reach,
  client: Client,
  options: NewTopicOptions = {},
): Promise<{ name: string; id: string }> {
  const { name, id } = await client.admin.topics.create(place.name('topic'), options);
  return { name, id };
}

/** Requests by hand, until the test is over. */
export async function connectRaw({ place }: Reach): Promise<RawClient> {
  const raw = await RawClient.connect(place.kafka);
  onTestFinished(() => raw.destroy());
  return raw;
}

export const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : String(Buffer.from(bytes)));

/** For `expect.poll`: soon, on a machine that is busy. */
export const SOON = { timeout: 20_000 };
