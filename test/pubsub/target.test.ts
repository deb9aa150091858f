import { describe, expect, test } from 'vitest';
import { fromOf, offsetFrom, resumedAt, timeIn } from '../../src/web/from.ts';
import { parseTarget } from '../../src/web/target.ts';

describe('where to', () => {
  test.each([
    ['ws://127.0.0.1:9094/t/orders', undefined, 'ws://127.0.0.1:9094/kafka', 9094, 'orders'],
    ['wss://log.example.dev/t/orders', undefined, 'wss://log.example.dev/kafka', 443, 'orders'],
    ['https://example.dev/eu/t/a%2Fb/?token=x', undefined, 'wss://example.dev/eu/kafka?token=x', 443, 'a/b'],
    ['/t/orders?from=-50', 'http://localhost:9094/page?x=1', 'ws://localhost:9094/kafka', 9094, 'orders'],
    ['ws://[::1]:9094', undefined, 'ws://[::1]:9094/kafka', 9094, undefined],
    ['ws://h/kafka', undefined, 'ws://h/kafka', 80, undefined],
    ['wss://h:1/other/door', undefined, 'wss://h:1/other/door', 1, undefined],
  ])('%s', (text, base, url, port, topic) => {
    expect(parseTarget(text, base)).toMatchObject({ url, address: { port }, topic });
  });

  test.each(['/t/orders', 'kafka://h:9092', 'orders', 'ws://', 'ws://h/t/%E0%A4%A'])('%s is none', (text) => {
    expect(() => parseTarget(text, undefined)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error,
    );
  });
});

describe('from where', () => {
  test.each([
    ['-50', 90, 40],
    ['-50', 20, 10],
    ['0', 90, 10],
    ['15', 90, 15],
    ['95', 90, 90],
    ['earliest', 90, 10],
    ['latest', 90, 90],
  ])('%s of 10 to %i is %i', (text, latest, offset) => {
    const bounds = { earliest: 10, latest, atTime: undefined };
    expect(offsetFrom(fromOf(text), bounds)).toBe(offset);
  });

  test('a position; a partition that is not in it from its start', () => {
    const bounds = { earliest: 10, latest: 90, atTime: undefined };
    expect([0, 1].map((partition) => resumedAt({ 0: 50 }, partition))).toEqual([50, undefined]);
    expect(resumedAt('latest', 0)).toBeUndefined();
    expect(offsetFrom({ 0: 50 }, bounds)).toBe(10);
  });

  test.each<[string, number]>([
    ['-1h', 100_000_000 - 3_600_000],
    ['-90s', 100_000_000 - 90_000],
    ['1970-01-02', 86_400_000],
    ['1970-01-01T00:00:01Z', 1_000],
    ['1969-12-31', 0],
    ['-100d', 0],
  ])('the time %s', (text, ms) => {
    expect(timeIn(fromOf(text), 100_000_000)).toBe(ms);
    expect(timeIn({ time: new Date(ms) }, 0)).toBe(ms);
  });

  test('a time after all there is: what will be', () => {
    expect(offsetFrom({ time: '-1s' }, { earliest: 10, latest: 90, atTime: -1 })).toBe(90);
    expect(offsetFrom({ time: '-1s' }, { earliest: 10, latest: 90, atTime: 33 })).toBe(33);
  });

  test('no time', () => {
    expect(() => timeIn(fromOf('yesterday'), 0)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error,
    );
    expect(timeIn('latest', 0)).toBeUndefined();
  });
});
