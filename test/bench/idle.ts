import { mkdtempSync, rmSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as afterMs } from 'node:timers/promises';
import { BrokerProcess } from '../support/broker-process.ts';
import { median, report } from './harness.ts';

const STARTS = 15;
const CONNECTIONS = 5_000;
const AT_ONCE = 100;
/** A process is idle once its garbage has had time to go. */
const SETTLE_MS = 2_000;

/** Start of the built package, its memory when idle, and what an idle connection costs. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  try {
    const readyMs: number[] = [];
    const residentMb: number[] = [];
    for (let start = 0; start < STARTS; start++) {
      const broker = await BrokerProcess.start(['--data', directory]);
      readyMs.push(broker.ready.readyMs);
      await afterMs(start < 3 ? SETTLE_MS : 200);
      residentMb.push(broker.residentBytes() / 1e6);
      await broker.stop();
    }
    report({ bench: 'ready after process start', value: median(readyMs), unit: 'ms', bar: { atMost: 200 } });
    report({ bench: 'idle RSS', value: median(residentMb), unit: 'MB', bar: { atMost: 80 } });
    report({
      bench: `${CONNECTIONS} idle connections`,
      ...(await idleConnections(directory)),
      bar: { atMost: 12 },
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function idleConnections(directory: string): Promise<{ value: number; unit: string }> {
  const broker = await BrokerProcess.start(['--data', directory]);
  const sockets: Socket[] = [];
  try {
    await afterMs(SETTLE_MS);
    const before = broker.residentBytes();
    while (sockets.length < CONNECTIONS) {
      const opened = Array.from({ length: AT_ONCE }, () => connect(broker.ready.kafka));
      await Promise.all(opened.map((socket) => once(socket, 'connect')));
      sockets.push(...opened);
    }
    await afterMs(SETTLE_MS);
    return { value: (broker.residentBytes() - before) / 1024 / CONNECTIONS, unit: 'KB each' };
  } finally {
    for (const socket of sockets) socket.destroy();
    await broker.stop();
  }
}
