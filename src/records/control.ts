/** Control records: one to a batch, told apart by a 4-byte key (version int16, type int16). */
export const ControlType = {
  abort: 0,
  commit: 1,
  leaderChange: 2,
  snapshotHeader: 3,
  snapshotFooter: 4,
  kraftVersion: 5,
  kraftVoters: 6,
} as const;
export type ControlType = (typeof ControlType)[keyof typeof ControlType];

/** The key of a control record. */
export function controlKey(type: ControlType): Uint8Array {
  return Uint8Array.of(0, 0, type >> 8, type);
}

/** The value of an abort or commit marker. */
export function markerValue(coordinatorEpoch: number): Uint8Array {
  const bytes = new Uint8Array(6);
  new DataView(bytes.buffer).setInt32(2, coordinatorEpoch);
  return bytes;
}

/** Type number in a control record's key, -1 when the key is too short to hold one. */
export function controlType(key: Uint8Array | null): number {
  if (!key || key.length < 4) return -1;
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getInt16(2);
}

/**
 * Coordinator epoch in the value of an abort or commit marker (version int16, epoch int32); -1 when too
 * short.
 */
export function markerCoordinatorEpoch(value: Uint8Array | null): number {
  if (!value || value.length < 6) return -1;
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getInt32(2);
}
