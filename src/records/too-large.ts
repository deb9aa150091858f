/** For codecs: the announced or reached output is over the bound. */
export function tooLarge(maxBytes: number): Error {
  return new Error(`unpacks to more than ${maxBytes} bytes`);
}
