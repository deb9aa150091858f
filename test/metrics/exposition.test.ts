import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplyErrors } from '../../src/gateway/reply-errors.ts';
import { Exposition } from '../../src/hosts/node/metrics/exposition.ts';
import { Histogram } from '../../src/model/histogram.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { parseMetrics, valueOf } from './parse.ts';

describe('the text format', () => {
  test('any label and any number comes back', () => {
    const label = fc.string({
      unit: fc.constantFrom('a', '"', '\\', '\n', '{', '}', ',', 'ü', '\u{1f600}', ' '),
    });
    fc.assert(
      fc.property(fc.uniqueArray(label), fc.double(), (texts, value) => {
        const page = new Exposition();
        page.gauge(
          'some_gauge',
          'back\\slash and\nnew line',
          texts.map((text) => [value, { first: 'x', text }]),
        );
        const family = parseMetrics(page.text()).get('some_gauge');
        expect(family?.help).toBe('back\\\\slash and\\nnew line');
        expect(family?.samples.map(({ labels }) => labels['text'])).toEqual(texts);
        for (const sample of family?.samples ?? []) expect(sample.value).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  test.each([
    ['no end', '# HELP a b\n# TYPE a gauge\na 1', 'does not end'],
    ['a family twice', '# HELP a b\n# TYPE a gauge\n# HELP a b\n', 'comes once'],
    ['a sample twice', '# HELP a b\n# TYPE a gauge\na{x="1",y="2"} 1\na{y="2",x="1"} 1\n', 'told twice'],
    ['a sample of another family', '# HELP a b\n# TYPE a gauge\nb 1\n', 'of another family'],
    ['a counter that is not called one', '# HELP a b\n# TYPE a counter\na 1\n', 'end in _total'],
    ['an open label', '# HELP a b\n# TYPE a gauge\na{x="1} 1\n', 'no label'],
    ['no value', '# HELP a b\n# TYPE a gauge\na\n', 'no value'],
    [
      'buckets that shrink',
      '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
      'is no histogram',
    ],
    [
      'no last bucket',
      '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
      'is no histogram',
    ],
  ])('the parser refuses %s', (_, text, why) => {
    expect(() => parseMetrics(text)).toThrow(why);
  });
});

test('a histogram adds up what fell where, in seconds', () => {
  const histogram = new Histogram([1, 10, 100]);
  for (const ms of [0, 1, 1.5, 10, 99, 100, 101, 5_000]) histogram.add(ms);
  const page = new Exposition();
  page.histogramMs('waits', 'How long.', [[histogram, { api: 'Fetch' }]]);
  const families = parseMetrics(page.text());
  const below = (le: string) => valueOf(families, 'waits_bucket', { api: 'Fetch', le });
  expect([below('0.001'), below('0.01'), below('0.1'), below('+Inf')]).toEqual([2, 4, 6, 8]);
  expect(valueOf(families, 'waits_sum', { api: 'Fetch' })).toBeCloseTo(5.3125, 10);
});

describe('errors of an answer', () => {
  const errorsOf = (errors: ReplyErrors, body: unknown) => {
    const found: number[] = [];
    errors.each(body, (code) => found.push(code));
    return found;
  };

  test('on top, of topics and of partitions; 0 is none', () => {
    expect(errorsOf(new ReplyErrors(heartbeatApi), { throttleTimeMs: 0, errorCode: 27 })).toEqual([27]);
    expect(errorsOf(new ReplyErrors(heartbeatApi), { throttleTimeMs: 0, errorCode: 0 })).toEqual([]);
    const partitionResponses = [{ errorCode: 0 }, { errorCode: 3 }, { errorCode: -1 }];
    expect(errorsOf(new ReplyErrors(produceApi), { responses: [{ partitionResponses }] })).toEqual([3, -1]);
    const topics = [{ errorCode: 5, partitions: [{ errorCode: 0 }, { errorCode: 9 }] }];
    expect(errorsOf(new ReplyErrors(metadataApi), { topics })).toEqual([5, 9]);
  });

  test('no answer, as with acks=0', () => {
    expect(errorsOf(new ReplyErrors(produceApi), undefined)).toEqual([]);
  });
});
