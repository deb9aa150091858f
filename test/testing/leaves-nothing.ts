// A process of its own, since a test runner has handles itself: starts brokers, uses them, and says what is left.
import { connect } from '../../src/hosts/node/connect.ts';
import { startBroker, virtualClock } from '../../src/hosts/node/testing.ts';

/** Handles that keep a process: sockets, listeners, timers, ports. What the script prints into is not ours. */
function handles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !/^(?:PipeWrap|TTYWrap|FSReqPromise)$/.test(name));
}

const before = handles();
let written = 0;
await Promise.all(
  Array.from({ length: 20 }, async (_, number) => {
    await using broker = await startBroker(number % 2 === 0 ? {} : { clock: virtualClock() });
    await using overTcp = await connect(broker.url);
    await using overWebSocket = await connect(broker.webSocketUrl);
    const left = await broker.connect();
    for (const client of [overTcp, overWebSocket, left]) {
      await client.send('orders', { value: 'x' });
      written++;
    }
  }),
);
// What is closed is let go in the turns that follow.
for (let turns = 0; turns < 100 && handles().length > 0; turns++)
  await new Promise((resolve) => setImmediate(resolve));
process.stdout.write(JSON.stringify({ before, after: handles(), written }));
