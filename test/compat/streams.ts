import { deepStrictEqual, ok } from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../src/hosts/node/connect.ts';
import { type Ask, inTurn } from './kafka/answers.ts';
import { askBoth, type Home } from './kafka/homes.ts';
import { compileJava, missingCompiler, missingKafka, runTool } from './kafka/toolchain.ts';
import { WordCount } from './streams/word-count.ts';
import { LINES, PARTITIONS, World } from './streams/world.ts';
import type { Suite } from './suite.ts';

const SOURCE = join(import.meta.dirname, 'streams', 'WordCount.java');
const STORE = 'word-count-store-changelog';
const REPARTITIONED = 'word-count-words-repartition';
const LOOK_AGAIN_MS = 100;
const COUNTED = 'each word once, in order';

/** An application of Kafka Streams that counts exactly once: restarted, killed, shared, reset. */
export const suite: Suite = {
  name: 'streams',
  missing: async () => (await missingKafka()) ?? (await missingKafka('streams')) ?? (await missingCompiler()),
  run: (check) => askBoth(check, { suite: 'streams' }, askApplication),
};

async function askApplication(ask: Ask, home: Home): Promise<void> {
  const classes = join(home.directory, 'classes');
  await compileJava(SOURCE, 'streams', classes);
  await using client = await connect(`kafka://${home.address}`);
  const application = new Application(home, classes, await World.begin(client));
  try {
    const next = inTurn(ask);
    await askOne(next, application);
    await askKilled(next, application);
    await askMore(next, application);
  } finally {
    await application.kill();
  }
}

/** One application, and its instances. */
class Application {
  readonly world: World;
  readonly home: Home;
  readonly #classes: string;
  readonly #instances = new Map<string, WordCount>();

  constructor(home: Home, classes: string, world: World) {
    this.home = home;
    this.#classes = classes;
    this.world = world;
  }

  /** Resolves once it runs. */
  async start(name = 'first', settings: Readonly<Record<string, string>> = {}): Promise<WordCount> {
    const { address } = this.home;
    const stateDirectory = this.#stateOf(name);
    const instance = WordCount.start({ address, classes: this.#classes, stateDirectory, settings });
    this.#instances.set(name, instance);
    await instance.running();
    return instance;
  }

  async close(name = 'first'): Promise<void> {
    await this.#instances.get(name)?.close();
  }

  async kill(): Promise<void> {
    for (const instance of this.#instances.values()) await instance.kill();
  }

  async loseStores(): Promise<void> {
    await rm(this.#stateOf('first'), { recursive: true });
  }

  #stateOf(name: string): string {
    return join(this.home.directory, `state-${name}`);
  }
}

async function askOne(ask: Ask, application: Application): Promise<void> {
  const { world } = application;
  const { admin } = world.client;
  await ask('it makes its topics, and counts', async () => {
    await application.start();
    await world.give(200);
    await world.counted();
    const topics = new Map((await admin.topics.list()).map(({ name, partitions }) => [name, partitions]));
    deepStrictEqual([topics.get(STORE), topics.get(REPARTITIONED)], [PARTITIONS, PARTITIONS]);
    const policies = [];
    for (const topic of [STORE, REPARTITIONED]) {
      const configs = await admin.configs.describe({ topic });
      policies.push(configs.find(({ name }) => name === 'cleanup.policy')?.value);
    }
    deepStrictEqual(policies, ['compact', 'delete']);
    return COUNTED;
  });
  await ask('what it has repartitioned and counted is deleted', async () => {
    const start = async () => {
      const begins = await admin.offsets.list(REPARTITIONED, { at: 'earliest' });
      return begins.reduce((sum, { offset }) => sum + (offset ?? 0), 0);
    };
    while ((await start()) === 0) await pause(LOOK_AGAIN_MS);
    return 'DeleteRecords';
  });
  await ask('closed and started again it goes on, with its stores as they were', async () => {
    await application.close();
    await world.give(100);
    const { restored } = await application.start();
    await world.counted();
    deepStrictEqual(restored, 0);
    return COUNTED;
  });
  await ask('with its stores lost it reads the changelog first', async () => {
    await application.close();
    await application.loseStores();
    await world.give(100);
    const { restored } = await application.start();
    await world.counted();
    ok(restored > 0, 'nothing was restored');
    return COUNTED;
  });
}

async function askKilled(ask: Ask, application: Application): Promise<void> {
  const { world } = application;
  const killed = async () => {
    const before = await world.endOfCounts();
    await world.givingDuring(async () => {
      await world.countsAbove(before + 1_000);
      await application.kill();
    });
  };
  await ask('killed while it counts, and started again', async () => {
    await killed();
    await application.start();
    await world.counted();
    return COUNTED;
  });
  await ask('killed, and its stores lost: what it left open is aborted by time', async () => {
    await killed();
    await application.loseStores();
    await application.start();
    await world.counted();
    return COUNTED;
  });
}

async function askMore(ask: Ask, application: Application): Promise<void> {
  const { world } = application;
  await ask('a second one with standby stores takes part, and goes on alone', async () => {
    const standby = { 'num.standby.replicas': '1' };
    await application.close();
    await world.givingDuring(async () => {
      await Promise.all([application.start('first', standby), application.start('second', standby)]);
      await application.close();
    });
    await world.counted();
    await application.close('second');
    return COUNTED;
  });
  await ask('kafka-streams-application-reset, and all is counted again', async () => {
    const at = ['--bootstrap-server', application.home.address];
    const what = ['--application-id', 'word-count', '--input-topics', LINES, '--force'];
    const { stdout } = await runTool('org.apache.kafka.tools.StreamsResetter', [...at, ...what]);
    const left = (await world.client.admin.topics.list()).map(({ name }) => name);
    ok(!left.includes(STORE) && !left.includes(REPARTITIONED), stdout);
    await application.loseStores();
    world.countAgain();
    await application.start();
    await world.counted();
    await application.close();
    return 'its topics are gone, its group is at the beginning';
  });
}
