import { afterAll, beforeAll, describe } from 'vitest';
import { updateFeaturesApi } from '../../../src/wire/apis/57-update-features.ts';
import { ClientBroker } from '../../clients/fixture.ts';
import { RawClient } from '../../gateway/raw-client.ts';
import { overEachWay } from '../suite/reach.ts';
import { writingInTransactions } from '../suite/writing-in-transactions.ts';
import { WAYS } from '../ways.ts';

overEachWay(writingInTransactions);

/** What a cluster of Kafka's has that was not upgraded. */
const FEATURE = { feature: 'transaction.version', maxVersionLevel: 0, upgradeType: 2 };

describe('where the cluster speaks the first version of transactions', () => {
  const place = new ClientBroker('memory', {}, 'websocket');
  beforeAll(async () => {
    await place.start();
    const raw = await RawClient.connect(place.kafka);
    const { results } = await raw.send(updateFeaturesApi, 1, { featureUpdates: [FEATURE] });
    raw.destroy();
    const [refusal] = results.filter(({ errorCode }) => errorCode !== 0);
    if (refusal !== undefined) throw new Error(`${refusal.errorMessage}`);
  });
  afterAll(() => place.stop());
  const connect = WAYS['TCP'];
  if (connect === undefined) throw new Error('there is TCP');
  writingInTransactions({ maker: 'Milena', place, connect: (options) => connect(place.broker, options) });
});
