import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { ClientBroker } from './fixture.ts';

/** Runs in a process of its own; says what it was given after each rebalance. */
const SCRIPT = `
  import { Consumer } from '@platformatic/kafka';
  const [address, groupId, topic] = process.argv.slice(1);
  const consumer = new Consumer({
    clientId: 'mortal', bootstrapBrokers: [address], groupId,
    sessionTimeout: 1000, rebalanceTimeout: 10000, heartbeatInterval: 100, maxWaitTime: 100,
  });
  consumer.on('consumer:group:join', () => console.log(JSON.stringify(consumer.assignments)));
  const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' });
  stream.resume();
`;

/** A member of a group of @platformatic/kafka consumers that can be killed, session timeout one second. */
export class MortalMember {
  /** What it was given, as `topic/partition`. */
  partitions: string[] = [];
  readonly #process: ChildProcess;

  /** @param onChange called when it was given something else. */
  constructor(broker: ClientBroker, groupId: string, topic: string, onChange: () => void) {
    const args = ['--input-type=module', '--eval', SCRIPT, broker.address, groupId, topic];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const topics = JSON.parse(line) as { topic: string; partitions: number[] }[];
      this.partitions = topics.flatMap((each) =>
        each.partitions.map((partition) => `${each.topic}/${partition}`),
      );
      onChange();
    });
    this.#process = child;
  }

  /** No goodbye: SIGKILL. */
  die(): void {
    this.#process.kill('SIGKILL');
  }
}
