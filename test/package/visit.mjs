// A user's program, in a folder where the package is installed: imports every export, starts a broker and lets an
// unmodified kafkajs write and read over TCP and over WebSocket; then the package's own client, to a broker for tests.
// Prints what it found as one line of JSON.
import { readFileSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';

const { exports } = JSON.parse(readFileSync(new URL(import.meta.resolve('milena/package.json')), 'utf8'));
const names = {};
for (const entry of Object.keys(exports)) {
  // A Worker's alone: Node has not what it is made of.
  if (entry.endsWith('.json') || entry === './cloudflare') continue;
  names[entry] = Object.keys(await import(entry.replace('.', 'milena'))).toSorted();
}

const { startBroker } = await import('milena/node');
const { webSocketFactory } = await import('milena/kafkajs');
const broker = await startBroker({ httpPort: 0, settings: { 'group.initial.rebalance.delay.ms': '0' } });
const doors = {
  tcp: { brokers: [`127.0.0.1:${broker.kafka.port}`] },
  webSocket: { brokers: [`127.0.0.1:${broker.http.port}`], socketFactory: webSocketFactory() },
};
const read = {};
for (const [door, options] of Object.entries(doors)) {
  const kafka = new Kafka({ ...options, logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: door, messages: [{ key: 'k', value: `hello over ${door}` }] });
  const consumer = kafka.consumer({ groupId: door });
  await consumer.connect();
  await consumer.subscribe({ topic: door, fromBeginning: true });
  read[door] = await new Promise((resolve, reject) => {
    consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) }).catch(reject);
  });
  await consumer.disconnect();
  await producer.disconnect();
}
const { publish, subscribe } = await import('milena/web');
const greetings = `http://127.0.0.1:${broker.http.port}/t/greetings`;
await publish(greetings, { value: { hello: 'over milena/web' } });
for await (const record of subscribe(`${greetings}?from=earliest`)) {
  read.web = record.json();
  break;
}
const { connect, MilenaError } = await import('milena');
const testing = await import('milena/testing');
const written = {};
// No `await using`: Node 22 cannot read it.
const tested = await testing.startBroker();
for (const url of [tested.url, tested.webSocketUrl]) {
  const client = await connect(url);
  written[new URL(url).protocol] = (await client.send('greetings', { value: 'hello' })).offset;
  await client.close();
}
await connect('nowhere').catch((error) => (written.failed = error instanceof MilenaError));
await tested.close();
const metrics = await (await fetch(`http://127.0.0.1:${broker.http.port}/metrics`)).text();
await broker[Symbol.asyncDispose]();
console.log(
  JSON.stringify({
    names,
    read,
    written,
    counted: /^milena_records_appended_total (\d+)$/m.exec(metrics)?.[1],
  }),
);
