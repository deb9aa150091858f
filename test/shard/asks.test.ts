import { expect, test } from 'vitest';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import type {
  Answer,
  Ask,
  Decision,
  Machine,
  MachineRecord,
  MachineRequest,
} from '../../src/model/machine.ts';
import { dataShard, type ShardReply, type ShardRequest } from '../../src/ports/shard-link.ts';
import { Asks } from '../../src/shard/asks.ts';
import { Shards } from '../../src/shard/shards.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { ManualClock } from '../gateway/fake-gateway.ts';
import { until } from '../gateway/until.ts';
import { FaultyStore } from './faulty-store.ts';

const caller = { principal: 'User:ANONYMOUS', clientId: 'test', clientHost: '/127.0.0.1' };
const HOUR_MS = 60 * 60 * 1000;

function ask(about: string): Ask {
  return { shard: 'g/1', apiKey: joinGroupApi.key, apiVersion: 5, body: about };
}

/** Asks without shards: the test sees what is sent, and answers. */
function bench() {
  const clock = new ManualClock();
  const sent: ShardRequest[] = [];
  const asks = new Asks({ request: (request) => void sent.push(request) }, clock);
  const answer = (at: number, reply: Partial<ShardReply>) =>
    asks.receive({ body: undefined, ...reply, to: sent[at]?.from ?? { link: 0, correlationId: -99 } });
  return { clock, sent, asks, answer };
}

test('an ask is sent again, with pauses that grow, until its answer is taken', () => {
  const { clock, sent, asks, answer } = bench();
  const heard: Answer[] = [];
  asks.ask(ask('x'), (found) => heard.push(found) === 4);
  const pausesMs: number[] = [];
  for (const at of [0, 1, 2]) {
    answer(at, { errorCode: ErrorCode.KAFKA_STORAGE_ERROR });
    let pauseMs = 0;
    for (; sent.length === at + 1; pauseMs += 10) clock.advance(10);
    pausesMs.push(pauseMs);
  }
  answer(3, { body: 'done' });
  expect(pausesMs).toEqual([20, 40, 80]);
  expect(heard.at(0)).toEqual({ body: undefined, errorCode: ErrorCode.KAFKA_STORAGE_ERROR });
  expect(heard.at(-1)).toEqual({ body: 'done' });
  expect(sent.map(({ body }) => body)).toEqual(['x', 'x', 'x', 'x']);
  clock.advance(HOUR_MS);
  expect([sent.length, clock.waiting]).toEqual([4, 0]);
});

test('what is never answered is asked again; an answer to the first time then comes too late', () => {
  const { clock, sent, asks, answer } = bench();
  const heard: Answer[] = [];
  asks.ask(ask('x'), (found) => heard.push(found) > 0);
  clock.advance(30_000);
  clock.advance(20);
  expect(sent).toHaveLength(2);
  answer(0, { body: 'late' });
  expect(heard).toEqual([]);
  answer(1, { body: 'in time' });
  expect(heard).toEqual([{ body: 'in time' }]);
});

test('what is called off is not heard of again, and close leaves nothing running', () => {
  const { clock, sent, asks, answer } = bench();
  let heard = 0;
  const callOff = asks.ask(ask('x'), () => ++heard > 0);
  asks.ask(ask('y'), () => ++heard > 0);
  callOff();
  answer(0, { body: 'x' });
  asks.close();
  answer(1, { body: 'y' });
  asks.ask(ask('z'), () => ++heard > 0);
  clock.advance(HOUR_MS);
  expect([heard, sent.length, clock.waiting]).toEqual([0, 2, 0]);
});

test('an answer that comes at once, and one that is no answer to an ask', () => {
  const clock = new ManualClock();
  const asks: Asks = new Asks(
    { request: ({ from, body }) => void asks.receive({ to: from, body: `${String(body)}!` }) },
    clock,
  );
  const heard: unknown[] = [];
  asks.ask(ask('x'), ({ body }) => heard.push(body) > 0);
  expect([heard, clock.waiting]).toEqual([['x!'], 0]);
  expect(asks.receive({ to: { link: 3, correlationId: 1 }, body: undefined })).toBe(false);
});

/** Notes what it is asked to pass on, asks its neighbour to note it too, and notes that this is done. */
class PassingOn implements Machine {
  wakeAtMs = Infinity;
  readonly noted: string[] = [];

  readonly #neighbour: string | undefined;

  constructor(neighbour: string | undefined) {
    this.#neighbour = neighbour;
  }

