/** Links to a partition from which on its readers wait at relays; -1: never. */
const READERS = 'milena.relay.readers';
const READERS_OF_PARTITION = 100;
/** Each may have so many. */
const READERS_OF_RELAY = 4_000;

/** Relays that readers of a partition with so many links may wait at. */
export function relaysFor(links: number, settings: ReadonlyMap<string, string>): number {
  const least = Number(settings.get(READERS) ?? READERS_OF_PARTITION);
  return least < 0 || links < least ? 0 : Math.ceil(Math.max(1, links) / READERS_OF_RELAY);
}
