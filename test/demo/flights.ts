import { readFileSync } from 'node:fs';

/** One flight as the data set has it; `time` is the hour of its departure. */
interface Flight {
  delay: number;
  distance: number;
  time: number;
}

/** One record to send: `sequence` counts the records of its key from 0. */
export interface KeyedRecord {
  key: string;
  sequence: number;
  value: string;
}

const FILE = new URL('../../node_modules/vega-datasets/data/flights-200k.json', import.meta.url);

/**
 * Every flight of the data set, in its order, by departure. The data names no airports; a route has one length, so
 * its distance in miles is as near as it comes to an entity, and is the key.
 */
export function loadFlights(): KeyedRecord[] {
  const flights = JSON.parse(readFileSync(FILE, 'utf8')) as Flight[];
  const sequences = new Map<string, number>();
  return flights.map((flight) => {
    const key = `${flight.distance} mi`;
    const sequence = sequences.get(key) ?? 0;
    sequences.set(key, sequence + 1);
    return { key, sequence, value: JSON.stringify(flight) };
  });
}