  decide({ from, body }: MachineRequest): Decision {
    const what = String(body);
    const asks = this.#asks(what);
    if (this.noted.includes(what)) return { records: [], replies: [{ to: from, body: 'noted before' }] };
    return { records: [record(what)], replies: [{ to: from, body: 'noted' }], asks };
  }
  resume(): Decision {
    const open = this.noted.filter((what) => !what.startsWith('+') && !this.noted.includes(`+${what}`));
    return { records: [], replies: [], asks: open.flatMap((what) => this.#asks(what)) };
  }
  answered(asked: Ask, { errorCode }: Answer): Decision | 'again' {
    if (errorCode !== undefined) return 'again';
    return { records: [record(`+${String(asked.body)}`)], replies: [] };
  }
  apply({ value }: MachineRecord): void {
    this.noted.push(new TextDecoder().decode(value ?? undefined));
  }
  tick(): Decision {
    return { records: [], replies: [] };
  }
  forget(): void {}
  snapshot(): MachineRecord[] {
    return this.noted.map(record);
  }
  #asks(body: string): Ask[] {
    return this.#neighbour === undefined ? [] : [{ ...ask(body), shard: this.#neighbour }];
  }
}

function record(what: string): MachineRecord {
  return { key: null, value: new TextEncoder().encode(what) };
}

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAg';
const [FIRST, SECOND] = [`${TOPIC_ID}/0`, `${TOPIC_ID}/1`];

/** Two shards, the first of which passes on to the second; each has a store of its own only in name. */
function twoShards(store: FaultyStore) {
  const clock = new ManualClock();
  const replies: ShardReply[] = [];
  const unknown = new Set<string>();
  const parts = { store, kernels: new TwinKernels(), codecs: new Map(), clock, onWarning: () => {} };
  const shards = new Shards({ ...parts, reply: (reply) => void replies.push(reply) }, (id) => {
    if (unknown.has(id)) return undefined;
    const log = id.slice(2);
    return {
      name: { log, topic: 'notes', topicId: TOPIC_ID, partition: Number(log.at(-1)) },
      config: () => DEFAULT_LOG_CONFIG,
      leaderEpoch: () => 0,
      machine: () => new PassingOn(log === FIRST ? dataShard(SECOND) : undefined),
    };
  });
  const say = (what: string) => {
    const from = { link: 1, correlationId: replies.length + 1 };
    shards.request({ shard: dataShard(FIRST), from, caller, apiKey: 11, apiVersion: 5, body: what });
  };
  const noted = (log: string) => (shards.get(dataShard(log))?.machine as PassingOn | undefined)?.noted ?? [];
  return { shards, clock, replies, unknown, say, noted };
}

test('a machine asks another shard once its records are committed, and hears the answer', async () => {
  const store = new FaultyStore();
  const { say, noted, replies } = twoShards(store);
  say('a');
  await until('it is passed on', () => noted(FIRST).includes('+a'));
  store.holds = true;
  say('b');
  await until('it is noted', () => noted(FIRST).includes('b'));
  await until('it is written', () => store.waiting === 1);
  expect(noted(SECOND)).toEqual(['a']);
  store.holds = false;
  store.settle();
  await until('it is passed on', () => noted(FIRST).includes('+b'));
  expect(noted(SECOND)).toEqual(['a', 'b']);
  expect(replies.map(({ body }) => body)).toEqual(['noted', 'noted']);
});

test('a shard that is not there yet is asked until it is', async () => {
  const { clock, unknown, say, noted } = twoShards(new FaultyStore());
  unknown.add(dataShard(SECOND));
  say('a');
  await until('it is noted', () => noted(FIRST).includes('a'));
  await until('it was asked in vain', () => clock.waiting > 0);
  clock.advance(1_000);
  unknown.clear();
  clock.advance(1_000);
  await until('it is passed on', () => noted(FIRST).includes('+a'));
  expect(noted(SECOND)).toEqual(['a']);
});

test('after a restart what was asked and not answered is asked again, what was answered is not', async () => {
  const store = new FaultyStore();
  const before = twoShards(store);
  before.say('a');
  await until('it is passed on', () => before.noted(FIRST).includes('+a'));
  await before.shards.close();
  const lonely = twoShards(store);
  lonely.unknown.add(dataShard(SECOND));
  lonely.say('b');
  await until('it is noted', () => lonely.noted(FIRST).includes('b'));
  await lonely.shards.close();
  expect(lonely.clock.waiting).toBe(0);

  const after = twoShards(store);
  after.say('a');
  await until('it is passed on', () => after.noted(FIRST).includes('+b'));
  expect(after.noted(FIRST)).toEqual(['a', '+a', 'b', '+b']);
  expect(after.noted(SECOND)).toEqual(['a', 'b']);
});
