import { encodeSnapshot } from '../../log/producer-snapshot.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import type { LogKey } from '../../model/ids.ts';
import type { Machine } from '../../model/machine.ts';
import { dataShard } from '../../ports/shard-link.ts';
import { holds } from './broken.ts';
import { METADATA_LOG, type Node } from './node.ts';

/** What a node would know again after a restart, as text, by log. */
export type NodeState = ReadonlyMap<LogKey, string>;

/** What those of `logs` that are open and the machines of `node` are. */
export function stateOf(node: Node, logs: readonly LogKey[], kernels: Kernels): NodeState {
  const state = new Map<LogKey, string>();
  for (const log of logs) {
    const found = node.openShard(dataShard(log))?.log;
    if (found === undefined) continue;
    const { logStartOffset, lastStableOffset, logEndOffset, producers } = found;
    const offsets = `${logStartOffset} ${lastStableOffset} ${logEndOffset}`;
    state.set(log, `${offsets} ${hex(encodeSnapshot(producers, kernels))}`);
  }
  for (const [log, machine] of node.machines) {
    // A node that starts registers itself: the metadata is not the same afterwards.
    if (log === METADATA_LOG) continue;
    // What a shard had before its storage failed is nobody's state.
    if (node.openShard(node.shardOf(log))) state.set(log, recordsOf(machine));
  }
  return state;
}

/** I15: a restart equals no restart. */
export function compareStates(before: NodeState, after: NodeState): void {
  for (const [log, state] of before) {
    const found = after.get(log);
    holds(found === state, 'I15', () => {
      const known = new Set(found?.split(' '));
      const lost = state.split(' ').find((part) => !known.has(part));
      return `a clean restart does not give ${log} again: ${lost ?? 'there is more now'}`;
    });
  }
}

/** In no order: it is not the machine's to promise. */
function recordsOf(machine: Machine): string {
  const records = Array.from(machine.snapshot(), ({ key, value }) => `${hex(key)}=${hex(value)}`);
  return records.sort().join(' ');
}

function hex(bytes: Uint8Array | null): string {
  return bytes === null ? '-' : Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
