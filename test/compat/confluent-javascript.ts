import { missingBinding } from './confluent-javascript/binding.ts';
import { ADMIN } from './confluent-javascript/admin.ts';
import { GROUPS } from './confluent-javascript/groups.ts';
import { PRODUCE } from './confluent-javascript/produce.ts';
import { TRANSACTIONS } from './confluent-javascript/transactions.ts';
import { World } from './confluent-javascript/world.ts';
import type { Ask } from './kafka/answers.ts';
import { askBoth } from './kafka/homes.ts';
import { missingKafka } from './kafka/toolchain.ts';
import type { Suite } from './suite.ts';

/** Confluent's binding of librdkafka for Node, by the API that is made after kafkajs. */
export const suite: Suite = {
  name: 'confluent-kafka-javascript',
  missing: async () => (await missingKafka()) ?? (await missingBinding()),
  run: (check) => askBoth(check, { suite: 'confluent-kafka-javascript' }, askChecks),
};

async function askChecks(ask: Ask, { address }: { address: string }): Promise<void> {
  for (const checks of [PRODUCE, TRANSACTIONS, GROUPS, ADMIN]) {
    for (const [asked, work] of Object.entries(checks)) {
      await ask(asked, async () => {
        await using world = await World.begin(address);
        return await work(world);
      });
    }
  }
}
