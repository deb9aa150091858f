import { connect } from '../../../src/hosts/node/connect.ts';
import type { Edge } from '../../support/edge.ts';
import { median, percentile, report } from '../harness.ts';

const RECORDS = 1_000;
const WARM_UP = 100;
const EVERY_MS = 5;
const TOPIC = 'one-reader';

/** From when a record is given to a producer until a reader at the end has it: both our client, over WebSocket. */
export async function readerBehindWriter(edge: Edge): Promise<void> {
  const url = `ws://${edge.host}/kafka`;
  const [writer, reader] = [await connect(url), await connect(url)];
  await writer.admin.topics.create(TOPIC);
  const sentMs: number[] = [];
  const tookMs: number[] = [];
  const reading = (async () => {
    for await (const { value } of reader.read(TOPIC, { from: 'earliest' })) {
      const number = new DataView((value ?? new Uint8Array(4)).slice().buffer).getInt32(0);
      if (number >= WARM_UP) tookMs.push(performance.now() - (sentMs[number] ?? 0));
      if (number === WARM_UP + RECORDS - 1) return;
    }
  })();
  for (let number = 0; number < WARM_UP + RECORDS; number++) {
    const value = new Uint8Array(1_024);
    new DataView(value.buffer).setInt32(0, number);
    sentMs.push(performance.now());
    void writer.send(TOPIC, { value });
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await reading;
  await Promise.all([writer.close(), reader.close()]);
  const bench = 'edge: one reader behind one writer, 1 KB';
  report({ bench: `${bench}, p50`, value: median(tookMs), unit: 'ms', bar: { atMost: 15 } });
  report({ bench: `${bench}, p99`, value: percentile(tookMs, 0.99), unit: 'ms', bar: { atMost: 60 } });
}
