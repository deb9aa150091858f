import type { Offset } from '../../../model/ids.ts';
import type { Anomalies } from './anomaly.ts';
import type { History, Operation, Poll, Send } from './history.ts';
import type { VersionOrder } from './versions.ts';

/** Whether each process, and each operation by itself, goes through the logs in their order. */
export function checkOrder(history: History, order: VersionOrder, anomalies: Anomalies): void {
  const processes = new Map<string, Progress>();
  for (const operation of history.operations) {
    let progress = processes.get(operation.process);
    if (progress === undefined) processes.set(operation.process, (progress = new Progress(order, anomalies)));
    progress.take(operation);
  }
}

/** How far one process is. */
class Progress {
  readonly #order: VersionOrder;
  readonly #anomalies: Anomalies;
  /** By key: where it read last, and where it wrote last. */
  readonly #read = new Map<string, Offset>();
  readonly #written = new Map<string, Offset>();

  constructor(order: VersionOrder, anomalies: Anomalies) {
    this.#order = order;
    this.#anomalies = anomalies;
  }

  take(operation: Operation): void {
    for (const key of operation.moved ?? []) this.#read.delete(key);
    const polled = new Set<string>();
    const sent = new Set<string>();
    for (const step of operation.steps) {
      if (step.type === 'poll') this.#polled(operation, step, polled);
      else this.#sent(operation, step, sent);
    }
  }

  /** @param polled keys that this operation has read of before. */
  #polled(operation: Operation, { key, records }: Poll, polled: Set<string>): void {
    const isMember = operation.attached === 'subscribe';
    const isMoved = operation.moved?.includes(key) ?? false;
    for (const { offset } of records) {
      const last = this.#read.get(key);
      const isInside = polled.has(key);
      if (last !== undefined && !(isInside && isMoved)) {
        const what = (did: string) => `${operation.process} was at ${key}@${last} and ${did}`;
        const between = this.#order.versions(key).between(last, offset);
        if (offset <= last)
          this.#anomalies.add(
            isInside
              ? 'int-nonmonotonic-poll'
              : isMember
                ? 'nonmonotonic-poll of a member'
                : 'nonmonotonic-poll',
            () => what(`went back to ${offset}`),
          );
        else if (between !== undefined)
          this.#anomalies.add(
            isInside ? 'int-poll-skip' : isMember ? 'poll-skip of a member' : 'poll-skip',
            () => what(`went on to ${offset}: ${between} is between`),
          );
      }
      this.#read.set(key, offset);
      polled.add(key);
    }
  }

  /** @param sent keys that this operation has written to before. */
  #sent(operation: Operation, { key, offset }: Send, sent: Set<string>): void {
    if (operation.outcome !== 'ok' || offset === undefined) return;
    const last = this.#written.get(key);
    const isInside = sent.has(key);
    const what = () => `${operation.process} wrote ${key}@${offset} after ${key}@${last}`;
    if (last !== undefined && offset <= last)
      this.#anomalies.add(isInside ? 'int-nonmonotonic-send' : 'nonmonotonic-send', what);
    else if (last !== undefined && isInside && this.#order.versions(key).between(last, offset) !== undefined)
      this.#anomalies.add('int-send-skip', what);
    this.#written.set(key, offset);
    sent.add(key);
  }
}
