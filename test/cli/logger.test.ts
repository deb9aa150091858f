import { describe, expect, test } from 'vitest';
import { type LoggerOptions, formatFor, logger } from '../../src/hosts/node/logger.ts';

function logged(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const log = logger({ level: 'info', format: 'json', write, nowMs: () => 1_764_100_000_000, ...options });
  return { log, lines };
}

describe('JSON lines', () => {
  test('level, time, message, then the usual fields in their order, then the rest', () => {
    const { log, lines } = logged({ always: { node: 1 } });
    log.warn('cut', {
      durationMs: 5,
      offset: 7,
      partition: 0,
      topic: 't',
      component: 'store',
      client: '/1',
      correlationId: 9,
    });
    expect(lines).toEqual([
      '{"level":"warn","time":"2025-11-25T19:46:40.000Z","msg":"cut","component":"store","node":1,"topic":"t",' +
        '"partition":0,"offset":7,"correlationId":9,"client":"/1","durationMs":5}\n',
    ]);
  });

  test('a field cannot pass for what a line begins with', () => {
    const { log, lines } = logged();
    log.info('true', { level: 'error', time: 'never', msg: 'false' });
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: '2025-11-25T19:46:40.000Z',
      msg: 'true',
    });
  });

  test('one line whatever is in it, and no longer than a person can read', () => {
    const { log, lines } = logged();
    log.error('a\nb', { topic: 'x'.repeat(5_000), big: 5n });
    expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1);
    const line = JSON.parse(lines[0] ?? '') as { topic: string };
    expect([line.topic.length, line]).toEqual([1_001, expect.objectContaining({ msg: 'a\nb', big: '5' })]);
  });

  test('an error has its name, message and code; its stack only when debugging', () => {
    const err = Object.assign(new RangeError('full'), { code: 'ENOSPC' });
    const plain = logged();
    plain.log.error('failed', { err });
    expect(JSON.parse(plain.lines[0] ?? '')).toMatchObject({
      err: { name: 'RangeError', message: 'full', code: 'ENOSPC' },
    });
    expect(plain.lines[0]).not.toContain('stack');
    const debugging = logged({ level: 'debug' });
    debugging.log.error('failed', { err });
    expect(debugging.lines[0]).toContain('logger.test.ts');
    debugging.log.warn('odd', { err: 'a string' });
    expect(JSON.parse(debugging.lines[1] ?? '')).toMatchObject({ err: { message: 'a string' } });
  });
});

test('below its level a log says nothing, and debug is not even there', () => {
  const { log, lines } = logged({ level: 'warn' });
  log.info('quiet');
  expect([log.debug, lines]).toEqual([undefined, []]);
  const all = logged({ level: 'debug' });
  all.log.debug?.('loud');
  expect(all.lines).toHaveLength(1);
});

test('for people: the part, the message, what it is about; nothing moves the cursor', () => {
  const { log, lines } = logged({ format: 'pretty', always: { node: 1 } });
  log.warn('bad \u{1b}[2J topic', { component: 'store', topic: 'a b', partition: 0 });
  expect(lines).toEqual(['19:46:40.000Z WARN  store: bad \u{b7}[2J topic topic="a b" partition=0\n']);
});

test('pretty only on a terminal, unless told', () => {
  expect([
    formatFor('auto', true),
    formatFor('auto', false),
    formatFor('json', true),
    formatFor('pretty', false),
  ]).toEqual(['pretty', 'json', 'json', 'pretty']);
});
