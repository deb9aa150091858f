import { deepStrictEqual } from 'node:assert/strict';
import { type Answer, type Ask, asking, inTurn, keepAnswers } from './kafka/answers.ts';
import { type Home, withKafka, withOurs } from './kafka/homes.ts';
import { missingKafka } from './kafka/toolchain.ts';
import { Mirror } from './mirror/mirror.ts';
import type { Suite } from './suite.ts';

/** MirrorMaker 2 from one cluster to another: from Kafka's to Kafka's, so that what is wanted is true, and to ours. */
export const suite: Suite = {
  name: 'mirror-maker',
  missing: async () => (await missingKafka()) ?? (await missingKafka('mirror')),
  async run(check) {
    const answers: Answer[] = [];
    const mirror = (way: string, into: Answer[]) => {
      const ask = asking(check, 'mirrored', into);
      const named: Ask = (asked, work) => ask(`${way}: ${asked}`, work);
      return (source: Home, target: Home) => askMirror(inTurn(named), source, target);
    };
    const reference = mirror('from Apache Kafka to another', []);
    await withKafka((source) => withKafka((target) => reference(source, target)));
    const toOurs = mirror('from Apache Kafka', answers);
    await withKafka((source) => withOurs((target) => toOurs(source, target)));
    const betweenOurs = mirror("from another of Milena's", answers);
    await withOurs((source) => withOurs((target) => betweenOurs(source, target)));
    await keepAnswers('mirror-maker', answers);
  },
};

async function askMirror(ask: Ask, source: Home, target: Home): Promise<void> {
  await using mirror = await Mirror.between(source, target);
  await mirror.fill();
  await mirror.start();
  await ask('topics, with their partitions and settings', async () => {
    await mirror.until(async () => (await mirror.topics()).length === 2);
    await mirror.until(async () => (await mirror.settingsOf('orders')).includes('retention.ms=123456789'));
    const settings = [await mirror.settingsOf('orders'), await mirror.settingsOf('prices')].flat();
    deepStrictEqual(settings, ['retention.ms=123456789', 'cleanup.policy=compact']);
    deepStrictEqual(await mirror.topics(), ['source.orders: 3', 'source.prices: 1']);
    return (await mirror.topics()).join(', ');
  });
  await ask('records with keys, headers and times; those of aborted transactions do not come', async () => {
    const count = await mirror.same('orders');
    return `${count + (await mirror.same('prices'))} records`;
  });
  await ask('positions of groups: who goes on there misses nothing', async () => {
    // One has read all, the other a part of it.
    await mirror.until(async () => (await mirror.leftFor('readers'))?.length === 0);
    await mirror.until(async () => (await mirror.leftFor('followers')) !== undefined);
    const left = new Set(await mirror.leftFor('followers'));
    const missed = (await mirror.unreadBy('followers')).filter((value) => !left.has(value));
    deepStrictEqual(missed, []);
    return 'OffsetCommit by its admin client';
  });
  await ask('partitions that are added, and a topic that comes later', async () => {
    await mirror.grow();
    await mirror.until(async () => (await mirror.topics()).length === 3);
    await mirror.same('late');
    await mirror.same('orders');
    return (await mirror.topics()).join(', ');
  });
  await ask('killed while it mirrors, and started again: each record once', async () => {
    await mirror.killedWhileItWorks();
    await mirror.same('orders');
    return 'with exactly.once.source.support';
  });
}
