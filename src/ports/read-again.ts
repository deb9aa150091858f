/**
 * What a read gives may be wrong on its way only, and right on the device: what makes no sense is read once more, and
 * believed to be damaged when it makes none then either. @param read gives undefined for what makes no sense.
 */
export async function readAgain<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  return (await read()) ?? read();
}
