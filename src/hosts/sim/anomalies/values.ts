import type { Anomalies } from './anomaly.ts';
import { type History, provenance } from './history.ts';
import type { Version, VersionOrder } from './versions.ts';

/** What became of each value: lost, never seen, or seen though it must not be. */
export function checkValues(order: VersionOrder, anomalies: Anomalies): void {
  for (const version of order.all()) {
    const { writer, readers, key, value } = version;
    if (writer === undefined) continue;
    const [reader] = readers;
    if (writer.outcome === 'fail' && reader !== undefined)
      anomalies.add(
        'G1a',
        () => `${reader.process} read ${value} of ${key}, which ${writer.process} took back`,
      );
    if (writer.isTransaction === true && readers.has(writer))
      anomalies.add(
        'precommitted-read',
        () => `${writer.process} read ${value} of ${key}, which it wrote itself`,
      );
    if (reader === undefined && order.isDone(writer)) unread(order, version, anomalies);
  }
}

function unread(order: VersionOrder, version: Version, anomalies: Anomalies): void {
  const { key, value, offsets, writer } = version;
  const versions = order.versions(key);
  if (versions.isDeleted(version)) return;
  const [offset] = offsets;
  if (offset !== undefined && offset < versions.highestRead)
    anomalies.add('lost-write', () => `${value}, at ${key}@${offset}, of ${writer?.process}, was never read`);
  else anomalies.add('unseen', () => `${value} of ${key}, of ${writer?.process}, was never read`);
}

/** Exactly once: of each value of the keys in question one thing was made that counts. */
export function checkProcessing(history: History, order: VersionOrder, anomalies: Anomalies): void {
  const made = new Map<string, Version[]>();
  for (const version of order.all()) {
    const { send, readers } = version;
    if (send?.madeOf === undefined || readers.size === 0) continue;
    made.set(send.madeOf, [...(made.get(send.madeOf) ?? []), version]);
  }
  for (const [of, versions] of made) {
    if (versions.length < 2) continue;
    anomalies.add('processed twice', () => {
      const each = versions.map(({ key, value, writer }) => `${value} in ${key} by ${writer?.process}`);
      return `${of}: ${each.join(', ')}`;
    });
  }
  for (const key of history.processed ?? []) {
    const versions = order.versions(key);
    for (const offset of versions.visible) {
      if (made.has(provenance(key, offset)) || offset < (history.deletedBelow?.get(key) ?? 0)) continue;
      anomalies.add('unprocessed', () => `${key}@${offset}, ${versions.valueAt.get(offset)}`);
    }
  }
}
