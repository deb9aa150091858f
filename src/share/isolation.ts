/** Of records that failed: fewer deliveries than this are nobody's fault. */
const FAILED_OFTEN_MIN = 2;

/**
 * How many of `neighbours` records that were delivered `deliveryCount` times, and came back each time, one member is
 * given at once, with nothing else. Infinity until they were delivered half as often as they may be; then half of them,
 * a quarter, and so on, and the last time each by itself: so one record that nobody can work off does not take those
 * beside it with it (as Kafka does it since 4.2).
 */
export function togetherMax(deliveryCount: number, neighbours: number, deliveryCountLimit: number): number {
  const from = Math.max(FAILED_OFTEN_MIN, Math.ceil(deliveryCountLimit / 2));
  if (deliveryCount < from) return Infinity;
  if (deliveryCount >= deliveryCountLimit - 1) return 1;
  return Math.max(1, Math.floor(neighbours / 2 ** (deliveryCount - from + 1)));
}
