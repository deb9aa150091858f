import type { Kernels } from '../kernels/kernels.ts';
import { ProducerStates, REMEMBERED_BATCHES } from './producers.ts';
import type { BatchMark, ProducerState } from './producers.ts';
import { sequenceBefore } from '../records/sequences.ts';

const VERSION = 1;
/** Version int16, CRC-32C uint32 of all after it, then the entries as an array with an int32 count. */
const CRC_POSITION = 2;
const COUNT_POSITION = 6;
const ENTRIES_POSITION = 10;
const ENTRY_SIZE = 46;
/** Positions in an entry, which starts with the producer id (int64). */
const ENTRY = {
  epoch: 8,
  lastSequence: 10,
  lastOffset: 14,
  offsetDelta: 22,
  timestamp: 26,
  coordinatorEpoch: 34,
  txnFirstOffset: 38,
} as const;

/**
 * Kafka's `.snapshot` file. Kafka writes a producer's last batch only, so its brokers forget the other four
 * when they restart; we write one entry for each, oldest first. Kafka's reader keeps the last entry of a
 * producer and so reads ours as its own.
 */
export function encodeSnapshot(states: ProducerStates, kernels: Kernels): Uint8Array {
  const entries = states.all().flatMap(entriesOf);
  const bytes = new Uint8Array(ENTRIES_POSITION + entries.length * ENTRY_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, VERSION);
  view.setInt32(COUNT_POSITION, entries.length);
  for (const [index, entry] of entries.entries())
    writeEntry(view, ENTRIES_POSITION + index * ENTRY_SIZE, entry);
  view.setUint32(CRC_POSITION, kernels.crc32c(bytes.subarray(COUNT_POSITION)));
  return bytes;
}

/** Reads ours or Kafka's; undefined when the bytes are not a whole, true snapshot. */
export function decodeSnapshot(bytes: Uint8Array, kernels: Kernels): ProducerStates | undefined {
  if (bytes.length < ENTRIES_POSITION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getInt32(COUNT_POSITION);
  if (view.getInt16(0) !== VERSION || bytes.length !== ENTRIES_POSITION + count * ENTRY_SIZE)
    return undefined;
  if (view.getUint32(CRC_POSITION) !== kernels.crc32c(bytes.subarray(COUNT_POSITION))) return undefined;
  const states = new ProducerStates();
  for (let index = 0; index < count; index++) {
    const entry = readEntry(view, ENTRIES_POSITION + index * ENTRY_SIZE);
    const older = states.get(entry.producerId)?.batches ?? [];
    states.restore({ ...entry, batches: [...older, ...entry.batches].slice(-REMEMBERED_BATCHES) });
  }
  return states;
}

/** One state a batch; the newest has the producer's last time, which a marker may have moved. */
function entriesOf(state: Readonly<ProducerState>): ProducerState[] {
  if (state.batches.length === 0) return [state];
  return state.batches.map((mark) => ({ ...state, batches: [mark], lastTimestamp: mark.timestamp }));
}

function writeEntry(view: DataView, at: number, state: ProducerState): void {
  const mark = state.batches[0];
  view.setBigInt64(at, BigInt(state.producerId));
  view.setInt16(at + ENTRY.epoch, state.epoch);
  view.setInt32(at + ENTRY.lastSequence, mark?.lastSequence ?? -1);
  view.setBigInt64(at + ENTRY.lastOffset, BigInt(mark?.lastOffset ?? -1));
  view.setInt32(at + ENTRY.offsetDelta, mark ? mark.lastOffset - mark.firstOffset : 0);
  view.setBigInt64(at + ENTRY.timestamp, BigInt(state.lastTimestamp));
  view.setInt32(at + ENTRY.coordinatorEpoch, state.coordinatorEpoch);
  view.setBigInt64(at + ENTRY.txnFirstOffset, BigInt(state.txnFirstOffset));
}

function readEntry(view: DataView, at: number): ProducerState {
  const lastOffset = Number(view.getBigInt64(at + ENTRY.lastOffset));
  const lastSequence = view.getInt32(at + ENTRY.lastSequence);
  const offsetDelta = view.getInt32(at + ENTRY.offsetDelta);
  const timestamp = Number(view.getBigInt64(at + ENTRY.timestamp));
  const mark: BatchMark = {
    firstSequence: sequenceBefore(lastSequence, offsetDelta),
    lastSequence,
    firstOffset: lastOffset - offsetDelta,
    lastOffset,
    timestamp,
  };
  return {
    producerId: Number(view.getBigInt64(at)),
    epoch: view.getInt16(at + ENTRY.epoch),
    batches: lastOffset < 0 ? [] : [mark],
    coordinatorEpoch: view.getInt32(at + ENTRY.coordinatorEpoch),
    txnFirstOffset: Number(view.getBigInt64(at + ENTRY.txnFirstOffset)),
    lastTimestamp: timestamp,
  };
}
